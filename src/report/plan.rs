//! `portplan plan`: what would move, and what would be written.

use std::collections::{BTreeMap, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::mention::{self, ProposedMention};
use super::place::{OriginPlace, Place};
use super::plain;
use super::table::align;
use crate::edit::{Edit, Format, Patch, Scope};
use crate::finding::Finding;
use crate::graph::{Allocation, Entry};
use crate::plan::explain::listed;
use crate::plan::{Fixed, Plan, PublishId, Stuck};
use crate::remedy::Remedy;
use crate::source;
use crate::world::World;

/// The version of the form.
pub const VERSION: u32 = 1;

/// A plan, ready to be reviewed and carried out: what `plan -o` writes and `fix --plan` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "portplan plan")]
pub struct Proposal {
    /// The version of this form: 1.
    pub version: u32,
    /// The entries that move, as they are written.
    pub remaps: Vec<ProposedRemap>,
    /// What is written otherwise without moving a port.
    #[serde(default)]
    pub rewrites: Vec<ProposedRewrite>,
    /// What stays wrong.
    pub unresolved: Vec<Unresolved>,
    /// How many published ports move.
    pub moved: u32,
    /// No plan that resolves as much moves fewer; equal to `moved` unless the search was cut short.
    pub at_least: u32,
    /// Variables of the shell to set, which no file can.
    pub exports: BTreeMap<String, String>,
    /// What is written, file by file.
    pub files: Vec<FileEdits>,
    /// Where else files name the ports that move.
    #[serde(default)]
    pub mentions: Vec<ProposedMention>,
}

/// An entry of `ports` that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedRemap {
    /// The project.
    pub project: String,
    /// The service.
    pub service: String,
    /// The mapping as it is, in short syntax.
    pub from: String,
    /// The mapping as it will be.
    pub to: String,
    /// Why.
    pub why: String,
    /// Where the number is written: file, line and column, from 1, and who wrote it.
    pub place: String,
}

/// Something that is written otherwise without moving a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedRewrite {
    /// The rule that finds it.
    pub rule: String,
    /// The service, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<String>,
    /// What is written.
    pub what: String,
    /// Where: file, line and column, from 1.
    pub place: String,
}

/// Ports that still cannot all be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unresolved {
    /// What is wrong and why nobody can move, in one sentence.
    pub message: String,
}

/// The edits of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileEdits {
    /// The file, relative to the working directory.
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
    /// The SHA-256 of the file as it was read, in hexadecimal; null of a file that is not there.
    pub sha256: Option<String>,
    /// The edits, by place; none overlaps another.
    pub edits: Vec<ByteEdit>,
}

/// New bytes in the place of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByteEdit {
    /// The bytes that go, in the file as it is: the first and one past the last.
    pub bytes: [usize; 2],
    /// The bytes that come, as text.
    pub text: String,
    /// True if `text` is the bytes in hexadecimal, because they are no UTF-8.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub hex: bool,
}

