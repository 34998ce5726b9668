//! What is known already: `--baseline`, `--write-baseline`, `--since`

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::ProjectArgs;
use super::output::{self, NotWritten};
use super::view::{View, ViewArgs};
use crate::baseline::{Baseline, BaselineError};
use crate::compose::problem::Gravity;
use crate::fingerprint::Fingerprint;
use crate::report::check::Outcome;
use crate::report::summary::count;
use crate::revision::RevisionError;
use crate::source;
use crate::suppress::{self, Silencer};

/// The flags that say which findings are known already.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What is known already")]
pub struct KnownArgs {
    /// Show only findings that are not in this file
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Write the findings to this file, for --baseline; from then on they are known
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<Utf8PathBuf>,
    /// Show only findings that were not there at this revision, such as HEAD or origin/main
    #[arg(long, value_name = "REV")]
    since: Option<String>,
}

/// What was there at a revision.
#[derive(Debug)]
pub struct Before {
    revision: String,
    known: BTreeSet<Fingerprint>,
    /// How many projects could not be read there.
    unread: usize,
}

/// Why what is known could not be told from what is new.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// There is no such file, or it may not be read.
    #[error("`{0}` cannot be read: {why}; --write-baseline {0} makes it", why = source::reason(.1))]
    Unreadable(Utf8PathBuf, io::Error),
    /// It is something else.
    #[error("`{0}` {1}")]
    NoBaseline(Utf8PathBuf, BaselineError),
    /// Not all was seen, so that the baseline would lack something.
    #[error(
        "`{0}` was not written, because not everything could be read: mend the errors above first"
    )]
    Partial(Utf8PathBuf),
    /// There is something else where it would be written.
    #[error("`{0}` exists and is not a baseline: choose another name")]
    Taken(Utf8PathBuf),
    /// The file cannot be written.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

impl KnownArgs {
    /// What was there at the revision, if one is named.
    ///
    /// # Errors
    /// The revision cannot be read.
    pub fn before(
        &self,
        view: &View,
        args: &ViewArgs,
        projects: &ProjectArgs,
    ) -> Result<Option<Before>, RevisionError> {
        let Some(revision) = &self.since else {
            return Ok(None);
        };
        let world = args.world_at(revision, view, projects)?;
        let (found, silenced) = suppress::check(&world);
        let silenced = silenced.into_iter().map(|it| it.finding);
        let findings = found.into_iter().chain(silenced);
        let unread = world.projects.iter().filter(|project| {
            let mut problems = project.problems.iter();
            let partial = problems.any(|problem| problem.gravity == Gravity::Error);
            partial && !project.sources.files().is_empty()
        });
        Ok(Some(Before {
            revision: revision.clone(),
            known: findings.map(|finding| finding.fingerprint).collect(),
            unread: unread.count(),
        }))
    }

    /// Parts what is new from what is known, and writes what is known from now on.
    ///
    /// # Errors
    /// The baseline cannot be read or written; the outcome is as it was then.
    pub fn apply(&self, before: Option<Before>, outcome: &mut Outcome) -> Result<(), KnownError> {
        if let Some(Before {
            revision,
            known,
            unread,
        }) = before
        {
            if unread > 0 {
                let projects = count(unread, "project");
                outcome.remarks.push(format!(
                    "{projects} could not be read in {revision}, so all findings there are shown as new"
                ));
            }
            accept(&known, &Silencer::Revision(revision), outcome);
        }
        if let Some(path) = &self.baseline {
            let old = read(path)?;
            // one that is written anew drops what is gone
            if self.write_baseline.as_ref() != Some(path) {
                outcome.remarks.extend(gone(&old, path, outcome));
            }
            accept(&old.fingerprints(), &Silencer::Baseline, outcome);
        }
        if let Some(path) = &self.write_baseline {
            if outcome.problems(Gravity::Error).next().is_some() {
                return Err(KnownError::Partial(path.clone()));
            }
            let ours = |text: &str| !matches!(Baseline::read(text), Err(BaselineError::Form(_)));
            if !output::may_replace(path, ours) {
                return Err(KnownError::Taken(path.clone()));
            }
            let known = outcome.silenced.iter().filter(|it| it.by.is_baseline());
            let known = known.map(|it| &it.finding);
            let new = Baseline::of(outcome.findings.iter().chain(known), &outcome.world);
            output::write(path, crate::report::json(&new))?;
            accept(&new.fingerprints(), &Silencer::Baseline, outcome);
        }
        Ok(())
    }
}

fn read(path: &Utf8Path) -> Result<Baseline, KnownError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| KnownError::Unreadable(path.to_owned(), error))?;
    Baseline::read(&text).map_err(|error| KnownError::NoBaseline(path.to_owned(), error))
}

fn accept(known: &BTreeSet<Fingerprint>, by: &Silencer, outcome: &mut Outcome) {
    let (new, known) = suppress::part(std::mem::take(&mut outcome.findings), known, by);
    outcome.findings = new;
    outcome.silenced.extend(known);
}

/// Says what of a baseline occurs no more.
fn gone(baseline: &Baseline, path: &Utf8Path, outcome: &Outcome) -> Option<String> {
    let silenced = outcome.silenced.iter().map(|it| &it.finding);
    let found = outcome.findings.iter().chain(silenced);
    let gone: Vec<_> = baseline.gone(found, &outcome.world).collect();
    let first = gone.first()?;
    let more = match gone.len() - 1 {
        0 => String::new(),
        more => format!(" and {}", count(more, "other")),
    };
    Some(format!(
        "`{}` lists what is no longer found: {} in {}{more}; --write-baseline {path} removes it",
        path, first.rule, first.file
    ))
}
