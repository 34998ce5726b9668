//! Events to trees: anchors, aliases, merge keys, duplicate keys.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{
    ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span as Place, StructureStyle,
};

use super::blanks::{self, Leaf};
use super::node::{Entry, How, Mapping, Node, Step, Style, Tag, Value};
use super::words::Stopped;
use super::{YamlError, dialect, merge, scalar};
use crate::source::SourceFile;
use crate::span::{FileId, Span};

/// Aliases may repeat nodes up to this many in one file: far beyond any real file, and reached in
/// milliseconds by a file made to exhaust memory.
const MAX_NODES: u32 = 1_000_000;

/// Aliases may nest nodes this deep: walks call themselves for each level.
const MAX_DEPTH: u32 = 500;

/// How many bytes to scan again for comments that the scanner refuses.
const MAX_RESCAN: usize = 16 << 20;

/// Reads the documents of a file: the root of each, [`Value::Null`] if it is empty.
///
/// # Errors
/// The first thing that Compose's YAML reader would refuse, with its place.
pub fn parse(file: &SourceFile, id: FileId) -> Result<Vec<Node>, YamlError> {
    scan(file, id, |reader, text, _| {
        let builder = Builder::new(reader, text).read()?;
        if builder.has_tabs {
            let refuse = |refusal| Stop::Yaml(reader.refusal(refusal));
            blanks::check(text, &builder.leaves).map_err(refuse)?;
        }
        Ok(builder.documents)
    })
}

/// Has a file's text read as the scanner takes it; again, with the places of comments that the
/// scanner refuses and go-yaml takes, until it takes them, too.
pub(super) fn scan<T>(
    file: &SourceFile,
    id: FileId,
    mut read: impl FnMut(Reader<'_>, &str, &[usize]) -> Result<T, Stop>,
) -> Result<T, YamlError> {
    let bom = file.bom_len();
    let text = &file.text()[bom..];
    let reader = Reader {
        id,
        bom,
        text: file.text(),
    };
    dialect::check(text).map_err(|refusal| reader.refusal(refusal))?;
    let mut text = dialect::line_breaks(text);
    let mut rescans = MAX_RESCAN;
    let mut blanked = Vec::new();
    loop {
        match read(reader, &text, &blanked) {
            Ok(found) => return Ok(found),
            Err(Stop::Yaml(error)) => return Err(error),
            Err(Stop::Scan(error, bracket)) => match error.marker().byte_offset() {
                Some(at)
                    if *error.kind() == ErrorKind::CommentNotSeparated
                        && rescans > text.len()
                        && text.as_bytes().get(at) == Some(&b'#') =>
                {
                    rescans -= text.len();
                    dialect::blank_comment(text.to_mut(), at);
                    blanked.push(at);
                }
                _ => return Err(reader.refuse(&error, bracket)),
            },
        }
    }
}

/// Why reading stopped.
pub(super) enum Stop {
    /// The scanner refuses the text; the innermost bracket that is open there.
    Scan(ScanError, Option<Span>),
    /// We do.
    Yaml(YamlError),
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Scan(error, None)
    }
}

impl From<YamlError> for Stop {
    fn from(error: YamlError) -> Self {
        Self::Yaml(error)
    }
}

/// Turns the scanner's positions into spans.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    id: FileId,
    bom: usize,
    text: &'a str,
}

impl Reader<'_> {
    fn at(&self, marker: &Marker) -> u32 {
        let at = marker.byte_offset().unwrap_or(0) + self.bom;
        // the scanner sees several bytes where the text has one of the odd line breaks
        self.text.floor_char_boundary(at) as u32
    }

    pub(super) fn span(&self, place: Place) -> Span {
        let start = self.at(&place.start);
        Span::new(self.id, start, self.at(&place.end).max(start))
    }

    /// What is from a byte of the text without its byte order mark to the end of the line.
    pub(super) fn rest_of_line(&self, at: usize) -> Span {
        let start = at + self.bom;
        let rest = &self.text[start..];
        let end = start + rest.find(['\n', '\r']).unwrap_or(rest.len());
        Span::new(self.id, start as u32, end as u32)
    }

    fn refusal(&self, (message, range, help): dialect::Refusal) -> YamlError {
        let [start, end] = [range.start, range.end].map(|at| (at + self.bom) as u32);
        YamlError::new(message, Span::new(self.id, start, end)).help(help)
    }

    /// What a span covers of the text without its byte order mark.
    fn slice<'t>(&self, text: &'t str, span: Span) -> &'t str {
        let range = span.start as usize - self.bom..span.end as usize - self.bom;
        text.get(range).unwrap_or_default()
    }

    fn refuse(&self, error: &ScanError, bracket: Option<Span>) -> YamlError {
        let stopped = Stopped {
            text: self.text,
            id: self.id,
            at: self.at(error.marker()) as usize,
            bracket: bracket.map(|span| span.start as usize),
        };
        stopped.error(error)
    }
}

