//! The model: a project's services, the ports they publish, and what decides about them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::document::Template;
use super::environment::Environment;
use super::interpolate::{Lookup as _, interpolate};
use super::load::{Loader, Parsed};
use super::port::{Origin, Publish};
use super::problem::{Gravity, Kind, Problem};
use super::profiles::Profiles;
use super::text::{Text, Written};
use super::{checks, relations, service};
use crate::engine::container::Container;
use crate::source::{Files, SourceMap};
use crate::span::{FileId, Span};
use crate::yaml::Node;

/// Which project to read, in the terms of `docker compose`'s flags.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`: the files, relative to the working directory; `-` is standard input.
    pub files: Vec<Utf8PathBuf>,
    /// The [`files`](Self::files) are what Compose finds by itself in their folder.
    pub found: bool,
    /// `--project-directory`
    pub project_directory: Option<Utf8PathBuf>,
    /// `-p`
    pub project_name: Option<String>,
    /// `--env-file`
    pub env_files: Vec<Utf8PathBuf>,
    /// `--profile`
    pub profiles: Vec<String>,
    /// `--scale SERVICE=N`
    pub scale: BTreeMap<String, u32>,
    /// Whether to look for a compose file in the folders above, too.
    pub search_parents: bool,
    /// Read as `docker stack deploy` reads: variables come from the shell alone.
    pub stack: bool,
}

/// A project as Compose would load it, with the place of every port.
#[derive(Debug)]
pub struct Project {
    /// The name containers get.
    pub name: String,
    /// The project's folder, as shown.
    pub directory: Utf8PathBuf,
    /// The project's folder, from the root.
    pub root: Utf8PathBuf,
    /// The files it was asked for, as shown.
    pub files: Vec<Utf8PathBuf>,
    /// Compose finds these files by itself: it would lay an override file beside them over them.
    pub found: bool,
    /// The texts of these, and of all that they pulled in.
    pub sources: SourceMap,
    /// Which of these are env files.
    pub env_files: BTreeSet<FileId>,
    /// The documents of its files, each laid over those before it.
    pub layers: Vec<Span>,
    /// The services by name, those in profiles that are off as well.
    pub services: Vec<Service>,
    /// The networks the project defines, by the name its services use.
    pub networks: BTreeMap<String, Network>,
    /// The profiles that the flags or `COMPOSE_PROFILES` turn on.
    pub profiles: Profiles,
    /// Variables that nobody set and that became blank.
    pub unset: BTreeSet<String>,
    /// The strings of all files that refer to variables, in the order they were read.
    pub templates: Vec<Template>,
    /// What was wrong or had to be assumed.
    pub problems: Vec<Problem>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The bytes of its key, where it is first defined.
    pub key: Span,
    /// `image`
    pub image: Option<String>,
    /// `network_mode`, with its place.
    pub network_mode: Option<(String, Span)>,
    /// `scale`, or `deploy.replicas`; `None` is one container.
    pub replicas: Option<i64>,
    /// Where the number of replicas is written.
    pub replicas_at: Option<Span>,
    /// The profiles it is in; without any it is always on.
    pub profiles: Vec<String>,
    /// `deploy.mode`
    pub deploy_mode: Option<String>,
    /// `container_name`
    pub container_name: Option<String>,
    /// The type of its `provider`; such a service has no container.
    pub provider: Option<String>,
    /// The networks it is in; none is `default`.
    pub networks: Vec<String>,
    /// Its published ports, in Compose's order.
    pub ports: Vec<Publish>,
}

/// What of a network decides where ports are bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The name on the engine, where it is not made from the project's and its own.
    pub name: Option<String>,
    /// `driver`; `bridge` where none is given.
    pub driver: Option<String>,
    /// `internal: true`
    pub internal: bool,
    /// `enable_ipv4`, where given.
    pub enable_ipv4: Option<bool>,
    /// `enable_ipv6`, where given.
    pub enable_ipv6: Option<bool>,
    /// `driver_opts`
    pub driver_opts: BTreeMap<String, String>,
    /// True of a network that exists apart from the project: nothing else is known of it.
    pub external: bool,
}

