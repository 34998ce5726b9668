//! One document made ready for merging: variables replaced, `!reset` and `!override` noted.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::environment::Environment;
use super::interpolate::{InterpolationErrorKind, Lookup, interpolate};
use super::path::{Concern, Path};
use super::port;
use super::problem::{Kind, Problem};
use super::text::Text;
use crate::source::SourceMap;
use crate::span::Span;
use crate::yaml::{Mapping, Node, Step, Str, Tag, Value};

/// The keys that lead to a value which earlier files must forget.
pub type Reset = Vec<Rc<str>>;

/// A string that refers to variables, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The bytes of the scalar, with its quotes.
    pub span: Span,
    /// Its value, with who wrote each of its bytes.
    pub value: Text,
    /// The variables it names, those in defaults included.
    pub variables: BTreeSet<String>,
    /// Those of them that nobody set and that became blank.
    pub unset: BTreeSet<String>,
}

/// A document with its variables replaced.
pub struct Document {
    /// A mapping.
    pub root: Node,
    /// What its `!reset` and `!override` tags forget.
    pub resets: Vec<Reset>,
}

/// Replaces the variables of a document and notes its tags.
///
/// Values that cannot be known become [`Value::Unknown`], with a problem that says why.
pub fn prepare(
    root: &Node,
    sources: &SourceMap,
    environment: &Environment,
    unset: &mut BTreeSet<String>,
    templates: &mut Vec<Template>,
    problems: &mut Vec<Problem>,
) -> Option<Document> {
    if !matches!(root.value, Value::Mapping(_)) {
        problems.push(
            Problem::error(
                Kind::Yaml,
                format!("the document is {}, not a mapping", root.kind()),
            )
            .at(root.span, "`services:` is expected")
            .help("a compose file is a mapping with the key `services`"),
        );
        return None;
    }
    let mut walk = Walk {
        sources,
        environment,
        unset,
        templates,
        problems,
        resets: Vec::new(),
    };
    let mut root = walk.node(root, Path::Root)?;
    let resets = walk.resets;
    settle(&mut root, problems);
    Some(Document { root, resets })
}

/// An environment that notes what it is asked for.
struct Watched<'a> {
    environment: &'a Environment,
    asked: RefCell<BTreeSet<String>>,
}

impl Lookup for Watched<'_> {
    fn lookup(&self, name: &str) -> Option<&Text> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.environment.lookup(name)
    }
}

struct Walk<'a> {
    sources: &'a SourceMap,
    environment: &'a Environment,
    unset: &'a mut BTreeSet<String>,
    templates: &'a mut Vec<Template>,
    problems: &'a mut Vec<Problem>,
    resets: Vec<Reset>,
}