impl Proposal {
    /// The proposal of a remedy for the hosts of a world.
    #[must_use]
    pub fn of(world: &World, hosts: &[Allocation<'_>], remedy: &Remedy) -> Self {
        let plan = &remedy.plan;
        let stuck = plan.stuck.iter();
        let stuck = stuck.map(|stuck| unresolved(world, hosts, stuck, remedy));
        let unwritten = remedy.unwritten.iter().map(|(finding, reason)| Unresolved {
            message: format!("{}, {}: {reason}", place(world, finding), finding.rule),
        });
        let rewritten = remedy.rewritten.iter();
        Self {
            version: VERSION,
            remaps: remaps(world, hosts, plan),
            rewrites: rewritten
                .filter_map(|finding| ProposedRewrite::of(world, finding))
                .collect(),
            unresolved: stuck.chain(unwritten).collect(),
            moved: plan.moves().count() as u32,
            at_least: plan.at_least,
            exports: remedy.changes.exports.clone(),
            files: remedy.changes.patches.iter().map(FileEdits::of).collect(),
            mentions: ProposedMention::all(world, remedy),
        }
    }

    /// The table, for people, without the edits.
    #[must_use]
    pub fn table(&self) -> String {
        let several = self
            .remaps
            .iter()
            .any(|remap| remap.project != self.remaps[0].project);
        let header = ["SERVICE", "FROM", "TO", "WHY", "WRITTEN IN"].map(String::from);
        let rows = self.remaps.iter().map(|remap| {
            let service = if several {
                format!("{}/{}", remap.project, remap.service)
            } else {
                remap.service.clone()
            };
            let (from, to) = (remap.from.clone(), remap.to.clone());
            [service, from, to, remap.why.clone(), remap.place.clone()]
        });
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(rows).collect();
        let moves = (rows.len() > 1).then(|| align(&rows));
        let header = ["SERVICE", "EDIT", "WHY", "WRITTEN IN"].map(String::from);
        let rows = self.rewrites.iter().map(|it| {
            let it = it.clone();
            [it.service.unwrap_or_default(), it.what, it.rule, it.place]
        });
        let rows: Vec<[String; 4]> = std::iter::once(header).chain(rows).collect();
        let rewrites = (rows.len() > 1).then(|| align(&rows));
        let tables: Vec<String> = moves.into_iter().chain(rewrites).collect();
        tables.join("\n")
    }

    /// Where else files name the ports that move, for people; nothing if they do not.
    #[must_use]
    pub fn mentioned(&self) -> String {
        mention::block(&self.mentions)
    }

    /// What the plan leaves to people: what cannot be resolved, and what no file can hold.
    #[must_use]
    pub fn left(&self) -> String {
        let mut text = String::new();
        for unresolved in &self.unresolved {
            text += &format!("unresolved: {}\n", plain(&unresolved.message));
        }
        for (variable, value) in &self.exports {
            text += &format!("the shell sets {variable}: export {variable}={value}\n");
        }
        text
    }

    /// True if nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remaps.is_empty() && self.rewrites.is_empty() && self.unresolved.is_empty()
    }

    /// How good the plan is, in one sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let moved = counted(self.moved, "published port moves", "published ports move");
        let moved = match (self.moved, self.at_least) {
            (0, _) if !self.rewrites.is_empty() => String::new(),
            (0, _) => "nothing can be moved".to_owned(),
            (moved_count, least) if moved_count <= least => {
                format!("{moved}; no plan moves fewer")
            }
            (_, least) => format!("{moved}; {least} or more must, the search was cut short"),
        };
        let rewrites = match self.rewrites.len() as u32 {
            0 => String::new(),
            count => counted(
                count,
                "finding is resolved in place",
                "findings are resolved in place",
            ),
        };
        let parts = [moved, rewrites]
            .into_iter()
            .filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("; ")
    }
}

impl ProposedRewrite {
    /// What resolves a finding, if an edit does that moves no port.
    #[must_use]
    pub fn of(world: &World, finding: &Finding) -> Option<Self> {
        Some(Self {
            rule: finding.rule.to_owned(),
            service: finding.claims.first().map(|claim| claim.service.clone()),
            what: finding.fix.as_ref()?.rewrite.to_string(),
            place: place(world, finding),
        })
    }
}

/// Where a finding is.
fn place(world: &World, finding: &Finding) -> String {
    let Some(label) = finding.labels.first() else {
        return String::new();
    };
    let Place { file, line, column } =
        Place::of(label.span, &world.projects[label.project].sources);
    format!("{file}:{line}:{column}")
}

