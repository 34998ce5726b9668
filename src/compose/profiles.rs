//! Profiles: which services are on (compose.md 6).

use super::text::Text;

/// The profiles that are turned on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profiles {
    /// Nobody chose: services without profiles are on, and any other may be.
    #[default]
    Unchosen,
    /// These; `*` is all.
    Chosen(Vec<String>),
}

impl Profiles {
    /// The profiles of `--profile`, else of `COMPOSE_PROFILES`, which separates them by commas.
    #[must_use]
    pub fn of(flags: &[String], variable: Option<&Text>) -> Self {
        if !flags.is_empty() {
            return Self::Chosen(flags.to_vec());
        }
        match variable.map(Text::value) {
            None | Some("") => Self::Unchosen,
            Some(list) => Self::Chosen(list.split(',').map(|name| name.trim().into()).collect()),
        }
    }

    /// Whether a service in `profiles` is on; where nobody chose, only one in none is.
    #[must_use]
    pub fn enable(&self, profiles: &[String]) -> bool {
        profiles.is_empty()
            || match self {
                // Compose splits an unset COMPOSE_PROFILES into one profile without a name
                Self::Unchosen => profiles.iter().any(String::is_empty),
                Self::Chosen(on) => on.iter().any(|name| name == "*" || profiles.contains(name)),
            }
    }

    /// Whether a service in `profiles` can be on: where nobody chose, any can.
    #[must_use]
    pub fn may_enable(&self, profiles: &[String]) -> bool {
        *self == Self::Unchosen || self.enable(profiles)
    }
}