/// Names one publish of some projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishId {
    /// The index of the project.
    pub project: usize,
    /// The index of the service in [`Project::services`].
    pub service: usize,
    /// The index of the publish in [`Service::ports`].
    pub port: usize,
}

impl PublishId {
    /// The publish of that name.
    ///
    /// # Panics
    /// If `projects` are not those that the name was made for.
    #[must_use]
    pub fn of(self, projects: &[Project]) -> (&Project, &Service, &Publish) {
        let project = &projects[self.project];
        let service = &project.services[self.service];
        (project, service, &service.ports[self.port])
    }
}

impl Service {
    /// How many containers it runs: 1 unless it says otherwise, none if it says less.
    #[must_use]
    pub fn copies(&self) -> u32 {
        let replicas = self.replicas.unwrap_or(1).max(0);
        u32::try_from(replicas).unwrap_or(u32::MAX)
    }
}

impl Project {
    /// Reads a project as Compose would with this request and this shell environment.
    ///
    /// What is wrong is in [`problems`](Self::problems); the ports that are known in spite of it
    /// are in [`services`](Self::services).
    pub fn load(
        request: &Request,
        shell: &Environment,
        cwd: &Utf8Path,
        files: &dyn Files,
        stdin: Option<&[u8]>,
    ) -> Self {
        let mut loader = Loader::new(files, cwd);
        let Some(found) = loader.discover(request, shell) else {
            return Self::unread(loader, request);
        };
        let mut environment = found.environment;
        let by_itself = request.found || found.by_itself;
        let parsed = loader.parse_all(&found.files, stdin);
        let name = name(
            &mut loader,
            request,
            &environment,
            &found.directory,
            &parsed,
        );
        let variable = "COMPOSE_PROJECT_NAME";
        let written = Written::Shell {
            variable: variable.into(),
        };
        environment.set(variable, Text::written(&*name, written));

        let directory = found.directory.clone();
        let profiles = Profiles::of(&request.profiles, environment.lookup("COMPOSE_PROFILES"));
        let scope = loader.scope(environment, directory.clone(), directory);
        let tree = loader.model(&parsed, &scope, &[]);
        let whole = parsed.len() == found.files.len();
        // what is no mapping has been told
        let told = loader
            .problems
            .iter()
            .any(|it| it.gravity == Gravity::Error);
        if whole
            && !told
            && tree
                .as_mapping()
                .is_some_and(crate::yaml::Mapping::is_empty)
        {
            let file = found
                .files
                .last()
                .map(|path| loader.shown(path))
                .unwrap_or_default();
            loader.problems.push(
                Problem::error(Kind::File, format!("`{file}` is empty"))
                    .of(file)
                    .help("a compose file has the key `services`"),
            );
        }
        let mut services = service::read_all(&tree, &mut loader);
        for service in &mut services {
            if let Some(count) = request.scale.get(&service.name) {
                service.replicas = Some((*count).into());
                service.replicas_at = None;
            }
        }
        let networks = service::read_networks(&tree, &mut loader);
        checks::check(
            &tree,
            &services,
            &networks,
            &request.scale,
            &found.directory,
            &mut loader,
        );
        relations::check(&tree, &services, &profiles, &mut loader.problems);
        let mut project = Self {
            name,
            directory: loader.shown(&found.directory),
            root: found.directory.clone(),
            files: found.files.iter().map(|path| loader.shown(path)).collect(),
            found: by_itself,
            layers: parsed
                .iter()
                .flat_map(|file| &file.documents)
                .map(|root| root.span)
                .collect(),
            services,
            networks,
            profiles,
            ..Self::unread(loader, request)
        };
        project.settle();
        project
    }

