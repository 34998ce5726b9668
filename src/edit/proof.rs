//! Changes laid over the files and read again: only what was meant to differ may.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter;

use camino::{Utf8Path, Utf8PathBuf};

use super::patch::{Format, Patch};
use super::second;
use super::{Changes, Effect, Workspace};
use crate::compose::dotenv::{self, Variables};
use crate::compose::environment::Environment;
use crate::compose::port::Publish;
use crate::compose::project::{Project, Service};
use crate::plan::{Move, PublishId};
use crate::source::{FileKind, Files, SourceFile, join};
use crate::span::{FileId, Span};

/// What changes would do that nobody asked for. It is a mistake of portplan; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the changes would do more than they should, so nothing was written: {}", .0.join("; "))]
pub struct Disproof(pub Vec<String>);

/// Those of some edits that do not hold by themselves, found by halves.
pub fn failing<'e, E>(
    edits: &'e [E],
    prove: &dyn Fn(&[E]) -> Result<(), Disproof>,
) -> Vec<(&'e E, Disproof)> {
    let Err(disproof) = prove(edits) else {
        return Vec::new();
    };
    if let [one] = edits {
        return vec![(one, disproof)];
    }
    let (first, rest) = edits.split_at(edits.len() / 2);
    let mut bad = failing(first, prove);
    bad.extend(failing(rest, prove));
    bad
}

/// Files with patches laid over them.
pub(super) struct Overlay<'a> {
    files: &'a dyn Files,
    patched: HashMap<&'a Utf8Path, Vec<u8>>,
}

impl<'a> Overlay<'a> {
    pub fn of(workspace: &Workspace<'a>, patches: &'a [Patch]) -> Self {
        let patches = patches.iter();
        Self {
            files: workspace.files,
            patched: patches
                .map(|patch| (&*patch.path, patch.new_bytes()))
                .collect(),
        }
    }
}

impl Files for Overlay<'_> {
    fn read(&self, path: &Utf8Path) -> std::io::Result<Vec<u8>> {
        match self.patched.get(&*self.files.real(path)) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.files.read(path),
        }
    }

    fn kind(&self, path: &Utf8Path) -> Option<FileKind> {
        match self.patched.contains_key(&*self.files.real(path)) {
            true => Some(FileKind::File),
            false => self.files.kind(path),
        }
    }

    fn real(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.files.real(path)
    }
}

pub(super) fn prove(
    workspace: &Workspace<'_>,
    moves: &[Move],
    changes: &Changes,
    explains: &dyn Fn(&str, &str) -> bool,
) -> Result<(), Disproof> {
    let overlay = Overlay::of(workspace, &changes.patches);
    let mut reading = workspace.reading.clone();
    for (variable, value) in &changes.exports {
        reading.shell.export(variable, value);
    }
    let mut created: BTreeMap<usize, &Utf8Path> = BTreeMap::new();
    for (index, project) in workspace.projects.iter().enumerate() {
        let new = |patch: &&Patch| {
            let is_new = patch.before.is_none() && patch.format == Format::Yaml;
            is_new && project.files.first().and_then(|file| file.parent()) == patch.shown.parent()
        };
        let over = changes.patches.iter().find(new).filter(|_| project.found);
        if let Some(patch) = over {
            created.insert(index, &patch.shown);
            if let Some(request) = reading.requests.get_mut(index)
                && request.found
            {
                request.files.push(patch.shown.clone());
            }
        }
    }
    let touched = touched(workspace, changes);
    let requests = reading.requests.into_iter().zip(&touched);
    reading.requests = requests
        .filter_map(|(request, touched)| touched.then_some(request))
        .collect();
    let after = reading.load(&overlay);
    let refused: BTreeSet<_> = changes
        .refusals
        .iter()
        .map(|refusal| refusal.publish)
        .collect();
    let moves: HashMap<_, _> = moves
        .iter()
        .filter(|one| !refused.contains(&one.publish))
        .map(|one| (one.publish, one))
        .collect();

    let effects = changes.effects.values();
    let defaults = effects.filter_map(|effect| match effect {
        Effect::Default(variable, _) => Some(variable.as_str()),
        _ => None,
    });
    let defaults: BTreeSet<&str> = defaults.collect();
    let mut proof = Proof::default();
    let before = workspace.projects.iter().enumerate();
    let before: Vec<_> = before.filter(|(index, _)| touched[*index]).collect();
    if after.len() != before.len() || moves.keys().any(|id| !touched[id.project]) {
        proof.differ("the projects are not the same");
    }
    for ((index, old), new) in before.into_iter().zip(&after) {
        let becomes = |service, port| {
            let id = PublishId {
                project: index,
                service,
                port,
            };
            let moved = moves
                .get(&id)
                .map(|one| Effect::Published(one.to.to_string()));
            moved.or_else(|| changes.effects.get(&id).cloned())
        };
        let mut files = old.files.clone();
        files.extend(created.get(&index).map(|path| path.to_path_buf()));
        proof.equal(&files, &new.files, || {
            format!("project `{}`: its files", old.name)
        });
        proof.project(old, new, &becomes, &defaults);
        proof.templates(old, new, explains);
    }
    for patch in &changes.patches {
        let result = match patch.format {
            Format::Yaml => second::compare(patch),
            Format::Env => env_file(patch, &reading.shell),
        };
        if let Err(difference) = result {
            proof.differ(difference);
        }
    }
    proof.result()
}

