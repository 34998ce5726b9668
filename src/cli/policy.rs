//! What the user wants of a plan: the flags that plan and fix share.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::known::KnownArgs;
use super::rules::RuleParser;
use super::view::{View, ViewArgs};
use super::{ProjectArgs, Status};
use crate::compose::problem::{Gravity, Problem};
use crate::edit::{Destination, Patch, Workspace};
use crate::fingerprint::Fingerprint;
use crate::graph::Allocation;
use crate::plan::{Pin, Policy, Strategy, Wanted};
use crate::remedy::{Manner, Remedy};
use crate::report::place::ProblemPlace;
use crate::report::plan::Proposal;
use crate::rules::{Fixing, Rule};
use crate::settings::RuleName;
use crate::source::{Disk, SourceMap};
use crate::suppress;

/// The flags that say what a plan may do.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What may move, and where to")]
pub struct PolicyArgs {
    /// Keep what is published by this service, on this host port, or both: SERVICE, PORT,
    /// SERVICE:PORT
    #[arg(long = "pin", value_name = "WHAT")]
    pins: Vec<Pin>,
    /// Move only ports of this service; give it several times for several
    #[arg(long = "service", value_name = "NAME")]
    services: Vec<String>,
    /// Resolve only what this rule finds, however grave; give it several times for several
    #[arg(long = "only", value_name = "RULE", value_parser = RuleParser, hide_possible_values = true)]
    rules: Vec<RuleName>,
    /// Resolve what all rules find, not only what cannot run
    #[arg(long, conflicts_with = "rules")]
    all: bool,
    /// How to choose a new port: nearest, offset:N or sequential
    #[arg(long, value_name = "HOW", default_value = "nearest")]
    strategy: Strategy,
    /// Also edit compose and env files where they name a port that moves (localhost:8080)
    #[arg(long)]
    follow: bool,
    /// Where to write new numbers
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = Into::Compose)]
    into: Into,
    #[command(flatten)]
    known: KnownArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Into {
    /// Where they are written now: the compose file, the default of a variable, an env file
    Compose,
    /// The project's .env: 8080:80 becomes ${WEB_PORT:-8080}:80
    Env,
    /// An override file, for this machine only; all other files stay as they are
    Override,
}

impl PolicyArgs {
    /// How the plan is carried out.
    pub fn manner(&self, unsafe_fixes: bool) -> Manner {
        Manner {
            destination: match self.into {
                Into::Compose => Destination::Compose,
                Into::Env => Destination::Env,
                Into::Override => Destination::Override,
            },
            follow: self.follow,
            unsafe_fixes,
        }
    }

    fn wanted(&self) -> Wanted {
        match (self.all, &self.rules[..]) {
            (true, _) => Wanted::All,
            (false, []) => Wanted::Needed,
            (false, rules) => Wanted::Only(rules.iter().map(|it| it.0.to_owned()).collect()),
        }
    }

    /// What is said where there is nothing to do.
    pub fn nothing(&self, partial: bool) -> &'static str {
        match (self.wanted(), partial) {
            (Wanted::Needed, false) => "nothing has to move\n",
            (Wanted::Needed, true) => "nothing has to move in what could be read\n",
            (_, false) => "nothing to fix\n",
            (_, true) => "nothing to fix in what could be read\n",
        }
    }

    /// The policy.
    fn policy(&self, view: &View, known: &BTreeSet<Fingerprint>) -> Policy {
        let settled = &view.world.settings.pins;
        Policy {
            strategy: self.strategy,
            pins: self.pins.iter().chain(settled).cloned().collect(),
            services: self.services.clone(),
            wanted: self.wanted(),
            accepted: suppress::accepted(&view.world),
            known: suppress::known(&view.world, known),
            kept: known.clone(),
            ..Policy::of(&view.world)
        }
    }

    /// Names that nothing in the projects has, and what contradicts itself: a slip of the pen would
    /// otherwise go unnoticed.
    fn unknown(&self, view: &View) -> Option<String> {
        if self.follow && matches!(self.into, Into::Override) {
            let reason = "--follow and --into override exclude each other: the one edits files that the other leaves \
                 alone";
            return Some(reason.to_owned());
        }
        let fixing = |name: &&RuleName| Rule::named(name.0).map(|rule| rule.fixing);
        let mut rules = self.rules.iter();
        if let Some(name) = rules.find(|name| fixing(name) == Some(Fixing::Never)) {
            let name = name.0;
            return Some(format!(
                "--only {name}: no edit resolves it; `portplan explain {name}` says what does"
            ));
        }
        let services = || {
            view.world
                .projects
                .iter()
                .flat_map(|project| &project.services)
        };
        let pin = self.pins.iter().find(|pin| {
            !services().any(|service| {
                let mut ports = service.ports.iter();
                let text = |port: Option<&String>| port.map_or("", String::as_str).to_owned();
                ports.any(|port| pin.holds(&service.name, &text(port.published.as_ref())))
            })
        });
        let service = self.services.iter();
        let mut service = service.filter(|name| services().all(|service| service.name != **name));
        match (pin, service.next()) {
            (Some(pin), _) => Some(format!(
                "--pin {pin}: there is no such published port; `portplan list` shows them"
            )),
            (None, Some(name)) => Some(format!(
                "--service {name}: there is no such service; `portplan list` shows them"
            )),
            (None, None) => None,
        }
    }
}

