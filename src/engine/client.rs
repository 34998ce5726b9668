//! The talk with an engine, within a time limit.

use std::future::Future;
use std::time::Duration;

use bollard::models::{
    ContainerInspectResponse, ContainerSummary, Network, Service, SystemInfo, SystemVersion,
};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptions, ListNetworksOptions, ListServicesOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::future::try_join4;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::endpoint::{Address, Endpoint, Tls};
use super::error::{EngineError, Failure};
use super::read;
use super::snapshot::Snapshot;

/// How many containers are looked at side by side.
const CONCURRENT_REQUESTS: usize = 16;

/// The same over `ssh`: each is a log-in, of which sshd takes only ten at a time (`MaxStartups`).
const CONCURRENT_LOGINS: usize = 4;

/// How long an engine may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For one answer, the connection included.
    pub request: Duration,
    /// For all of a snapshot.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(3),
            total: Duration::from_secs(15),
        }
    }
}

/// Reads the state of an engine; changes nothing there. Blocks, at most for `limits.total`.
///
/// Not to be called from within an asynchronous runtime.
///
/// # Errors
/// When the engine cannot be reached or its answers cannot be used.
pub fn observe(endpoint: &Endpoint, limits: Limits) -> Result<Snapshot, EngineError> {
    let failed = |failure| EngineError {
        endpoint: Box::new(endpoint.clone()),
        failure,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(Failure::Unreachable(error.to_string())))?;
    let observed = runtime.block_on(async {
        tokio::time::timeout(limits.total, snapshot(endpoint, limits))
            .await
            .unwrap_or(Err(Failure::TimedOut(limits.total)))
    });
    // A name being looked up cannot be cancelled, and must not be waited for.
    runtime.shutdown_background();
    observed.map_err(failed)
}

async fn snapshot(endpoint: &Endpoint, limits: Limits) -> Result<Snapshot, Failure> {
    let client = Client::connect(endpoint, limits).await?;
    let answers = client.ask_all().await?;
    read::snapshot(endpoint, &answers)
}

/// Everything an engine was asked.
pub(super) struct Answers {
    pub version: SystemVersion,
    pub info: SystemInfo,
    pub networks: Vec<Network>,
    /// The containers as listed; those without a process with what only a closer look shows.
    pub containers: Vec<(ContainerSummary, Option<ContainerInspectResponse>)>,
    /// None if the engine is no manager of a swarm.
    pub services: Option<Vec<Service>>,
}

struct Client<'a> {
    docker: Docker,
    endpoint: &'a Endpoint,
    limit: Duration,
}

impl<'a> Client<'a> {
    async fn connect(endpoint: &'a Endpoint, limits: Limits) -> Result<Self, Failure> {
        let limit = limits.request.min(limits.total);
        let client = Self {
            docker: docker(endpoint, limit)?,
            endpoint,
            limit,
        };
        let docker = client
            .ask(client.docker.clone().negotiate_version())
            .await?;
        Ok(Self { docker, ..client })
    }