/// A collection whose end has not come yet.
struct Open {
    start: Span,
    /// The column of the innermost block collection; -1 outside of any.
    indent: i32,
    in_flow: bool,
    /// It is `!override`, or inside of one: Compose looks at no tags in there.
    overridden: bool,
    anchor: usize,
    name: Option<Rc<str>>,
    tag: Option<Tag>,
    body: Body,
}

enum Body {
    Sequence(Vec<Node>),
    Mapping {
        map: Mapping,
        key: Option<(Rc<str>, Span, bool, bool)>,
        merge: Option<(Node, Span)>,
    },
    Document(Option<Node>),
}

struct Builder<'a> {
    reader: Reader<'a>,
    text: &'a str,
    documents: Vec<Node>,
    /// The scalars, if there are tabs between them to look at.
    leaves: Vec<Leaf>,
    has_tabs: bool,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    /// go-yaml keeps its anchors from one document to the next (compose.md 5).
    by_name: HashMap<Rc<str>, Node>,
    /// The anchored scalar that the next anchor event names.
    anchor_of_last: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(reader: Reader<'a>, text: &'a str) -> Self {
        Self {
            reader,
            text,
            documents: Vec::new(),
            leaves: Vec::new(),
            has_tabs: text.contains('\t'),
            open: Vec::new(),
            anchors: HashMap::new(),
            by_name: HashMap::new(),
            anchor_of_last: None,
        }
    }

    fn read(mut self) -> Result<Self, Stop> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
        };
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, place) = event.map_err(|error| {
                let innermost = self.open.last().filter(|open| open.in_flow);
                Stop::Scan(error, innermost.map(|open| open.start))
            })?;
            self.event(event, place)?;
        }
        Ok(self)
    }

    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), YamlError> {
        let span = self.reader.span(place);
        match event {
            Event::DocumentStart(explicit, _) => {
                if !explicit && !self.documents.is_empty() {
                    return Err(YamlError::new("a second document without `---`", span)
                        .help("remove the `...` above, or write `---` below it"));
                }
                self.begin(place, None, 0, None, Body::Document(None));
            }
            Event::SequenceStart(style, anchor, tag) => {
                let tag = self.tag(tag.as_deref());
                let body = Body::Sequence(Vec::new());
                self.begin(place, Some(style), anchor, tag, body);
            }
            Event::MappingStart(style, anchor, tag) => {
                let body = Body::Mapping {
                    map: Mapping::new(),
                    key: None,
                    merge: None,
                };
                let tag = self.tag(tag.as_deref());
                self.begin(place, Some(style), anchor, tag, body);
            }
            Event::DocumentEnd | Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.leaf(span, style)?;
                let full = tag
                    .as_deref()
                    .map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                let value = scalar::resolve(&text, style, full.as_deref()).map_err(|message| {
                    YamlError::new(message, span).help("correct the value, or remove the tag")
                })?;
                let mut node = Node::new(value, span);
                node.tag = self.tag(tag.as_deref());
                self.anchor(anchor, None, &node);
                self.anchor_of_last = (anchor != 0).then_some(anchor);
                self.add(node, Some((&text, style)))?;
            }
            Event::Anchor(id, name) => {
                let name: Rc<str> = name.into();
                match self.open.last_mut() {
                    Some(open) if open.anchor == id && self.anchor_of_last != Some(id) => {
                        open.name = Some(name);
                    }
                    _ => {
                        if let Some(known) = self.anchors.get(&id) {
                            self.by_name.insert(name, known.clone());
                        }
                    }
                }
            }
            Event::Alias(id) => {
                let known = self.anchors.get(&id).cloned();
                self.alias(known, span)?;
            }
            Event::UnresolvedAlias(name) => {
                let known = self.by_name.get(&*name).cloned();
                if known.is_none() {
                    return Err(YamlError::new(
                        format!("there is no anchor `{name}` above this"),
                        span,
                    )
                    .help(format!(
                        "write `&{name}` before the value that is meant, above this line"
                    )));
                }
                self.alias(known, span)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks at a scalar as it is written.
    fn leaf(&mut self, span: Span, style: Style) -> Result<(), YamlError> {
        let raw = self.reader.slice(self.text, span);
        let (indent, in_flow) = match self.open.last() {
            Some(open) => (open.indent, open.in_flow),
            None => (-1, false),
        };
        if let Some(message) = dialect::scalar(raw, style, in_flow) {
            return Err(
                YamlError::new(message, span).help("write it otherwise: Compose reads YAML 1.1")
            );
        }
        if self.has_tabs && (!raw.is_empty() || style == Style::Block) {
            let start = span.start as usize - self.reader.bom;
            self.leaves.push(Leaf {
                range: start..start + raw.len(),
                style,
                indent,
            });
        }
        Ok(())
    }

    fn overridden(&self) -> bool {
        self.open.last().is_some_and(|open| open.overridden)
    }

    /// The tags Compose acts on; others it ignores.
    fn tag(&self, tag: Option<&granit_parser::Tag>) -> Option<Tag> {
        match tag.map(|tag| (tag.handle(), tag.suffix()))? {
            _ if self.overridden() => None,
            ("!", "reset") => Some(Tag::Reset),
            ("!", "override") => Some(Tag::Override),
            _ => None,
        }
    }

    fn begin(
        &mut self,
        place: Place,
        style: Option<StructureStyle>,
        anchor: usize,
        tag: Option<Tag>,
        body: Body,
    ) {
        self.anchor_of_last = None;
        let indent = match style {
            Some(StructureStyle::Block) => i32::try_from(place.start.col()).unwrap_or(i32::MAX),
            _ => self.open.last().map_or(-1, |open| open.indent),
        };
        self.open.push(Open {
            start: self.reader.span(place),
            indent,
            in_flow: style == Some(StructureStyle::Flow),
            overridden: self.overridden() || tag == Some(Tag::Override),
            anchor,
            name: None,
            tag,
            body,
        });
    }

    fn end(&mut self, end: Span) -> Result<(), YamlError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut span = open.start;
        let value = match open.body {
            Body::Document(root) => {
                self.documents
                    .push(root.unwrap_or_else(|| Node::new(Value::Null, span)));
                return Ok(());
            }
            Body::Sequence(items) => {
                if let Some(last) = items.last() {
                    span.end = span.end.max(written_at(last).end);
                }
                Value::Sequence(Rc::new(items))
            }
            Body::Mapping { mut map, merge, .. } => {
                if let Some((_, last)) = map.iter().last() {
                    span.end = span.end.max(last.key.end).max(written_at(&last.value).end);
                }
                if let Some((from, key)) = merge {
                    span.end = span.end.max(key.end).max(written_at(&from).end);
                    merge::apply(&mut map, &from, key)?;
                }
                Value::Mapping(Rc::new(map))
            }
        };
        // a flow collection ends at its bracket
        span.end = span.end.max(if end.is_empty() { 0 } else { end.end });
        let mut node = Node::new(value, span);
        node.tag = open.tag;
        let excess = if node.below.nodes > MAX_NODES {
            Some(format!("aliases make more than {MAX_NODES} nodes of this"))
        } else if node.below.depth > MAX_DEPTH {
            Some(format!("aliases nest this more than {MAX_DEPTH} deep"))
        } else {
            None
        };
        if let Some(message) = excess {
            return Err(YamlError::new(message, span)
                .help("no compose file needs that; was it made to exhaust memory?"));
        }
        self.anchor(open.anchor, open.name, &node);
        self.add(node, None)
    }

    fn anchor(&mut self, id: usize, name: Option<Rc<str>>, node: &Node) {
        if id != 0 {
            let known = node.without_resets();
            if let Some(name) = name {
                self.by_name.insert(name, known.clone());
            }
            self.anchors.insert(id, known);
        }
    }

    fn alias(&mut self, known: Option<Node>, span: Span) -> Result<(), YamlError> {
        let Some(node) = known else {
            return Err(
                YamlError::new("the value of this anchor contains itself", span)
                    .help("an alias cannot stand inside the value that it names"),
            );
        };
        self.add(
            node.through(&[Step {
                how: How::Alias,
                span,
            }]),
            None,
        )
    }

    /// Puts a complete node into the collection that is open.
    fn add(&mut self, node: Node, scalar: Option<(&str, Style)>) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        match &mut open.body {
            Body::Document(root) => *root = Some(node),
            Body::Sequence(items) => items.push(node),
            Body::Mapping { map, key, merge } => match key.take() {
                None => {
                    let Some((text, style)) = scalar else {
                        return Err(YamlError::new(
                            format!("{} cannot be a key", node.kind()),
                            node.steps().first().map_or(node.span, |step| step.span),
                        )
                        .help(match self.reader.text[node.span.start as usize..].starts_with('{') {
                            true => "put the value in quotes; if this is a template, check what is made of it",
                            false => "write plain text as the key",
                        }));
                    };
                    if open.in_flow && self.reader.slice(self.text, node.span).contains('\n') {
                        return Err(YamlError::new("a key on two lines", node.span)
                            .help("write the key on one line"));
                    }
                    let is_string = matches!(node.value, Value::Str(_));
                    let is_merge = style == Style::Plain && text == "<<";
                    let previous = match merge {
                        Some((_, first)) if is_merge => Some(*first),
                        _ => map.entry(text).map(|entry| entry.key),
                    };
                    if let Some(first) = previous {
                        return Err(YamlError::new(
                            format!("the key `{text}` appears twice"),
                            node.span,
                        )
                        .with(first, "first here")
                        .help("remove or rename one of them: Compose refuses the file"));
                    }
                    *key = Some((text.into(), node.span, is_string, is_merge));
                }
                Some((_, span, _, true)) => *merge = Some((node, span)),
                Some((name, span, is_string, false)) => {
                    map.insert(
                        name,
                        Entry {
                            key: span,
                            is_string,
                            value: node,
                        },
                    );
                }
            },
        }
        Ok(())
    }
}

/// The bytes of a value: of the alias, if it is one.
fn written_at(node: &Node) -> Span {
    node.steps().first().map_or(node.span, |step| step.span)
}
