//! `portplan list`: every published port of every project.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

use super::place::{OriginPlace, ProblemPlace};
use crate::compose::problem::{Gravity, Problem};
use crate::compose::project::{Project, Service};
use crate::source::SourceMap;

/// What `list --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portplan list")]
pub struct List {
    /// The version of this form: 1.
    pub version: u32,
    /// The projects, in the order they were named or found.
    pub projects: Vec<ListedProject>,
    /// What makes ports wrong or unknown.
    pub errors: Vec<ProblemPlace>,
}

/// A project.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedProject {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the working directory.
    #[schemars(with = "String")]
    pub directory: Utf8PathBuf,
    /// Its files, relative to the working directory.
    #[schemars(with = "Vec<String>")]
    pub files: Vec<Utf8PathBuf>,
    /// Its services by name.
    pub services: Vec<ListedService>,
    /// Its published ports, by service, in Compose's order.
    pub ports: Vec<ListedPort>,
    /// Variables that nobody set and that became blank.
    pub unset: Vec<String>,
    /// What Compose would refuse or complain of although the ports are known.
    pub notices: Vec<ProblemPlace>,
}

/// A service.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedService {
    /// Its name.
    pub service: String,
    /// `network_mode`
    pub network_mode: Option<String>,
    /// `scale`, or `deploy.replicas`.
    pub replicas: Option<i64>,
    /// The profiles it is in.
    pub profiles: Vec<String>,
    /// `deploy.mode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_mode: Option<String>,
    /// `container_name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// The type of its `provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// A published port.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedPort {
    /// The service that publishes it.
    pub service: String,
    /// The port inside the container.
    pub target: Option<u32>,
    /// The host port or range as Compose gives it; null lets the engine choose.
    pub published: Option<String>,
    /// The host's address; null is every address.
    pub host_ip: Option<String>,
    /// The protocol.
    pub protocol: Option<String>,
    /// `ingress` or `host`; read by Swarm only.
    pub mode: Option<String>,
    /// The service's replicas.
    pub replicas: Option<i64>,
    /// The service's network mode.
    pub network_mode: Option<String>,
    /// The service's profiles.
    pub profiles: Vec<String>,
    /// `name` of long syntax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `app_protocol` of long syntax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
    /// Where the number is written.
    pub origin: OriginPlace,
}

impl List {
    /// The list of some projects, of each the services that are or may be on; `problems` stood in
    /// the way of finding more.
    #[must_use]
    pub fn of(projects: &[Project], problems: &[Problem]) -> Self {
        let unfound = problems
            .iter()
            .map(|problem| ProblemPlace::of(problem, &SourceMap::new()));
        let errors = projects.iter().flat_map(|project| {
            let errors = project.problems.iter();
            let errors = errors.filter(|problem| problem.gravity == Gravity::Error);
            errors.map(|problem| ProblemPlace::of(problem, &project.sources))
        });
        Self {
            version: 1,
            projects: projects.iter().map(ListedProject::of).collect(),
            errors: unfound.chain(errors).collect(),
        }
    }
}

impl ListedProject {
    fn of(project: &Project) -> Self {
        let services: Vec<&Service> = project
            .services
            .iter()
            .filter(|service| project.profiles.may_enable(&service.profiles))
            .collect();
        let notices = project.problems.iter();
        let notices = notices.filter(|problem| problem.gravity == Gravity::Notice);
        Self {
            name: project.name.clone(),
            directory: project.directory.clone(),
            files: project.files.clone(),
            ports: services
                .iter()
                .flat_map(|service| ports(service, project))
                .collect(),
            services: services
                .iter()
                .map(|service| ListedService::of(service))
                .collect(),
            unset: project.unset.iter().cloned().collect(),
            notices: notices
                .map(|problem| ProblemPlace::of(problem, &project.sources))
                .collect(),
        }
    }
}

fn mode(service: &Service) -> Option<String> {
    service.network_mode.as_ref().map(|(mode, _)| mode.clone())
}

/// The published ports of a service, in Compose's order.
pub(crate) fn ports<'a>(
    service: &'a Service,
    project: &'a Project,
) -> impl Iterator<Item = ListedPort> + 'a {
    service.ports.iter().map(|publish| ListedPort {
        service: service.name.clone(),
        target: publish.target,
        published: publish.published.clone(),
        host_ip: publish.host_ip.clone(),
        protocol: publish.protocol.clone(),
        mode: publish.mode.clone(),
        replicas: service.replicas,
        network_mode: mode(service),
        profiles: service.profiles.clone(),
        name: publish.name.clone(),
        app_protocol: publish.app_protocol.clone(),
        origin: OriginPlace::of(&publish.origin, &project.sources),
    })
}

impl ListedService {
    fn of(service: &Service) -> Self {
        Self {
            service: service.name.clone(),
            network_mode: mode(service),
            replicas: service.replicas,
            profiles: service.profiles.clone(),
            deploy_mode: service.deploy_mode.clone(),
            container_name: service.container_name.clone(),
            provider: service.provider.clone(),
        }
    }
}