    fn unread(loader: Loader<'_>, request: &Request) -> Self {
        Self {
            name: request.project_name.clone().unwrap_or_default(),
            directory: ".".into(),
            root: loader.cwd.to_owned(),
            files: request.files.clone(),
            found: false,
            sources: loader.sources,
            layers: Vec::new(),
            services: Vec::new(),
            networks: BTreeMap::new(),
            profiles: Profiles::default(),
            unset: loader.unset,
            templates: loader.templates,
            env_files: loader.env_files,
            problems: loader.problems,
        }
    }

    /// One problem is told once, in the order of the files.
    fn settle(&mut self) {
        let mut problems = std::mem::take(&mut self.problems);
        let place = |problem: &Problem| problem.labels.first().map(|(span, _)| *span);
        problems
            .sort_by(|a, b| (place(a), a.kind, &a.message).cmp(&(place(b), b.kind, &b.message)));
        problems.dedup();
        self.problems = problems;
    }

    /// Whether starting the project replaces a container: one of a service that it has, whatever
    /// folder the container was made from. Orphans and one-off containers stay.
    #[must_use]
    pub fn replaces(&self, container: &Container) -> bool {
        let labels = container.compose.as_ref();
        container.belongs_to(&self.name)
            && labels.is_some_and(|labels| {
                self.services
                    .iter()
                    .any(|service| service.name == labels.service)
            })
    }

    /// Which of the [`layers`](Self::layers) publishes a port; `None` if an included or extended
    /// file does.
    #[must_use]
    pub fn layer_of(&self, origin: &Origin) -> Option<usize> {
        let at = origin.trail.first().map_or(origin.entry, |step| step.span);
        let holds =
            |layer: &Span| layer.file == at.file && layer.start <= at.start && at.end <= layer.end;
        self.layers.iter().position(holds)
    }

    /// The services that are on with the project's profiles.
    ///
    /// Where nobody chose profiles, these are the services in none.
    pub fn active(&self) -> impl Iterator<Item = &Service> {
        self.services
            .iter()
            .filter(|service| self.profiles.enable(&service.profiles))
    }
}

/// The project's name: `-p`, `COMPOSE_PROJECT_NAME`, the last `name:`, the folder's.
fn name(
    loader: &mut Loader<'_>,
    request: &Request,
    environment: &Environment,
    directory: &Utf8Path,
    parsed: &[Parsed],
) -> String {
    let variable = environment.lookup("COMPOSE_PROJECT_NAME").map(Text::value);
    let given = request
        .project_name
        .as_deref()
        .or(variable)
        .filter(|name| !name.is_empty());
    if let Some(name) = given {
        if normal(name) != name {
            loader.problems.push(
                Problem::notice(Kind::Name, format!("`{name}` cannot be a project name"))
                    .help("use lower-case letters, digits, `-` and `_`, a letter or digit first"),
            );
        }
        return name.to_owned();
    }
    let written = parsed.iter().flat_map(|file| &file.documents);
    let mut written = written
        .filter_map(|root| root.get("name"))
        .filter(|node| node.as_str().is_some_and(|name| !name.is_empty()));
    let folder = normal(directory.file_name().unwrap_or_default());
    let name = match written.next_back() {
        Some(node) => written_name(loader, node, environment),
        None => folder.clone(),
    };
    if name.is_empty() {
        loader.problems.push(
            Problem::notice(Kind::Name, "the project has no name")
                .of(loader.shown(directory))
                .help(
                    "Compose makes it from the folder's name, which has no letter from a to z and \
                 no digit: give one with `name:` or -p",
                ),
        );
    }
    name
}

fn written_name(loader: &mut Loader<'_>, node: &Node, environment: &Environment) -> String {
    let template = node.to_text(&loader.sources).unwrap_or_default();
    // what is wrong with it is reported when the document is read
    let text = interpolate(&template, environment, &mut BTreeSet::new());
    text.map_or_else(|_| String::new(), |text| normal(text.value()))
}

/// Compose's form of a project name: lower case, other characters dropped, none of `_-` first.
fn normal(name: &str) -> String {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(*c);
    let kept: String = name.to_lowercase().chars().filter(allowed).collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}