/// Looks at what is to be planned and at what may be done, and says what could not be seen: then the
/// view is partial, which is the third.
///
/// # Errors
/// The status to end with; the reason has been told.
pub fn look(
    policy: &PolicyArgs,
    view: &ViewArgs,
    projects: &ProjectArgs,
) -> Result<(View, Policy, bool), Status> {
    let args = view;
    let view = args.read(projects, None);
    let mut view = view.map_err(|error| super::usage(&error))?;
    // what is asked for by name is looked for, unless the settings turn it off
    let asked = policy.rules.iter().filter_map(|name| Rule::named(name.0));
    let settings = Arc::make_mut(&mut view.world.settings);
    settings.turn_on(asked.filter(|rule| rule.opt_in));
    if let Some(unknown) = policy.unknown(&view) {
        anstream::eprintln!("error: {unknown}");
        return Err(Status::Partial);
    }
    let partial = tell_problems(&view);
    if !view.found {
        return Err(Status::Nothing);
    }
    let known = policy.known.fingerprints(&view, args, projects);
    let policy = policy.policy(&view, &known.map_err(|error| super::usage(&error))?);
    if !policy.known.is_empty() {
        anstream::eprintln!("note: what is known already stays as it is");
    }
    Ok((view, policy, partial))
}

/// Says on standard error what could not be read or seen; true if the view is partial.
fn tell_problems(view: &View) -> bool {
    super::tell(&view.problems, &view.remarks);
    let settings = &view.world.settings;
    let mut partial = !view.problems.is_empty();
    partial |= tell_errors(&settings.problems, &settings.sources);
    for project in &view.world.projects {
        partial |= tell_errors(&project.problems, &project.sources);
    }
    partial
}

/// Says on standard error what makes a view partial; false if nothing does.
pub fn tell_errors(problems: &[Problem], sources: &SourceMap) -> bool {
    let mut any = false;
    let errors = problems.iter();
    for problem in errors.filter(|problem| problem.gravity == Gravity::Error) {
        any = true;
        let place = ProblemPlace::of(problem, sources);
        super::tell_problem("", &place);
    }
    any
}

/// The projects of a view, to be edited.
pub fn workspace(view: &View) -> Workspace<'_> {
    Workspace {
        reading: &view.reading,
        files: &Disk,
        projects: &view.world.projects,
    }
}

/// The remedy for what a view shows, and how it reads.
///
/// # Errors
/// The status to end with; the reason has been told.
pub fn remedy(view: &View, policy: Policy, manner: Manner) -> Result<(Remedy, Proposal), Status> {
    let world = &view.world;
    let hosts: Vec<Allocation<'_>> = world
        .hosts()
        .map(|host| Allocation::of(world, &host))
        .collect();
    let workspace = workspace(view);
    let remedy = Remedy::of(world, &hosts, &workspace, policy, manner);
    match remedy {
        Ok(remedy) => {
            let proposal = Proposal::of(world, &hosts, &remedy);
            Ok((remedy, proposal))
        }
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            anstream::eprintln!(
                "  help: nothing was written; this is a bug in portplan: please report it with the files"
            );
            Err(Status::Partial)
        }
    }
}

/// The diffs of all files, with colours on a terminal.
pub fn diffs(patches: &[Patch]) -> String {
    let text: String = patches.iter().map(Patch::diff).collect();
    text.split_inclusive('\n').map(paint).collect()
}

fn paint(line: &str) -> String {
    let style = anstyle::Style::new();
    let style = match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => style.bold(),
        [b'@', b'@', ..] => style.fg_color(Some(anstyle::AnsiColor::Cyan.into())),
        [b'-', ..] => style.fg_color(Some(anstyle::AnsiColor::Red.into())),
        [b'+', ..] => style.fg_color(Some(anstyle::AnsiColor::Green.into())),
        _ => return line.to_owned(),
    };
    let body = line.trim_end_matches(['\n', '\r']);
    let end = &line[body.len()..];
    format!("{style}{body}{style:#}{end}")
}

/// How many of something, in words.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
