//! Which files make a project, and in which environment (compose.md 6).
//!
//! Source: `cli/options.go` of compose-go 2.9.1.

use camino::{Utf8Path, Utf8PathBuf};

use super::environment::Environment;
use super::interpolate::Lookup as _;
use super::load::{Loader, Parsed};
use super::problem::{Kind, Problem};
use super::project::Request;
use super::text::Text;
use crate::source::{FileKind, SourceFile, join};

/// The names Compose looks for, in this order.
pub const COMPOSE_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// The names of the file that is laid over the one found, in this order.
pub const OVERRIDE_FILES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// What a project is read from.
pub(super) struct Found {
    /// The files, absolute; `-` for standard input.
    pub files: Vec<Utf8PathBuf>,
    /// Nobody named them.
    pub by_itself: bool,
    /// The project's folder, absolute.
    pub directory: Utf8PathBuf,
    pub environment: Environment,
}

/// The first of `names` that is in `folder`.
#[must_use]
pub fn first_of(
    files: &dyn crate::source::Files,
    folder: &Utf8Path,
    names: &[&str],
) -> Option<Utf8PathBuf> {
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| files.kind(path).is_some())
}

impl Loader<'_> {
    /// Finds the files of a project as `docker compose` would with these flags and variables.
    pub(super) fn discover(&mut self, request: &Request, shell: &Environment) -> Option<Found> {
        let given = request
            .project_directory
            .as_ref()
            .map(|path| join(self.cwd, path));
        let mut environment = shell.clone();
        let mut env_files: Vec<Utf8PathBuf> = request.env_files.clone();
        if env_files.is_empty()
            && let Some(list) = shell.lookup("COMPOSE_ENV_FILES")
        {
            let paths = list.value().split(',').filter(|path| !path.is_empty());
            env_files = paths.map(Into::into).collect();
        }

        let first_folder = given
            .clone()
            .or_else(|| folder_of(self.cwd, &request.files));
        let first_folder = first_folder.unwrap_or_else(|| self.cwd.to_owned());
        let explicit = !env_files.is_empty() || request.stack;
        if explicit {
            let paths: Vec<_> = env_files.iter().map(|path| join(self.cwd, path)).collect();
            self.env_files(&mut environment, &paths)?;
        } else {
            self.default_env_file(&mut environment, &first_folder)?;
        }

        let mut files = request.files.clone();
        if files.is_empty() {
            files = self.files_of_environment(&environment);
        }
        let by_itself = files.is_empty();
        let (files, directory) = if by_itself {
            self.search(given.as_deref().unwrap_or(self.cwd), request)?
        } else {
            let directory = given.clone().or_else(|| folder_of(self.cwd, &files));
            let files = files.iter().map(|path| match path.as_str() {
                "-" => path.clone(),
                path => join(self.cwd, path),
            });
            (
                files.collect(),
                directory.unwrap_or_else(|| self.cwd.to_owned()),
            )
        };
        let directory = given.unwrap_or(directory);
        if !explicit && directory != first_folder {
            self.default_env_file(&mut environment, &directory)?;
        }
        Some(Found {
            files,
            by_itself,
            directory,
            environment,
        })
    }

    /// The files that `COMPOSE_FILE` names.
    fn files_of_environment(&self, environment: &Environment) -> Vec<Utf8PathBuf> {
        let value = |name: &str| environment.lookup(name).map(Text::value);
        let Some(list) = value("COMPOSE_FILE") else {
            return Vec::new();
        };
        let platform = if cfg!(windows) { ";" } else { ":" };
        let separator = value("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
        // an empty part is the working directory, which cannot be read: Compose says so too
        list.split(separator.unwrap_or(platform))
            .map(Into::into)
            .collect()
    }

    /// The first folder from `start` upwards that holds a compose file.
    fn search(
        &mut self,
        start: &Utf8Path,
        request: &Request,
    ) -> Option<(Vec<Utf8PathBuf>, Utf8PathBuf)> {
        for folder in start.ancestors() {
            if let Some(file) = first_of(self.files, folder, &COMPOSE_FILES) {
                let mut files = vec![file];
                files.extend(first_of(self.files, folder, &OVERRIDE_FILES));
                return Some((files, folder.to_owned()));
            }
            if !request.search_parents {
                break;
            }
        }
        let shown = self.shown(start);
        self.problems.push(
            Problem::error(
                Kind::File,
                format!("no compose file in `{shown}` or above it"),
            )
            .of(shown)
            .help(format!(
                "name a file, or a folder to search, such as `portplan check .`; Compose looks \
                     for {}",
                COMPOSE_FILES.join(", ")
            )),
        );
        None
    }

    /// Reads `.env` of a folder, unless `COMPOSE_DISABLE_ENV_FILE` says not to.
    fn default_env_file(&mut self, environment: &mut Environment, folder: &Utf8Path) -> Option<()> {
        if disabled(environment) {
            return Some(());
        }
        let path = folder.join(".env");
        if self.files.kind(&path) != Some(FileKind::File) {
            return Some(());
        }
        self.env_files(environment, &[path])?;
        if disabled(environment) {
            // it says so itself: of its variables only those for Compose count
            environment.retain_last(|name| name.starts_with("COMPOSE_"));
        }
        Some(())
    }

    fn env_files(&mut self, environment: &mut Environment, paths: &[Utf8PathBuf]) -> Option<()> {
        let mut ids = Vec::new();
        for path in paths {
            ids.push(self.read(path, None, Kind::Env)?);
        }
        self.add_env_files(environment, &ids).then_some(())
    }

    /// Reads the files of a project; one that cannot be read is left out, with a problem.
    pub(super) fn parse_all(&mut self, paths: &[Utf8PathBuf], stdin: Option<&[u8]>) -> Vec<Parsed> {
        let mut parsed = Vec::new();
        for path in paths {
            parsed.extend(match stdin {
                Some(bytes) if path == "-" => self.parse_stdin(bytes),
                _ => self.parse(path, None),
            });
        }
        parsed
    }

    fn parse_stdin(&mut self, bytes: &[u8]) -> Option<Parsed> {
        match SourceFile::decode("-", bytes.to_vec()) {
            Ok(file) => {
                let id = self.sources.add(file);
                self.parse_source(id, Utf8Path::new("-"))
            }
            Err(error) => {
                let message = format!("standard input is {error}");
                self.problems.push(
                    Problem::error(Kind::Yaml, message)
                        .of("-")
                        .help("pipe UTF-8 text"),
                );
                None
            }
        }
    }
}

/// The folder of the first file that is not standard input.
fn folder_of(cwd: &Utf8Path, files: &[Utf8PathBuf]) -> Option<Utf8PathBuf> {
    let file = files.iter().find(|path| path.as_str() != "-")?;
    Some(join(cwd, file).parent().unwrap_or(cwd).to_owned())
}

/// Go's `strconv.ParseBool`.
fn disabled(environment: &Environment) -> bool {
    let value = environment
        .lookup("COMPOSE_DISABLE_ENV_FILE")
        .map(Text::value);
    matches!(value, Some("1" | "t" | "T" | "TRUE" | "true" | "True"))
}
