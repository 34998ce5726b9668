//! The variables that interpolation sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::dotenv::{self, DotenvError, Variables};
use super::interpolate::Lookup;
use super::text::{Text, Written};
use crate::source::SourceFile;
use crate::span::FileId;

/// Variables in layers, each weaker than the one before: the shell, then groups of env files.
///
/// A variable that is set to nothing is set all the same: it hides weaker layers (compose.md 6).
/// Cloning is cheap, for an `include` sees the environment of the including project and adds its
/// own env files below it (compose.md 5).
#[derive(Clone, Debug, Default)]
pub struct Environment {
    layers: Vec<Arc<Variables>>,
}

impl Environment {
    /// An environment of the shell's variables alone.
    pub fn from_shell<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Arc<str>>,
        V: Into<String>,
    {
        let shell = variables.into_iter().map(|(name, value)| {
            let variable: Arc<str> = name.into();
            let written = Written::Shell {
                variable: variable.clone(),
            };
            (variable, Text::written(value, written))
        });
        Self {
            layers: vec![Arc::new(shell.collect())],
        }
    }

    /// Adds a group of env files below all that is here; in the group a later file wins.
    ///
    /// Their references see what is here first, then the group's own entries so far. Those that
    /// find nothing are added to `unset`.
    ///
    /// # Errors
    /// The first error in one of the files; nothing is added then.
    pub fn add_env_files<'a>(
        &mut self,
        files: impl IntoIterator<Item = (FileId, &'a SourceFile)>,
        unset: &mut BTreeSet<String>,
    ) -> Result<(), DotenvError> {
        let mut variables = Variables::new();
        for (id, file) in files {
            dotenv::parse(file, id, self, &mut variables, unset)?;
        }
        self.layers.push(Arc::new(variables));
        Ok(())
    }

    /// Keeps of the weakest layer only the variables whose names `keep` accepts.
    pub fn retain_last(&mut self, keep: impl Fn(&str) -> bool) {
        if let Some(layer) = self.layers.last_mut() {
            Arc::make_mut(layer).retain(|name, _| keep(name));
        }
    }

    /// Sets a variable of the shell.
    pub fn export(&mut self, name: &str, value: &str) {
        let variable: Arc<str> = name.into();
        let written = Written::Shell {
            variable: variable.clone(),
        };
        match self.layers.first_mut() {
            Some(shell) => {
                let text = Text::written(value, written);
                Arc::make_mut(shell).insert(variable, text);
            }
            None => *self = Self::from_shell([(variable, value)]),
        }
    }

    /// Sets a variable above all others.
    pub fn set(&mut self, name: &str, value: Text) {
        let layer = Variables::from([(name.into(), value)]);
        self.layers.insert(0, Arc::new(layer));
    }
}

impl Lookup for Environment {
    fn lookup(&self, name: &str) -> Option<&Text> {
        self.layers.iter().find_map(|layer| layer.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    /// Adds one group of env files and returns the environment.
    fn with(mut environment: Environment, files: &mut SourceMap, texts: &[&str]) -> Environment {
        let ids: Vec<_> = texts
            .iter()
            .map(|text| files.add(SourceFile::decode(".env", text.as_bytes().to_vec()).unwrap()))
            .collect();
        let group = ids.iter().map(|id| (*id, files.file(*id)));
        environment
            .add_env_files(group, &mut BTreeSet::new())
            .unwrap();
        environment
    }

    fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
        environment.lookup(name).map(Text::value)
    }

    #[test]
    fn the_shell_wins_even_when_empty_and_later_files_of_a_group_win() {
        let files = &mut SourceMap::new();
        let shell = Environment::from_shell([("P", ""), ("S", "1")]);
        let environment = with(shell, files, &["P=80\nA=1\nS=2", "A=2\nB=$A$S"]);
        assert_eq!(value(&environment, "P"), Some(""));
        assert_eq!(value(&environment, "S"), Some("1"));
        assert_eq!(value(&environment, "A"), Some("2"));
        assert_eq!(value(&environment, "B"), Some("21"));
        assert_eq!(value(&environment, "C"), None);
    }

    #[test]
    fn the_env_files_of_an_include_only_fill_in() {
        let files = &mut SourceMap::new();
        let root = with(Environment::default(), files, &["A=root"]);
        let include = with(root.clone(), files, &["A=own\nB=$A\nC="]);
        assert_eq!(value(&include, "A"), Some("root"));
        assert_eq!(value(&include, "B"), Some("root"));
        assert_eq!(value(&include, "C"), Some(""));
        assert_eq!(value(&root, "C"), None);
    }

    #[test]
    fn a_value_keeps_its_place_in_the_env_file() {
        let files = &mut SourceMap::new();
        let environment = with(
            Environment::from_shell([("S", "9")]),
            files,
            &["P=80\nQ=$P$S"],
        );
        let value = environment.lookup("Q").unwrap();
        let span = value.slice(0..2).single().and_then(|w| w.span()).unwrap();
        assert_eq!((files.slice(span), span.start), ("80", 2));
        assert_eq!(
            value.slice(2..3).single(),
            Some(Written::Shell {
                variable: "S".into()
            })
        );
    }
}
