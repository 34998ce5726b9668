//! Which projects a command is about.

use std::io::{IsTerminal as _, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::compose::environment::Environment;
use crate::compose::problem::{Kind, Problem};
use crate::compose::project::{Project, Request};
use crate::compose::reading::Reading;
use crate::compose::search::{self, Tree};
use crate::revision::Revision;
use crate::source::{self, Disk, FileKind, Files as _};

/// The flags that choose projects; they mean what they mean to `docker compose`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which project, as for docker compose")]
pub struct ProjectArgs {
    /// Compose file; give it several times to lay files over one another, `-` for standard input
    #[arg(short, long = "file", value_name = "FILE", global = true)]
    files: Vec<Utf8PathBuf>,
    /// Project name
    #[arg(short, long, value_name = "NAME", global = true)]
    project_name: Option<String>,
    /// Turn a profile on, '*' all of them; without it, services of all profiles are looked at
    #[arg(long = "profile", value_name = "NAME", global = true)]
    profiles: Vec<String>,
    /// Env file, instead of .env
    #[arg(long = "env-file", value_name = "FILE", global = true)]
    env_files: Vec<Utf8PathBuf>,
    /// The project's folder, instead of that of the first file
    #[arg(long, value_name = "FOLDER", global = true)]
    project_directory: Option<Utf8PathBuf>,
    /// Number of containers of a service
    #[arg(long, value_name = "SERVICE=N", value_parser = scale, global = true)]
    scale: Vec<(String, u32)>,
    #[arg(skip)]
    stack: bool,
}

fn scale(text: &str) -> Result<(String, u32), String> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
    parts.ok_or_else(|| "write SERVICE=N, for example web=3".to_owned())
}

/// The projects of a command, read.
pub struct Input {
    /// How they were read.
    pub reading: Reading,
    /// In the order they were named or found.
    pub projects: Vec<Project>,
    /// What stood in the way of finding them.
    pub problems: Vec<Problem>,
    /// False where there was nothing to read.
    pub found: bool,
}

/// What cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Both `-f` and paths.
    #[error(
        "-f and paths cannot be used together: -f names the files of one project, paths name projects"
    )]
    FilesAndPaths,
    /// No working directory.
    #[error("the working directory cannot be read: {}", source::reason_to_write(.0))]
    WorkingDirectory(std::io::Error),
    /// The working directory has a name that is not UTF-8.
    #[error("the name of the working directory `{0}` is not UTF-8")]
    NotUtf8(String),
}

impl ProjectArgs {
    fn request(&self) -> Request {
        Request {
            files: self.files.clone(),
            project_directory: self.project_directory.clone(),
            project_name: self.project_name.clone(),
            env_files: self.env_files.clone(),
            profiles: self.profiles.clone(),
            scale: self.scale.iter().cloned().collect(),
            search_parents: true,
            found: false,
            stack: self.stack,
        }
    }

    /// The first file that `-f` names.
    pub fn first_file(&self) -> Option<&Utf8Path> {
        self.files.first().map(Utf8PathBuf::as_path)
    }

    /// Reads the files that `paths` or `-f` name as one stack.
    ///
    /// # Errors
    /// What cannot be asked for together.
    pub fn read_stack(&self, paths: &[Utf8PathBuf]) -> Result<Input, InputError> {
        let mut stack = self.clone();
        if !paths.is_empty() && !self.files.is_empty() {
            return Err(InputError::FilesAndPaths);
        }
        stack.files.extend(paths.iter().cloned());
        stack.stack = true;
        stack.read(&[])
    }

