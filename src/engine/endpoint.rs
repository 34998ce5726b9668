//! Which engine: what the docker command line would talk to, then what else may be there.
//!
//! The order is the docker CLI's (`resolveContextName` in docker/cli `cli/command/cli.go`):
//! `--context`, `--host`, `DOCKER_HOST`, `DOCKER_CONTEXT`, `currentContext` of the configuration
//! file, the default socket. Only where nothing of all that is set and the default socket is
//! absent, the sockets of rootless Docker and of Podman are looked for.

use std::fmt;
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The socket of Docker as it is installed on this system.
const DEFAULT_ADDRESS: &str = if cfg!(windows) {
    "npipe:////./pipe/docker_engine"
} else {
    "unix:///var/run/docker.sock"
};

/// The name that means: no context.
const DEFAULT_CONTEXT: &str = "default";

/// An engine's address and how it came to be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the engine listens.
    pub address: Address,
    /// Who named it.
    pub source: Source,
}

impl Endpoint {
    /// True if published ports are, as far as the address tells, ports of this machine.
    ///
    /// A local socket may still lead into a virtual machine (Docker Desktop) or through a tunnel.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Unix(_) | Address::NamedPipe(_) => true,
            Address::Tcp { authority, .. } => {
                let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
                host == "localhost" || host == "[::1]" || host.starts_with("127.")
            }
            Address::Ssh(_) => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.source)
    }
}

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    Unix(Utf8PathBuf),
    /// A named pipe of Windows, as `//./pipe/docker_engine`.
    NamedPipe(String),
    /// `host:port`, IPv6 hosts in brackets.
    Tcp {
        /// `host:port`.
        authority: String,
        /// The encryption.
        tls: Tls,
    },
    /// `[user@]host[:port]`, where `docker system dial-stdio` is run.
    Ssh(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{path}"),
            Address::NamedPipe(path) => write!(f, "npipe://{path}"),
            Address::Tcp { authority, .. } => write!(f, "tcp://{authority}"),
            Address::Ssh(destination) => write!(f, "ssh://{destination}"),
        }
    }
}

/// The encryption of a TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// None.
    Off,
    /// Both sides show certificates: `ca.pem`, `cert.pem` and `key.pem` of this folder.
    Verified(Utf8PathBuf),
    /// Encrypted, the engine's certificate not checked (`SkipTLSVerify`, `DOCKER_TLS`).
    Unverified,
}

/// Who named the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--host`.
    HostFlag,
    /// `DOCKER_HOST`.
    HostVariable,
    /// A Docker context.
    Context {
        /// The context's name.
        name: String,
        /// Who named the context.
        by: ContextSource,
    },
    /// Nobody: it is the default.
    Default,
    /// Nobody, and the default socket is absent: rootless Docker's.
    Rootless,
    /// Nobody, and the default socket is absent: Podman's.
    Podman,
}

/// Who named a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextSource {
    /// `--context`.
    Flag,
    /// `DOCKER_CONTEXT`.
    Variable,
    /// `currentContext` of the Docker configuration file (`docker context use`).
    Current,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::HostFlag => f.write_str("from --host"),
            Source::HostVariable => f.write_str("from DOCKER_HOST"),
            Source::Context { name, by } => write!(f, "context `{name}`, from {by}"),
            Source::Default => f.write_str("the default"),
            Source::Rootless => f.write_str("rootless Docker"),
            Source::Podman => f.write_str("Podman"),
        }
    }
}

impl fmt::Display for ContextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContextSource::Flag => "--context",
            ContextSource::Variable => "DOCKER_CONTEXT",
            ContextSource::Current => "docker context use",
        })
    }
}

/// What the command line says of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// Nothing.
    Unsaid,
    /// `--host`.
    Host(&'a str),
    /// `--context`.
    Context(&'a str),
}

/// What of this process and machine decides the endpoint.
pub struct Surroundings<'a> {
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The user's home folder.
    pub home: Option<&'a Utf8Path>,
    /// Whether there is a file (or socket) of this path.
    pub exists: &'a dyn Fn(&Utf8Path) -> bool,
}

