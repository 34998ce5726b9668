//! Where in the tree a walk is.

use std::fmt;
use std::rc::Rc;

/// A place in the tree, as a list from the leaf to the root, so that a walk needs no allocation.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// The document.
    Root,
    /// The value of a key.
    Key(&'a Path<'a>, &'a str),
    /// An item of a list.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// The keys from the root, unless a list is on the way.
    #[must_use]
    pub fn keys(&self) -> Option<Vec<Rc<str>>> {
        match self {
            Self::Root => Some(Vec::new()),
            Self::Key(parent, key) => {
                let mut keys = parent.keys()?;
                keys.push(Rc::from(*key));
                Some(keys)
            }
            Self::Index(..) => None,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => 1 + parent.depth(),
        }
    }

    fn key_at(&self, depth: usize) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Key(_, key) if self.depth() == depth => Some(key),
            Self::Key(parent, _) | Self::Index(parent, _) => parent.key_at(depth),
        }
    }

    /// What the value decides: `ports` of a service, or what else portplan must know.
    #[must_use]
    pub fn concern(&self) -> Concern {
        match (self.key_at(1), self.key_at(3), self.key_at(4)) {
            (Some("services"), Some("ports"), _) => Concern::Ports,
            (
                Some("services"),
                Some("network_mode" | "networks" | "profiles" | "scale" | "extends"),
                _,
            )
            | (Some("services"), Some("deploy"), Some("replicas"))
            | (Some("include" | "name"), ..) => Concern::Claims,
            (Some("networks"), Some(key), _) if key != "labels" && key != "ipam" => Concern::Claims,
            _ => Concern::Nothing,
        }
    }
}

/// What hangs on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// A published port itself.
    Ports,
    /// Whether, where or how often ports are claimed.
    Claims,
    /// No port.
    Nothing,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