    /// Finds and reads the projects that `paths` and the flags name.
    ///
    /// # Errors
    /// What cannot be asked for together.
    pub fn read(&self, paths: &[Utf8PathBuf]) -> Result<Input, InputError> {
        let cwd = working_directory()?;
        let shell = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        // Compose provides it where the shell does not
        let pwd = [("PWD".to_owned(), cwd.to_string())];
        let shell = Environment::from_shell(pwd.into_iter().chain(shell));

        let mut problems = Vec::new();
        let requests = if paths.is_empty() {
            vec![self.request()]
        } else if self.files.is_empty() {
            self.requests(paths, &cwd, &Disk, &mut problems)
        } else {
            return Err(InputError::FilesAndPaths);
        };
        if requests.is_empty() && problems.is_empty() {
            let folders: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            anstream::eprintln!(
                "error: no compose file in {} or below it\n  help: what is named like compose.yaml, \
                 docker-compose.dev.yml or db.compose.yml is found; name other files one by one",
                folders.join(", ")
            );
        }
        let stdin = read_stdin(&requests);
        let reading = Reading {
            requests,
            shell,
            cwd,
            stdin,
        };
        let projects = load(&reading);
        let none = |project: &Project| project.sources.files().is_empty();
        let missing = paths.is_empty() && self.files.is_empty() && projects.iter().all(none);
        let unnamed = projects
            .iter()
            .flat_map(|project| &project.problems)
            .all(|problem| {
                problem.kind == Kind::File && problem.message.starts_with("no compose file")
            });
        Ok(Input {
            found: !(projects.is_empty() && problems.is_empty() || missing && unnamed),
            reading,
            projects,
            problems,
        })
    }

    /// The projects of `paths` as they were at a revision, where else read like now.
    pub fn read_at(
        &self,
        paths: &[Utf8PathBuf],
        now: &Reading,
        revision: &Revision,
    ) -> Vec<Project> {
        let mut then = now.clone();
        let stack = now.requests.iter().any(|request| request.stack);
        if !paths.is_empty() && !stack {
            let there =
                |path: &&Utf8PathBuf| *path == "-" || revision.kind(&now.cwd.join(path)).is_some();
            let paths: Vec<_> = paths.iter().filter(there).cloned().collect();
            then.requests = self.requests(&paths, &now.cwd, revision, &mut Vec::new());
        }
        then.load(revision)
    }

    /// The projects of the files and folders named.
    fn requests(
        &self,
        paths: &[Utf8PathBuf],
        cwd: &Utf8Path,
        tree: &dyn Tree,
        problems: &mut Vec<Problem>,
    ) -> Vec<Request> {
        let mut files = Vec::new();
        for path in paths {
            if path == "-" || tree.kind(&cwd.join(path)) != Some(FileKind::Folder) {
                files.push(path.clone());
                continue;
            }
            let search = tree.compose_files(path, cwd);
            files.extend(
                search
                    .files
                    .into_iter()
                    .map(|file| match file.strip_prefix(".") {
                        Ok(inside) => inside.to_owned(),
                        Err(_) => file,
                    }),
            );
            problems.extend(
                search
                    .errors
                    .into_iter()
                    .map(|error| Problem::error(Kind::File, error)),
            );
        }
        let requests = search::projects(&files, cwd, tree);
        requests
            .into_iter()
            .map(|request| Request {
                files: request.files,
                found: request.found,
                ..self.request()
            })
            .collect()
    }
}

/// The working directory.
///
/// # Errors
/// There is none, or it has no name that can be told.
pub fn working_directory() -> Result<Utf8PathBuf, InputError> {
    let cwd = std::env::current_dir().map_err(InputError::WorkingDirectory)?;
    Utf8PathBuf::from_path_buf(cwd).map_err(|path| InputError::NotUtf8(path.display().to_string()))
}

fn read_stdin(requests: &[Request]) -> Option<Vec<u8>> {
    let asked = requests
        .iter()
        .any(|request| request.files.iter().any(|path| path == "-"));
    asked.then(|| {
        let mut bytes = Vec::new();
        // what was read before an error is checked like any other text
        let _ = std::io::stdin()
            .take(crate::source::MAX_FILE_BYTES)
            .read_to_end(&mut bytes);
        bytes
    })
}

/// Reads all projects; a terminal shows how far it is.
fn load(reading: &Reading) -> Vec<Project> {
    let count = reading.requests.len();
    let bar = if count > 1 && std::io::stderr().is_terminal() {
        indicatif::ProgressBar::new(count as u64)
    } else {
        indicatif::ProgressBar::hidden()
    };
    let projects = reading.load_telling(&Disk, &|| bar.inc(1));
    bar.finish_and_clear();
    projects
}
