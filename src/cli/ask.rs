//! `portplan fix --interactive`: a question for each edit.

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::Status;
use super::view::View;
use crate::binding::{Port, PortRange};
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::plan::{Policy, PublishId, Remap};
use crate::remedy::Remedy;
use crate::report::mention::lines as mention_lines;
use crate::report::plan::{Proposal, ProposedRewrite};

/// An answer to a proposed edit.
enum Answer {
    Yes,
    No,
    To(Port),
    Quit,
}

/// Asks before each edit, and plans anew around what is not accepted.
///
/// # Errors
/// The status to end with, if a proposal fails; the reason has been told.
pub fn ask(
    view: &View,
    mut policy: Policy,
    propose: &dyn Fn(Policy) -> Result<(Remedy, Proposal), Status>,
) -> Result<(Remedy, Proposal), Status> {
    let mut accepted: Vec<(Vec<PublishId>, PortRange)> = Vec::new();
    let mut agreed: BTreeSet<Fingerprint> = BTreeSet::new();
    let mut quit = false;
    loop {
        let (remedy, proposal) = propose(policy.clone())?;
        let refused = policy.wishes.iter().find(|(id, port)| {
            let target = remedy.plan.target([**id]);
            target.is_none_or(|to| to.first() != **port)
        });
        if let Some((id, port)) = refused.map(|(id, port)| (*id, *port)) {
            anstream::eprintln!("{port} is not free");
            policy.wishes.remove(&id);
            continue;
        }
        let open = remedy.plan.remaps.iter().find(|remap| {
            let ids = ids(remap);
            let wished = ids.iter().any(|id| policy.wishes.contains_key(id));
            !wished && !accepted.contains(&(ids, remap.to))
        });
        let Some(remap) = open else {
            let known = |it: &&Finding| !agreed.contains(&it.fingerprint);
            let Some(finding) = remedy.rewritten.iter().find(known) else {
                return Ok((remedy, proposal));
            };
            let print = finding.fingerprint.clone();
            match if quit {
                Answer::Quit
            } else {
                question_of(view, finding)
            } {
                Answer::Yes => drop(agreed.insert(print)),
                answer => {
                    quit |= matches!(answer, Answer::Quit);
                    policy.kept.insert(print);
                }
            }
            continue;
        };
        let answer = if quit {
            Answer::No
        } else {
            question(view, remap, &remedy)
        };
        match answer {
            Answer::Yes => accepted.push((ids(remap), remap.to)),
            Answer::To(port) => {
                policy
                    .wishes
                    .extend(ids(remap).into_iter().map(|id| (id, port)));
            }
            Answer::No | Answer::Quit => {
                quit |= matches!(answer, Answer::Quit);
                let kept = ids(remap)
                    .into_iter()
                    .map(|id| (id, "stays as you said".to_owned()));
                policy.unwritable.extend(kept);
            }
        }
    }
}

fn ids(remap: &Remap) -> Vec<PublishId> {
    remap.moves.iter().map(|it| it.publish).collect()
}

fn question(view: &View, remap: &Remap, remedy: &Remedy) -> Answer {
    let names = remap
        .moves
        .iter()
        .map(|it| &it.publish.of(&view.world.projects).1.name);
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.dedup();
    let mentions: Vec<_> = remedy.mentions_of(&remap.moves).collect();
    anstream::eprint!("{}", mention_lines(&mentions, remedy.followed));
    let (who, from, to) = (names.join(", "), remap.from, remap.to);
    answer(
        &format!("move {who} from {from} to {to}? [y]es, [n]o, another port, [q]uit: "),
        |text| text.parse().ok().map(Answer::To),
    )
}

/// Asks about what no move resolves.
fn question_of(view: &View, finding: &Finding) -> Answer {
    let Some(it) = ProposedRewrite::of(&view.world, finding) else {
        return Answer::No;
    };
    let (place, what, rule) = (it.place, it.what, it.rule);
    answer(
        &format!("{place}, {rule}: {what}? [y]es, [n]o, [q]uit: "),
        |_| None,
    )
}

/// Asks until there is an answer; the end of the input is a no to all that is left.
fn answer(question: &str, other: impl Fn(&str) -> Option<Answer>) -> Answer {
    let input = std::io::stdin();
    loop {
        anstream::eprint!("{question}");
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        if input.lock().read_line(&mut line).unwrap_or(0) == 0 {
            anstream::eprintln!();
            return Answer::Quit;
        }
        if !input.is_terminal() {
            anstream::eprintln!();
        }
        match line.trim() {
            "y" | "yes" => return Answer::Yes,
            "n" | "no" => return Answer::No,
            "q" | "quit" => return Answer::Quit,
            text => match other(text) {
                Some(answer) => return answer,
                None => anstream::eprintln!("`{text}` is not an answer: type one of these"),
            },
        }
    }
}