fn counted(count: u32, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// The entries that move, in the order of the plan.
fn remaps(world: &World, hosts: &[Allocation<'_>], plan: &Plan) -> Vec<ProposedRemap> {
    let mut at: HashMap<PublishId, (usize, usize)> = HashMap::new();
    for (host, allocation) in hosts.iter().enumerate() {
        for (claim, wanted) in allocation.claims.iter().enumerate() {
            at.entry(wanted.id).or_insert((host, claim));
        }
    }
    let mut remaps = Vec::new();
    for remap in &plan.remaps {
        let moved: Vec<PublishId> = remap.moves.iter().map(|it| it.publish).collect();
        let why = remap.why.first();
        let why = why.map(|why| why.words(hosts, &moved)).unwrap_or_default();
        for id in &moved {
            let Some((host, claim)) = at.get(id) else {
                continue;
            };
            let entry = Entry::of(world, &hosts[*host], *claim);
            // an expanded range is one entry
            if entry.first().id != *id {
                continue;
            }
            let claim = entry.first();
            let origin = OriginPlace::of(entry.origin(), &claim.project.sources);
            remaps.push(ProposedRemap {
                project: claim.project.name.clone(),
                service: claim.service.name.clone(),
                from: entry.mapping(None),
                to: entry.mapping(plan.target(entry.publishes())),
                why: why.clone(),
                place: origin.to_string(),
            });
        }
    }
    remaps
}

fn unresolved(
    world: &World,
    hosts: &[Allocation<'_>],
    stuck: &Stuck,
    remedy: &Remedy,
) -> Unresolved {
    let mut names: IndexSet<String> = IndexSet::new();
    for (id, fixed) in &stuck.fixed {
        let (_, service, publish) = id.of(&world.projects);
        let reason = match fixed {
            Fixed::Unwritable => remedy.policy.unwritable.get(id).cloned(),
            _ => None,
        };
        let reason = reason.unwrap_or_else(|| fixed.words().to_owned());
        let ports = publish.published.as_deref().unwrap_or_default();
        let words = format!("`{}` ({ports}) {reason}", service.name);
        names.insert(words);
    }
    let names: Vec<String> = names.into_iter().collect();
    let why = stuck.why.subject(world, hosts);
    Unresolved {
        message: format!("{why}; {}", listed(&names)),
    }
}

impl FileEdits {
    fn of(patch: &Patch) -> Self {
        let edits = patch.edits().iter().map(|edit| {
            let (text, hex) = match std::str::from_utf8(&edit.bytes) {
                Ok(text) if !text.contains('\0') => (text.to_owned(), false),
                _ => (hexadecimal(&edit.bytes), true),
            };
            ByteEdit {
                bytes: [edit.range.start, edit.range.end],
                text,
                hex,
            }
        });
        Self {
            file: patch.shown.clone(),
            sha256: patch
                .before
                .as_ref()
                .map(|bytes| hexadecimal(&Sha256::digest(bytes))),
            edits: edits.collect(),
        }
    }
}

impl FileEdits {
    /// The edits as a patch of the file as it is now, found from the folder `base`.
    ///
    /// # Errors
    /// In one sentence: the file is not what it was, or the edits are not of such a file.
    pub fn patch(&self, base: &Utf8Path) -> Result<Patch, String> {
        let file = &self.file;
        let path = base.join(file);
        // a link stays a link: what it leads to is replaced
        let path = path.canonicalize_utf8().unwrap_or(path);
        let before = match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("cannot read `{file}`: {}", source::reason(&error))),
        };
        let sha256 = before
            .as_ref()
            .map(|bytes| hexadecimal(&Sha256::digest(bytes)));
        if sha256 != self.sha256 {
            return Err(format!("`{file}` has changed since the plan was made"));
        }
        let edits: Option<Vec<Edit>> = self.edits.iter().map(ByteEdit::edit).collect();
        let edits = edits.ok_or_else(|| format!("the plan's edits of `{file}` are damaged"))?;
        let patch = Patch::of(path, file.clone(), Format::Yaml, before, edits);
        if patch.edits().len() < self.edits.len() {
            return Err(format!("the plan's edits of `{file}` do not fit that file"));
        }
        Ok(patch)
    }
}

impl ByteEdit {
    fn edit(&self) -> Option<Edit> {
        let bytes = if self.hex {
            let pairs = self.text.as_bytes().chunks(2);
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            pairs.map(byte).collect::<Option<Vec<u8>>>()?
        } else {
            self.text.as_bytes().to_vec()
        };
        let [start, end] = self.bytes;
        (start <= end).then_some(Edit {
            range: start..end,
            bytes,
            scope: Scope::Number,
        })
    }
}

/// Bytes as text, two digits each.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