/// By project, whether it is made of a file that changes. All may be that will find a new file or
/// another shell.
fn touched(workspace: &Workspace<'_>, changes: &Changes) -> Vec<bool> {
    let created = changes.patches.iter().any(|patch| patch.before.is_none());
    let all = created || !changes.exports.is_empty();
    let patched: BTreeSet<&Utf8Path> = changes.patches.iter().map(|patch| &*patch.path).collect();
    let is_patched = |file: &SourceFile| {
        let path = join(&workspace.reading.cwd, file.path());
        patched.contains(&*workspace.files.real(&path))
    };
    let projects = workspace.projects.iter();
    projects
        .map(|project| all || project.sources.files().iter().any(is_patched))
        .collect()
}

/// What is not as it should be.
#[derive(Default)]
pub(super) struct Proof {
    pub differences: Vec<String>,
}

impl Proof {
    pub fn result(self) -> Result<(), Disproof> {
        match self.differences.is_empty() {
            true => Ok(()),
            false => Err(Disproof(self.differences)),
        }
    }

    pub fn differ(&mut self, what: impl Into<String>) {
        self.differences.push(what.into());
    }

    fn equal<T: PartialEq>(&mut self, old: &T, new: &T, what: impl FnOnce() -> String) {
        if old != new {
            self.differ(what());
        }
    }

    /// All but the values of strings; `defaults` are variables that may have one now.
    pub fn project(
        &mut self,
        old: &Project,
        new: &Project,
        becomes: &dyn Fn(usize, usize) -> Option<Effect>,
        defaults: &BTreeSet<&str>,
    ) {
        let name = &old.name;
        let say = |what: &str| format!("project `{name}`: {what}");
        self.equal(&old.name, &new.name, || say("its name"));
        self.equal(&old.root, &new.root, || say("its folder"));
        self.equal(&old.networks, &new.networks, || say("its networks"));
        self.equal(&old.profiles, &new.profiles, || say("its profiles"));
        let still = |name: &&String| !defaults.contains(name.as_str()) || new.unset.contains(*name);
        let unset: BTreeSet<String> = old.unset.iter().filter(still).cloned().collect();
        self.equal(&unset, &new.unset, || say("its unset variables"));
        self.equal(&problems(old), &problems(new), || {
            say("what is wrong with it")
        });
        self.equal(&names(old), &names(new), || say("its services"));
        let services = old.services.iter().zip(&new.services).enumerate();
        for (index, (old, new)) in services {
            let say = |what: &str| format!("service `{}` of project `{name}`: {what}", old.name);
            self.equal(&settings(old), &settings(new), || say("its settings"));
            let ports = old.ports.iter().enumerate();
            let expected = ports.filter_map(|(port, old)| fields(old, becomes(index, port)));
            let mut expected: Vec<_> = expected.collect();
            let found = new.ports.iter().filter_map(|publish| fields(publish, None));
            let mut found: Vec<_> = found.collect();
            // a list that replaces those before it has an order of its own
            if expected.len() < old.ports.len() {
                expected.sort();
                found.sort();
            }
            if expected != found {
                self.differ(say(&format!(
                    "its ports are {}, not {}",
                    shown(&found),
                    shown(&expected)
                )));
            }
        }
    }

    /// The strings that name variables mean what they meant.
    fn templates(&mut self, old: &Project, new: &Project, explains: &dyn Fn(&str, &str) -> bool) {
        // what the entries of ports mean has been compared
        let (old_all, old_rest) = (templates(old, false), templates(old, true));
        let (new_all, new_rest) = (templates(new, false), templates(new, true));
        for (file, value) in old_rest.difference(&new_all) {
            let becomes = |(other, new): &(&Utf8Path, &str)| other == file && explains(value, new);
            if !new_all.iter().any(becomes) {
                self.differ(format!("{file}: a value is `{value}` no more"));
            }
        }
        for (file, value) in new_rest.difference(&old_all) {
            let was = |(other, old): &(&Utf8Path, &str)| other == file && explains(old, value);
            if !old_all.iter().any(was) {
                self.differ(format!("{file}: a value becomes `{value}`"));
            }
        }
    }
}