    /// One answer within the limit. The library's own time-out covers the head of it only.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.limit, answer).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error, self.endpoint, self.limit)),
            Err(_) => Err(Failure::TimedOut(self.limit)),
        }
    }

    async fn ask_all(&self) -> Result<Answers, Failure> {
        let every_state = ListContainersOptions {
            all: true,
            ..Default::default()
        };
        let (version, info, networks, listed) = try_join4(
            self.ask(self.docker.version()),
            self.ask(self.docker.info()),
            self.ask(self.docker.list_networks(None::<ListNetworksOptions>)),
            self.ask(self.docker.list_containers(Some(every_state))),
        )
        .await?;
        let services = match read::is_manager(&info) {
            true => {
                let services = self.docker.list_services(None::<ListServicesOptions>);
                Some(self.ask(services).await?)
            }
            false => None,
        };
        let concurrent = match self.endpoint.address {
            Address::Ssh(_) => CONCURRENT_LOGINS,
            _ => CONCURRENT_REQUESTS,
        };
        let containers: Vec<_> = stream::iter(listed)
            .map(|summary| self.look_closer(summary))
            .buffer_unordered(concurrent)
            .try_collect()
            .await?;
        Ok(Answers {
            version,
            info,
            networks,
            containers: containers.into_iter().flatten().collect(),
            services,
        })
    }

    /// Adds what the list does not tell of a container without a process; none if it is gone by
    /// now.
    async fn look_closer(
        &self,
        summary: ContainerSummary,
    ) -> Result<Option<(ContainerSummary, Option<ContainerInspectResponse>)>, Failure> {
        let id = match &summary.id {
            Some(id) if !read::state(&summary)?.has_process() => id.clone(),
            _ => return Ok(Some((summary, None))),
        };
        // It becomes a part of the request's path.
        if !id.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Failure::value("the container identifier", id));
        }
        let inspect = self
            .docker
            .inspect_container(&id, None::<InspectContainerOptions>);
        match self.ask(inspect).await {
            Ok(details) => Ok(Some((summary, Some(details)))),
            Err(Failure::Status { status: 404, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// A client for the endpoint; connects with the first request.
fn docker(endpoint: &Endpoint, limit: Duration) -> Result<Docker, Failure> {
    let failed = |error| Failure::of(&error, endpoint, limit);
    // Whole seconds: it must not come before our own limit.
    let seconds = limit.as_secs() + 1;
    match &endpoint.address {
        #[cfg(unix)]
        Address::Unix(path) => {
            // The library takes a socket in a closed folder for one that is not there.
            if let Err(error) = std::fs::metadata(path) {
                return Err(failed(error.into()));
            }
            Docker::connect_with_unix(path.as_str(), seconds, API_DEFAULT_VERSION).map_err(failed)
        }
        #[cfg(windows)]
        Address::NamedPipe(path) => {
            Docker::connect_with_named_pipe(path, seconds, API_DEFAULT_VERSION).map_err(failed)
        }
        #[cfg(not(unix))]
        Address::Unix(_) => Err(Failure::NotBuiltIn(
            "Unix sockets do not exist on this system",
        )),
        #[cfg(not(windows))]
        Address::NamedPipe(_) => Err(Failure::NotBuiltIn("named pipes exist on Windows only")),
        Address::Tcp {
            authority,
            tls: Tls::Off,
        } => Docker::connect_with_http(authority, seconds, API_DEFAULT_VERSION).map_err(failed),
        Address::Tcp {
            tls: Tls::Unverified,
            ..
        } => Err(Failure::NotBuiltIn(
            "TLS without checking the certificate (SkipTLSVerify, DOCKER_TLS)",
        )),
        #[cfg(feature = "tls")]
        Address::Tcp {
            authority,
            tls: Tls::Verified(folder),
        } => {
            let [key, cert, ca] = ["key.pem", "cert.pem", "ca.pem"].map(|file| folder.join(file));
            Docker::connect_with_ssl(
                authority,
                key.as_std_path(),
                cert.as_std_path(),
                ca.as_std_path(),
                seconds,
                API_DEFAULT_VERSION,
            )
            .map_err(failed)
        }
        #[cfg(not(feature = "tls"))]
        Address::Tcp {
            tls: Tls::Verified(_),
            ..
        } => Err(Failure::NotBuiltIn("TLS needs the feature `tls`")),
        // The library hands `host:port` to `ssh` as if it were a name.
        #[cfg(feature = "ssh")]
        Address::Ssh(destination) if destination.contains(':') => Err(Failure::NotBuiltIn(
            "a port or an IPv6 address in ssh://; name the host in ~/.ssh/config",
        )),
        #[cfg(feature = "ssh")]
        Address::Ssh(destination) => {
            Docker::connect_with_ssh(destination, seconds, API_DEFAULT_VERSION, None)
                .map_err(failed)
        }
        #[cfg(not(feature = "ssh"))]
        Address::Ssh(_) => Err(Failure::NotBuiltIn("ssh:// needs the feature `ssh`")),
    }
}