impl Walk<'_> {
    /// The node with its variables replaced; `None` of one that resets itself.
    fn node(&mut self, node: &Node, path: Path<'_>) -> Option<Node> {
        if !node.needs_work() {
            return Some(node.clone());
        }
        if node.tag.is_some() {
            // an index leads nowhere: Compose forgets no single entry of a list
            self.resets.extend(path.keys());
        }
        if node.tag == Some(Tag::Reset) {
            return None;
        }
        Some(match &node.value {
            Value::Str(text) => self.string(node, text, path),
            Value::Sequence(items) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(i, item)| self.node(item, Path::Index(&path, i)));
                node.holding(Value::Sequence(Rc::new(items.collect())))
            }
            Value::Mapping(map) => {
                let mut kept = Mapping::with_capacity(map.len());
                for (key, entry) in map.iter() {
                    if !entry.is_string {
                        self.odd_key(key, entry.key, path);
                        if path.concern() == Concern::Ports {
                            return Some(node.unknown());
                        }
                    } else if let Some(value) = self.node(&entry.value, Path::Key(&path, key)) {
                        let mut entry = entry.clone();
                        entry.value = value;
                        kept.insert(Rc::clone(key), entry);
                    }
                }
                node.holding(Value::Mapping(Rc::new(kept)))
            }
            _ => node.clone(),
        })
    }

    fn odd_key(&mut self, key: &str, span: crate::span::Span, path: Path<'_>) {
        let (kind, help) = match path.concern() {
            Concern::Ports => (
                Kind::Ports,
                format!("quote the entry, and write no blank after its colon: \"{key}:…\""),
            ),
            _ => (Kind::Yaml, format!("quote the key: \"{key}\"")),
        };
        let place = match path {
            Path::Root => "the document".to_owned(),
            path => format!("`{path}`"),
        };
        self.problems.push(
            Problem::error(kind, format!("the key `{key}` in {place} is not a string"))
                .at(span, "Compose takes only strings as keys")
                .help(help),
        );
    }

    fn string(&mut self, node: &Node, text: &Str, path: Path<'_>) -> Node {
        let Some(template) = node.to_text(self.sources) else {
            return node.clone();
        };
        if !text.as_str().contains('$') {
            return node.clone();
        }
        let environment = Watched {
            environment: self.environment,
            asked: RefCell::default(),
        };
        let mut unset = BTreeSet::new();
        let result = interpolate(&template, &environment, &mut unset);
        self.unset.extend(unset.iter().cloned());
        match result {
            Ok(text) => {
                self.templates.push(Template {
                    span: node.span,
                    value: text.clone(),
                    variables: environment.asked.into_inner(),
                    unset,
                });
                node.holding(Value::Str(Str::Written(Rc::new(text))))
            }
            Err(error) => {
                let concern = path.concern();
                let kind = match concern {
                    Concern::Ports => Kind::Ports,
                    _ => Kind::Interpolation,
                };
                let message = format!("{error} (`{path}`)");
                let problem = match concern {
                    Concern::Nothing => Problem::notice(kind, message),
                    _ => Problem::error(kind, message),
                };
                let span = template.extent(error.range).unwrap_or(node.span);
                let problem = problem.at(span, "here");
                self.problems.push(match &error.kind {
                    InterpolationErrorKind::MissingRequired { variable, .. } => {
                        problem.help(format!("set it in the shell or in `.env`: {variable}=…"))
                    }
                    _ => problem,
                });
                node.unknown()
            }
        }
    }
}

/// Hands down to each port what pulled its list or its service in, and makes targets numbers.
fn settle(root: &mut Node, problems: &mut Vec<Problem>) {
    let mut outer: Vec<Step> = root.steps().to_vec();
    let Some(services) = root
        .as_mapping_mut()
        .and_then(|map| map.get_mut("services"))
    else {
        return;
    };
    outer.extend(services.steps());
    let Some(services) = services.as_mapping_mut() else {
        return;
    };
    for (name, entry) in services.iter_mut() {
        let mut steps = outer.clone();
        steps.extend(entry.value.steps());
        let Some(ports) = entry
            .value
            .as_mapping_mut()
            .and_then(|map| map.get_mut("ports"))
        else {
            continue;
        };
        steps.extend(ports.steps());
        *ports = port::cast_targets(pulled_in(ports, &steps), name, problems);
    }
}

/// The list with each entry brought here by `steps`.
#[must_use]
pub fn pulled_in(ports: &Node, steps: &[Step]) -> Node {
    match &ports.value {
        Value::Sequence(items) if !steps.is_empty() => {
            let items = items
                .iter()
                .map(|item| item.clone().through(steps))
                .collect();
            let mut list = ports.holding(Value::Sequence(Rc::new(items)));
            list.via = None;
            list
        }
        _ => ports.clone(),
    }
}

/// Removes from `tree` what a later document resets.
pub fn forget(tree: &mut Node, reset: &[Rc<str>]) {
    let Some(map) = tree.as_mapping_mut() else {
        return;
    };
    match reset {
        [] => {}
        [key] => {
            map.remove(key);
        }
        [key, rest @ ..] => {
            if let Some(value) = map.get_mut(key) {
                forget(value, rest);
            }
        }
    }
}