/// What the strings that name variables mean, by file; those in entries of ports only if asked.
fn templates(project: &Project, without_ports: bool) -> BTreeSet<(&Utf8Path, &str)> {
    let path = |span: Span| project.sources.file(span.file).path();
    let publishes = project.services.iter().flat_map(|service| &service.ports);
    let origins =
        publishes.flat_map(|publish| iter::once(&publish.origin).chain(&publish.replaces));
    let entries: BTreeSet<_> = origins
        .map(|origin| (path(origin.entry), origin.entry.start, origin.entry.end))
        .collect();
    let in_entry = |span: Span| {
        let mut before = entries.range(..=(path(span), span.start, u32::MAX)).rev();
        before
            .next()
            .is_some_and(|(file, _, end)| *file == path(span) && span.end <= *end)
    };
    project
        .templates
        .iter()
        .filter(|template| !(without_ports && in_entry(template.span)))
        .map(|template| (path(template.span), template.value.value()))
        .collect()
}

type Fields = (Option<u32>, Option<String>, [Option<String>; 5]);

/// A publish without its place, as an edit makes it; nothing if it goes.
fn fields(publish: &Publish, effect: Option<Effect>) -> Option<Fields> {
    let mut publish = publish.clone();
    match effect {
        None => {}
        Some(Effect::Published(ports) | Effect::Default(_, ports)) => {
            publish.published = Some(ports);
        }
        Some(Effect::HostIp(ip)) => publish.host_ip = Some(ip),
        Some(Effect::Gone) => return None,
    }
    Some((
        publish.target,
        publish.published,
        [
            publish.host_ip,
            publish.protocol,
            publish.mode,
            publish.name,
            publish.app_protocol,
        ],
    ))
}

/// Publishes as people write them.
fn shown(ports: &[Fields]) -> String {
    let one = |(target, published, [host_ip, protocol, ..]): &Fields| {
        let target = target.map_or_else(String::new, |target| target.to_string());
        let parts = [host_ip.clone(), published.clone(), Some(target)];
        let mapping: Vec<String> = parts.into_iter().flatten().collect();
        let protocol = protocol.as_deref().filter(|it| *it != "tcp");
        let protocol = protocol.map_or_else(String::new, |it| format!("/{it}"));
        mapping.join(":") + &protocol
    };
    let ports: Vec<String> = ports.iter().map(one).collect();
    format!("[{}]", ports.join(", "))
}

/// What a service has apart from ports and places.
fn settings(service: &Service) -> impl PartialEq + use<> {
    let service = service.clone();
    (
        service.network_mode.map(|(mode, _)| mode),
        service.replicas,
        service.profiles,
        service.deploy_mode,
        service.container_name,
        service.provider,
        service.networks,
    )
}

fn names(project: &Project) -> Vec<&str> {
    project
        .services
        .iter()
        .map(|service| &*service.name)
        .collect()
}

fn problems(project: &Project) -> Vec<(crate::compose::problem::Kind, &str)> {
    let mut problems: Vec<_> = project
        .problems
        .iter()
        .map(|problem| (problem.kind, &*problem.message))
        .collect();
    problems.sort_unstable();
    problems
}

/// All variables of an env file but those edited keep their values.
fn env_file(patch: &Patch, shell: &Environment) -> Result<(), String> {
    let old = variables(patch, patch.old().to_vec(), shell)?;
    let new = variables(patch, patch.new_bytes(), shell)?;
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let value =
        |variables: &Variables, name: &str| variables.get(name).map(|text| text.value().to_owned());
    let changed: Vec<_> = names
        .into_iter()
        .filter(|name| value(&old, name) != value(&new, name))
        .collect();
    if changed.len() > patch.edits().len() {
        return Err(format!(
            "{}: more variables change than are edited: {changed:?}",
            patch.shown
        ));
    }
    Ok(())
}

/// The variables of an env file that has these bytes.
pub(super) fn variables(
    patch: &Patch,
    bytes: Vec<u8>,
    shell: &Environment,
) -> Result<Variables, String> {
    let file = SourceFile::decode_bytes(&*patch.shown, bytes).map_err(|error| error.to_string())?;
    let mut variables = BTreeMap::new();
    dotenv::parse(
        &file,
        FileId::default(),
        shell,
        &mut variables,
        &mut BTreeSet::new(),
    )
    .map_err(|error| format!("{}: {error}", patch.shown))?;
    Ok(variables)
}
