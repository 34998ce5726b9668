//! Globs of paths.

use std::str::FromStr;

use camino::Utf8Path;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs; the default covers every path.
///
/// `*` stays within a name, `**` does not. One that matches a folder covers all that is in it.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    texts: Vec<String>,
    set: Option<GlobSet>,
}

/// A text that is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a pattern of paths: {reason}")]
pub struct InvalidGlob {
    text: String,
    reason: String,
}

impl Globs {
    /// All of these together.
    ///
    /// # Errors
    /// A text that is no glob.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Result<Self, InvalidGlob> {
        let texts: Vec<String> = texts.into_iter().collect();
        let mut set = GlobSetBuilder::new();
        for text in &texts {
            let invalid = |error: globset::Error| InvalidGlob {
                text: text.clone(),
                reason: error.kind().to_string(),
            };
            // `./web/` is `web`, and `.` the folder that paths start from
            let plain = text.trim_start_matches("./").trim_end_matches('/');
            let plain = if plain == "." { "" } else { plain };
            let glob = GlobBuilder::new(plain).literal_separator(true).build();
            set.add(glob.map_err(invalid)?);
        }
        let set = set.build().map_err(|error| InvalidGlob {
            text: texts.join(", "),
            reason: error.to_string(),
        })?;
        Ok(Self {
            texts,
            set: Some(set),
        })
    }

    /// True of those that cover every path.
    #[must_use]
    pub fn cover_all(&self) -> bool {
        self.set.is_none()
    }

    /// True if a path, or a folder that it is in, is matched.
    #[must_use]
    pub fn cover(&self, path: &Utf8Path) -> bool {
        let set = self.set.as_ref();
        set.is_none_or(|set| path.ancestors().any(|part| set.is_match(part)))
    }

    /// The texts, as they were given.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// True if there is no glob, so that no path is matched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.as_ref().is_some_and(GlobSet::is_empty)
    }

    /// The texts that are paths, with nothing to be matched in them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let texts = self.texts.iter().map(String::as_str);
        texts.filter(|text| !text.contains(['*', '?', '[', '{', '\\']))
    }
}

impl FromStr for Globs {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        Self::new([text.to_owned()])
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.set.is_some() == other.set.is_some() && self.texts == other.texts
    }
}

impl Eq for Globs {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered() {
        for (glob, path, covered) in [
            ("web/**", "web/compose.yaml", true),
            ("web/**", "web/a/b/compose.yaml", true),
            ("web", "web/a/compose.yaml", true),
            ("./web/", "web/a/compose.yaml", true),
            (".", "web/compose.yaml", true),
            ("**", "compose.yaml", true),
            ("web/*", "web/a/compose.yaml", true),
            ("*.yaml", "compose.yaml", true),
            ("*.yaml", "web/compose.yaml", false),
            ("**/*.yaml", "web/compose.yaml", true),
            ("web", "website/compose.yaml", false),
            ("../shop/**", "../shop/compose.yaml", true),
        ] {
            let globs: Globs = glob.parse().unwrap();
            assert_eq!(globs.cover(path.into()), covered, "{glob} {path}");
        }
        assert!(Globs::default().cover("any/compose.yaml".into()));
        assert!(!Globs::new([]).unwrap().cover("any/compose.yaml".into()));
    }
}
