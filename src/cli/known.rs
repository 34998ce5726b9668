//! What is known already: `--baseline`, `--write-baseline`, `--since`, and `baseline` of
//! `portplan.yaml`

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
use crate::settings::Settings;
use crate::source;
use crate::suppress::{self, Silencer};

/// The flags that say what is known already.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "What is known already")]
pub struct KnownArgs {
    /// Leave out what is in this file, from `check --write-baseline`; instead of `baseline` of
    /// portplan.yaml
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Leave out what was there at this revision, such as HEAD or origin/main
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
    #[error("`{0}` cannot be read: {why}; `check --write-baseline {0}` makes it", why = source::reason(.1))]
    Unreadable(Utf8PathBuf, io::Error),
    /// It is something else.
    #[error("`{0}` {1}")]
    NoBaseline(Utf8PathBuf, BaselineError),
    /// The revision cannot be read.
    #[error(transparent)]
    Revision(#[from] RevisionError),
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
    ) -> Result<Option<Before>, KnownError> {
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

    /// The baseline that holds, if any does: that of the flag, or of the settings.
    fn file(&self, settings: &Settings) -> Option<Utf8PathBuf> {
        self.baseline.clone().or_else(|| settings.baseline())
    }

    /// What a plan need not resolve.
    ///
    /// # Errors
    /// The baseline or the revision cannot be read.
    pub fn fingerprints(
        &self,
        view: &View,
        args: &ViewArgs,
        projects: &ProjectArgs,
    ) -> Result<BTreeSet<Fingerprint>, KnownError> {
        let before = self.before(view, args, projects)?;
        let mut known = before.map_or_else(BTreeSet::new, |before| before.known);
        if let Some(path) = self.file(&view.world.settings) {
            known.extend(read(&path)?.fingerprints());
        }
        Ok(known)
    }

    /// Parts what is new from what is known, and writes what is known from now on to `new`.
    ///
    /// # Errors
    /// The baseline cannot be read or written; the outcome is as it was then.
    pub fn apply(
        &self,
        before: Option<Before>,
        new: Option<&Utf8Path>,
        outcome: &mut Outcome,
    ) -> Result<(), KnownError> {
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
        if let Some(path) = self.file(&outcome.world.settings) {
            let is_anew = new.is_some_and(|new| is_same(new, &path));
            // the first one that the settings name is yet to be written
            let is_first = is_anew && self.baseline.is_none() && !path.exists();
            let old = match is_first {
                true => Baseline::of([], &outcome.world),
                false => read(&path)?,
            };
            // one that is written anew drops what is gone
            if !is_anew {
                outcome.remarks.extend(gone(&old, &path, outcome));
            }
            accept(&old.fingerprints(), &Silencer::Baseline, outcome);
        }
        if let Some(path) = new {
            if outcome.problems(Gravity::Error).next().is_some() {
                return Err(KnownError::Partial(path.to_owned()));
            }
            let ours = |text: &str| !matches!(Baseline::read(text), Err(BaselineError::Form(_)));
            if !output::may_replace(path, ours) {
                return Err(KnownError::Taken(path.to_owned()));
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

/// True if two paths, as they are shown, are one file.
fn is_same(a: &Utf8Path, b: &Utf8Path) -> bool {
    let whole =
        |path: &Utf8Path| std::path::absolute(path).map(|path| path.canonicalize().unwrap_or(path));
    a == b || whole(a).is_ok_and(|a| whole(b).is_ok_and(|b| a == b))
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
