//! Which projects a command is about.

use std::io::{IsTerminal as _, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::config::ConfigArgs;
use super::policy;
use crate::compose::environment::Environment;
use crate::compose::exclude::Exclude;
use crate::compose::problem::{Kind, Problem};
use crate::compose::project::{Project, Request};
use crate::compose::reading::Reading;
use crate::compose::search::{self, Tree};
use crate::glob::Globs;
use crate::revision::Revision;
use crate::settings::Settings;
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
    /// Leave out what is like this when folders are searched, as `exclude` of portplan.yaml does
    #[arg(
        long,
        value_name = "GLOB",
        global = true,
        help_heading = "What is left out"
    )]
    exclude: Vec<Globs>,
    /// Leave out what is excluded even where it is named
    #[arg(long, global = true, help_heading = "What is left out")]
    force_exclude: bool,
    /// Which settings hold.
    #[command(flatten)]
    pub config: ConfigArgs,
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
    /// What is settled for them.
    pub settings: Settings,
    /// What a search for them leaves out.
    pub exclude: Exclude,
    /// In the order they were named or found.
    pub projects: Vec<Project>,
    /// What stood in the way of finding them.
    pub problems: Vec<Problem>,
    /// False where there was nothing to read.
    pub found: bool,
    /// What is not known, though nothing failed.
    pub remarks: Vec<String>,
}

impl Input {
    /// Says on standard error what is not known, and what is wrong with the settings; true if
    /// something is.
    pub fn tell(&self) -> bool {
        super::tell(&[], &self.remarks);
        policy::tell_errors(&self.settings.problems, &self.settings.sources)
    }
}

/// The files and folders that are named, as projects.
#[derive(Default)]
struct Asked {
    requests: Vec<Request>,
    problems: Vec<Problem>,
    excluded: Vec<Utf8PathBuf>,
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

    /// What is settled for these paths; without one, for the working directory.
    fn settings(&self, paths: &[Utf8PathBuf], cwd: &Utf8Path) -> Settings {
        self.config.settings(self.start(paths), cwd)
    }

    /// Where the search for the settings starts.
    #[must_use]
    pub fn start<'a>(&'a self, paths: &'a [Utf8PathBuf]) -> Option<&'a Utf8Path> {
        let path = paths.first().or(self.files.first());
        path.map(Utf8PathBuf::as_path)
    }

    /// What a search leaves out.
    fn exclude(&self, settings: &Settings, cwd: &Utf8Path) -> Exclude {
        let settled = settings.exclude.iter();
        let settled = settled.map(|globs| (settings.root.as_path(), globs));
        let named = self.exclude.iter().map(|globs| (cwd, globs));
        let all = settled.chain(named);
        all.fold(Exclude::default(), |exclude, (folder, globs)| {
            exclude.and(folder, globs.clone())
        })
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
        let settings = self.settings(paths, &cwd);
        let exclude = self.exclude(&settings, &cwd);
        let shell = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        // Compose provides it where the shell does not
        let pwd = [("PWD".to_owned(), cwd.to_string())];
        let shell = Environment::from_shell(pwd.into_iter().chain(shell));

        let Asked {
            requests,
            problems,
            excluded,
        } = if paths.is_empty() {
            self.asked_alone(&cwd, &exclude)
        } else if self.files.is_empty() {
            self.asked(paths, &cwd, &Disk, &exclude)
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
        let found = !excluded.is_empty()
            || !(projects.is_empty() && problems.is_empty() || missing && unnamed);
        let mut remarks = Vec::new();
        if !excluded.is_empty() {
            let is = if excluded.len() == 1 { "is" } else { "are" };
            remarks.push(format!("{} {is} excluded: not looked at", list(&excluded)));
        }
        if !found && !paths.is_empty() {
            let apart = match exclude.is_empty() {
                true => "",
                false => ", apart from what is excluded",
            };
            remarks.push(format!("no compose file in {}{apart}", list(paths)));
        }
        Ok(Input {
            found,
            reading,
            settings,
            exclude,
            projects,
            problems,
            remarks,
        })
    }

    /// The projects of `paths` as they were at a revision, where else read like now.
    pub fn read_at(
        &self,
        paths: &[Utf8PathBuf],
        now: &Reading,
        exclude: &Exclude,
        revision: &Revision,
    ) -> Vec<Project> {
        let mut then = now.clone();
        let stack = now.requests.iter().any(|request| request.stack);
        if !paths.is_empty() && !stack {
            let there =
                |path: &&Utf8PathBuf| *path == "-" || revision.kind(&now.cwd.join(path)).is_some();
            let paths: Vec<_> = paths.iter().filter(there).cloned().collect();
            then.requests = self.asked(&paths, &now.cwd, revision, exclude).requests;
        }
        then.load(revision)
    }

    /// The project of `-f`, or of the current folder.
    fn asked_alone(&self, cwd: &Utf8Path, exclude: &Exclude) -> Asked {
        let mut asked = Asked::default();
        match self.files.first() {
            Some(file) if self.leaves_out(file, cwd, &Disk, exclude) => {
                asked.excluded.push(file.clone());
            }
            _ => asked.requests.push(self.request()),
        }
        asked
    }

    /// The projects of the files and folders named.
    fn asked(
        &self,
        paths: &[Utf8PathBuf],
        cwd: &Utf8Path,
        tree: &dyn Tree,
        exclude: &Exclude,
    ) -> Asked {
        let mut asked = Asked::default();
        let mut files = Vec::new();
        for path in paths {
            if self.leaves_out(path, cwd, tree, exclude) {
                asked.excluded.push(path.clone());
                continue;
            }
            if path == "-" || tree.kind(&cwd.join(path)) != Some(FileKind::Folder) {
                files.push(path.clone());
                continue;
            }
            let search = search::compose_files(tree, path, cwd, exclude);
            files.extend(
                search
                    .files
                    .into_iter()
                    .map(|file| match file.strip_prefix(".") {
                        Ok(inside) => inside.to_owned(),
                        Err(_) => file,
                    }),
            );
            let errors = search.errors.into_iter();
            let errors = errors.map(|error| Problem::error(Kind::File, error));
            asked.problems.extend(errors);
        }
        let requests = search::projects(&files, cwd, tree).into_iter();
        let requests = requests.map(|request| Request {
            files: request.files,
            found: request.found,
            ..self.request()
        });
        asked.requests.extend(requests);
        asked
    }

    /// True if what is named is left out all the same.
    fn leaves_out(
        &self,
        path: &Utf8Path,
        cwd: &Utf8Path,
        tree: &dyn Tree,
        exclude: &Exclude,
    ) -> bool {
        let is_folder = || tree.kind(&cwd.join(path)) == Some(FileKind::Folder);
        self.force_exclude
            && match is_folder() {
                true => exclude.covers(&source::join(cwd, path)),
                false => search::is_excluded(path, cwd, tree, exclude),
            }
    }
}

/// Paths in a sentence; of many the first.
fn list(paths: &[Utf8PathBuf]) -> String {
    let shown = paths.iter().take(3).map(|path| format!("`{path}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
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
