//! Which `portplan.yaml` holds: `--config`, `--no-config`

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use crate::settings::{Settings, find};
use crate::source::{self, Disk, FileKind, Files as _};

/// The flags that say what is settled.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "What is settled")]
pub struct ConfigArgs {
    /// The settings, instead of portplan.yaml in the folder of the first path or above it
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<Utf8PathBuf>,
    /// Go without portplan.yaml
    #[arg(long, conflicts_with = "config", global = true)]
    no_config: bool,
}

impl ConfigArgs {
    /// What is settled for a path; without one, for the working directory.
    pub fn settings(&self, start: Option<&Utf8Path>, cwd: &Utf8Path) -> Settings {
        let path = match &self.config {
            _ if self.no_config => None,
            Some(path) => Some(path.clone()),
            None => {
                let start = start.filter(|start| *start != "-");
                let start = source::join(cwd, start.unwrap_or(Utf8Path::new("")));
                let folder = match Disk.kind(&start) {
                    Some(FileKind::Folder) => Some(&*start),
                    _ => start.parent(),
                };
                folder.and_then(find::above)
            }
        };
        path.map_or_else(Settings::default, |path| {
            let shown = match path.is_absolute() && self.config.is_none() {
                true => pathdiff::diff_utf8_paths(&path, cwd).unwrap_or(path),
                false => path,
            };
            find::read(&shown, cwd)
        })
    }
}
