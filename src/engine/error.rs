//! Why an engine could not be read, in words that name the endpoint and the next step.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use bollard::errors::Error as ClientError;

use super::endpoint::{Address, Endpoint, Source, Tls};

/// The longest text of an engine that is repeated, in characters.
const LONGEST_QUOTE: usize = 200;

/// An engine could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the engine at {endpoint}: {failure}")]
pub struct EngineError {
    /// The engine that was tried.
    pub endpoint: Box<Endpoint>,
    /// What happened.
    pub failure: Failure,
}

/// What happened to the talk with an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no such socket.
    #[error("there is no such socket")]
    NotThere,
    /// Nothing listens.
    #[error("nothing listens there")]
    Refused,
    /// The socket is there, but not for this user.
    #[error("permission denied")]
    PermissionDenied,
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The encryption failed, or is missing.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// It is no engine, or one that speaks in ways unknown here.
    #[error("no usable answer: {0}")]
    Garbage(String),
    /// The engine refused a request.
    #[error("it refused a request with status {status}: {message}")]
    Status {
        /// HTTP's.
        status: u16,
        /// The engine's own words.
        message: String,
    },
    /// The network is at fault, or `ssh`.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// This program cannot speak to such an endpoint.
    #[error("this build cannot: {0}")]
    NotBuiltIn(&'static str),
}

impl EngineError {
    /// What to type next.
    #[must_use]
    pub fn help(&self) -> String {
        let elsewhere = "name another engine with --host, --context or DOCKER_HOST";
        let by_source = |address: &Address| match (address, &self.endpoint.source) {
            (Address::Unix(_), Source::Rootless) => "systemctl --user start docker",
            (Address::Unix(_), Source::Podman) => "systemctl --user start podman.socket",
            (Address::Unix(_), _) => "sudo systemctl start docker",
            (Address::NamedPipe(_), _) => "start Docker Desktop",
            (Address::Tcp { .. } | Address::Ssh(_), _) => "docker info",
        };
        let command = by_source(&self.endpoint.address);
        let remote = matches!(self.endpoint.address, Address::Tcp { .. } | Address::Ssh(_));
        match &self.failure {
            Failure::NotThere | Failure::Refused if remote => {
                format!("check the address, or {elsewhere}")
            }
            Failure::NotThere | Failure::Refused if command.starts_with("start ") => {
                format!("{command}, or {elsewhere}")
            }
            Failure::NotThere | Failure::Refused => {
                format!("start it: `{command}`; or {elsewhere}")
            }
            Failure::PermissionDenied => {
                "join the group docker (`sudo usermod -aG docker $USER`, then log in again) \
                 or run this with sudo"
                    .to_owned()
            }
            Failure::TimedOut(_) => format!(
                "see whether `docker --host {} version` answers; restart the engine, or {elsewhere}",
                self.endpoint.address
            ),
            Failure::Tls(_) => "check DOCKER_TLS_VERIFY and DOCKER_CERT_PATH (ca.pem, cert.pem, \
                                key.pem), or the context's certificates"
                .to_owned(),
            Failure::Garbage(_) => format!(
                "that may be another program, or an engine newer than this program; {elsewhere}"
            ),
            Failure::Status { .. } => format!(
                "see what `docker --host {} info` says, or {elsewhere}",
                self.endpoint.address
            ),
            Failure::Unreachable(_) => match &self.endpoint.address {
                Address::Ssh(destination) => format!(
                    "see whether `ssh {destination} docker version` works without a question, \
                     or {elsewhere}"
                ),
                _ => format!("check the address, or {elsewhere}"),
            },
            Failure::NotBuiltIn(_) => match &self.endpoint.address {
                Address::Tcp {
                    tls: Tls::Verified(_),
                    ..
                } if !cfg!(feature = "tls") => "cargo install portplan --features tls".to_owned(),
                Address::Ssh(_) if !cfg!(feature = "ssh") => {
                    "cargo install portplan --features ssh; or forward the socket: \
                                    `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST` and \
                                    --host unix:///tmp/docker.sock"
                        .to_owned()
                }
                _ => elsewhere.to_owned(),
            },
        }
    }
}

impl Failure {
    /// Sorts an error of the client library by what the user can do about it.
    pub(super) fn of(error: &ClientError, endpoint: &Endpoint, limit: Duration) -> Self {
        match error {
            ClientError::RequestTimeoutError => return Failure::TimedOut(limit),
            ClientError::SocketNotFoundError(_) => return Failure::NotThere,
            ClientError::DockerResponseServerError {
                status_code,
                message,
            } => return Self::of_status(*status_code, message),
            ClientError::JsonDataError { message, .. } => {
                return Failure::Garbage(quote(message));
            }
            ClientError::JsonSerdeError { err } => return Failure::Garbage(quote(err)),
            ClientError::APIVersionParseError {} => {
                return Failure::Garbage("it does not name its API version".to_owned());
            }
            ClientError::IOError { err } => return Self::of_io(err, endpoint),
            _ => {}
        }
        let mut deepest: &dyn Error = error;
        while let Some(source) = deepest.source() {
            if let Some(io) = source.downcast_ref::<io::Error>() {
                return Self::of_io(io, endpoint);
            }
            deepest = source;
        }
        match &endpoint.address {
            Address::Tcp {
                tls: Tls::Verified(_),
                ..
            } => Failure::Tls(quote(error)),
            Address::Ssh(_) => Failure::Unreachable(quote(deepest)),
            _ => Failure::Garbage(quote(deepest)),
        }
    }

    fn of_io(error: &io::Error, endpoint: &Endpoint) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidData,
            NotFound, Other, PermissionDenied, TimedOut, UnexpectedEof,
        };
        let tls = matches!(
            endpoint.address,
            Address::Tcp {
                tls: Tls::Verified(_),
                ..
            }
        );
        let ssh = matches!(endpoint.address, Address::Ssh(_));
        match error.kind() {
            // Of `ssh` these are about its own files and talk.
            _ if ssh => Failure::Unreachable(quote(error)),
            NotFound => Failure::NotThere,
            ConnectionRefused => Failure::Refused,
            PermissionDenied => Failure::PermissionDenied,
            // `Other` is what the TLS library makes of its errors; a failed look-up is none.
            InvalidData | Other | UnexpectedEof if tls => Failure::Tls(quote(error)),
            BrokenPipe | ConnectionAborted | ConnectionReset | InvalidData | UnexpectedEof => {
                Failure::Garbage(quote(error))
            }
            TimedOut => Failure::Unreachable("the connection timed out".to_owned()),
            _ => Failure::Unreachable(quote(error)),
        }
    }

    fn of_status(status: u16, message: &str) -> Self {
        // What Go's TLS listeners answer to plain HTTP, in plain HTTP.
        if status == 400 && message.contains("HTTP request to an HTTPS server") {
            return Failure::Tls("the engine wants TLS; set DOCKER_TLS_VERIFY=1".to_owned());
        }
        Failure::Status {
            status,
            message: quote(message),
        }
    }

    /// An answer of the right form with a value that cannot be.
    pub(super) fn value(what: &str, value: impl fmt::Display) -> Self {
        Failure::Garbage(format!("{what} `{}`", quote(value)))
    }
}

/// Foreign text on one line, bounded, without control characters.
fn quote(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let text = text.trim();
    let mut quoted: String = text
        .chars()
        .take(LONGEST_QUOTE)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        quoted.push('…');
    }
    quoted
}