impl Surroundings<'_> {
    /// A variable's value; set to nothing counts as not set, as in the docker CLI.
    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// `DOCKER_CONFIG` or `~/.docker`.
    fn config_folder(&self) -> Option<Utf8PathBuf> {
        let configured = self.variable("DOCKER_CONFIG").map(Utf8PathBuf::from);
        configured.or_else(|| self.home.map(|home| home.join(".docker")))
    }

    /// What the variables say of TLS; the CLI applies it to addresses that no context names.
    fn tls(&self) -> Tls {
        let certificates = self.variable("DOCKER_CERT_PATH").map(Utf8PathBuf::from);
        match certificates.or_else(|| self.config_folder()) {
            Some(folder) if self.variable("DOCKER_TLS_VERIFY").is_some() => Tls::Verified(folder),
            _ if self.variable("DOCKER_TLS").is_some() => Tls::Unverified,
            _ => Tls::Off,
        }
    }
}

/// Why there is no endpoint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// An address that is none.
    #[error("`{text}` ({from}) is not the address of an engine: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// Who gave it.
        from: Source,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no such context.
    #[error(
        "there is no Docker context `{name}` (from {by}): `docker context ls` lists those there \
         are; this one would be in `{path}`"
    )]
    NoContext {
        /// Its name.
        name: String,
        /// Who named it.
        by: ContextSource,
        /// The file that would describe it.
        path: Utf8PathBuf,
    },
    /// A context is named, but there is neither `DOCKER_CONFIG` nor a home folder.
    #[error("the Docker context `{0}` cannot be looked up: set DOCKER_CONFIG or HOME")]
    NoConfigFolder(String),
    /// A file of Docker's configuration cannot be read.
    #[error(
        "cannot read Docker's configuration `{path}`: {reason}; mend it, or name the engine with --host"
    )]
    Configuration {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The engine to talk to.
///
/// # Errors
/// When what was chosen does not exist or is not an address. An engine that does not answer is
/// found out only by [`super::observe`].
pub fn resolve(choice: Choice<'_>, around: &Surroundings<'_>) -> Result<Endpoint, EndpointError> {
    match choice {
        Choice::Context(name) => return context(name, ContextSource::Flag, around),
        Choice::Host(host) => return parse(host, around.tls(), Source::HostFlag),
        Choice::Unsaid => {}
    }
    if let Some(host) = around.variable("DOCKER_HOST") {
        return parse(&host, around.tls(), Source::HostVariable);
    }
    if let Some(name) = around.variable("DOCKER_CONTEXT") {
        return context(&name, ContextSource::Variable, around);
    }
    match current_context(around)? {
        Some(name) => context(&name, ContextSource::Current, around),
        None => unchosen(around),
    }
}

/// The endpoint of a named context.
fn context(
    name: &str,
    by: ContextSource,
    around: &Surroundings<'_>,
) -> Result<Endpoint, EndpointError> {
    if name == DEFAULT_CONTEXT {
        return match around.variable("DOCKER_HOST") {
            Some(host) => parse(&host, around.tls(), Source::HostVariable),
            None => parse(DEFAULT_ADDRESS, Tls::Off, Source::Default),
        };
    }
    let Some(config) = around.config_folder() else {
        return Err(EndpointError::NoConfigFolder(name.to_owned()));
    };
    let digest: String = Sha256::digest(name)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = config.join("contexts/meta").join(&digest).join("meta.json");
    let Some(meta) = read_json::<ContextMeta>(&path)? else {
        let name = name.to_owned();
        return Err(EndpointError::NoContext { name, by, path });
    };
    let docker = meta.endpoints.docker;
    let certificates = config.join("contexts/tls").join(&digest).join("docker");
    let tls = match docker.skip_tls_verify {
        true => Tls::Unverified,
        false if (around.exists)(&certificates.join("ca.pem")) => Tls::Verified(certificates),
        false => Tls::Off,
    };
    let host = Some(docker.host).filter(|host| !host.is_empty());
    let name = name.to_owned();
    parse(
        host.as_deref().unwrap_or(DEFAULT_ADDRESS),
        tls,
        Source::Context { name, by },
    )
}

/// The endpoint where nothing was chosen.
fn unchosen(around: &Surroundings<'_>) -> Result<Endpoint, EndpointError> {
    let default = parse(DEFAULT_ADDRESS, Tls::Off, Source::Default)?;
    let Address::Unix(socket) = &default.address else {
        return Ok(default);
    };
    if (around.exists)(socket) {
        return Ok(default);
    }
    let runtime = around.variable("XDG_RUNTIME_DIR").map(Utf8PathBuf::from);
    let of_user = |socket| runtime.as_ref().map(|folder| folder.join(socket));
    let others = [
        (of_user("docker.sock"), Source::Rootless),
        (of_user("podman/podman.sock"), Source::Podman),
        (Some("/run/podman/podman.sock".into()), Source::Podman),
    ];
    let there = others
        .into_iter()
        .filter_map(|(socket, source)| Some((socket?, source)))
        .find(|(socket, _)| (around.exists)(socket));
    Ok(there.map_or(default, |(socket, source)| Endpoint {
        address: Address::Unix(socket),
        source,
    }))
}

/// `currentContext` of `config.json`.
fn current_context(around: &Surroundings<'_>) -> Result<Option<String>, EndpointError> {
    let Some(config) = around.config_folder() else {
        return Ok(None);
    };
    let config: Option<ConfigFile> = read_json(&config.join("config.json"))?;
    let name = config.map(|config| config.current_context);
    Ok(name.filter(|name| !name.is_empty() && name != DEFAULT_CONTEXT))
}

/// Reads `DOCKER_HOST`'s syntax (`ParseHost` in docker/cli `opts/hosts.go`).
fn parse(text: &str, tls: Tls, from: Source) -> Result<Endpoint, EndpointError> {
    let invalid = |reason| EndpointError::Address {
        text: without_password(text),
        from: from.clone(),
        reason,
    };
    let trimmed = text.trim();
    let (scheme, rest) = trimmed.split_once("://").unwrap_or(("tcp", trimmed));
    let address = match scheme {
        "unix" if rest.is_empty() => Address::Unix("/var/run/docker.sock".into()),
        "unix" => Address::Unix(rest.into()),
        "npipe" if rest.is_empty() => Address::NamedPipe("//./pipe/docker_engine".to_owned()),
        "npipe" => Address::NamedPipe(rest.to_owned()),
        "tcp" | "http" => {
            let authority = authority(rest, &tls).map_err(invalid)?;
            Address::Tcp { authority, tls }
        }
        "ssh" => {
            let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
            match rest.trim_end_matches('/') {
                "" => return Err(invalid("the host is missing")),
                _ if user.contains(':') => return Err(invalid("a password cannot be part of it")),
                other if other.contains('/') => return Err(invalid("a path cannot be part of it")),
                destination => Address::Ssh(destination.to_owned()),
            }
        }
        _ => {
            return Err(invalid(
                "it begins with none of unix://, tcp://, ssh://, npipe://",
            ));
        }
    };
    Ok(Endpoint {
        address,
        source: from,
    })
}

/// The address as it may be shown.
fn without_password(text: &str) -> String {
    match text
        .rsplit_once('@')
        .map(|(user, host)| (user.rfind(':'), host))
    {
        Some((Some(colon), host)) if !text[colon..].starts_with("://") => {
            format!("{}:…@{host}", &text[..colon])
        }
        _ => text.to_owned(),
    }
}

/// `host:port` with the CLI's defaults: localhost; 2375, with TLS 2376.
fn authority(rest: &str, tls: &Tls) -> Result<String, &'static str> {
    let authority = rest.trim_end_matches('/');
    if authority.contains(['/', '?', '#', ' ']) {
        return Err("write host:port; a path such as /var/run/docker.sock needs unix://");
    }
    if authority.contains('@') {
        return Err("a user cannot be part of it");
    }
    // A colon after the last bracket: those of an IPv6 address stand inside the brackets.
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[host_end..].rfind(':') {
        Some(at) => (
            &authority[..host_end + at],
            Some(&authority[host_end + at + 1..]),
        ),
        None => (authority, None),
    };
    if !host.starts_with('[') && host.contains(':') {
        return Err("an IPv6 address is written in brackets");
    }
    let host = if host.is_empty() { "localhost" } else { host };
    let port = match port {
        None | Some("") if *tls == Tls::Off => 2375,
        None | Some("") => 2376,
        Some(port) => port
            .parse::<u16>()
            .map_err(|_| "the port is not a number from 0 to 65535")?,
    };
    Ok(format!("{host}:{port}"))
}

/// The file's content; none if there is no such file.
fn read_json<T: for<'a> Deserialize<'a>>(path: &Utf8Path) -> Result<Option<T>, EndpointError> {
    let unreadable = |reason: String| EndpointError::Configuration {
        path: path.to_owned(),
        reason,
    };
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| unreadable(error.to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(crate::source::reason(&error))),
    }
}

/// The part of `config.json` that is ours.
#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default, rename = "currentContext")]
    current_context: String,
}

/// The part of a context's `meta.json` that is ours.
#[derive(Deserialize)]
struct ContextMeta {
    #[serde(default, rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    #[serde(default)]
    docker: DockerEndpoint,
}

#[derive(Default, Deserialize)]
struct DockerEndpoint {
    #[serde(default, rename = "Host")]
    host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
