//! An entry of its own for a publish whose origin others share.
//!
//! What pulls the shared entries in - an alias, a merge key, `extends` - is where a copy of them is
//! written, with the new numbers. The copy has the same scalars, quotes and variables included.

use super::feed::{Feed, Link, Source};
use super::layout::{needs_quotes, quoted, style};
use super::patch::{Format, Scope};
use super::shelf::{Book, Place};
use super::site::{self, Plan, SEVERAL};
use super::spell::TextEdit;
use crate::span::Span;
use crate::yaml::{How, Mapping, Node, Style, Value};

/// The edit at the step at `place`, for all that it pulls in.
pub(super) fn edit(
    feed: &Feed<'_>,
    place: Place,
    plan: &Plan,
) -> Result<(usize, TextEdit), String> {
    let fed = feed.fed(&Link::Step(place));
    let how = fed.iter().find_map(|source| feed.step(*source, place));
    let copy = Copy { feed, plan, fed };
    let edit = match how {
        Some(How::Alias) => copy.alias(place),
        Some(How::Merge) => copy.merge(place),
        Some(How::Extends) => copy.extends(place),
        Some(How::Include) => Err(
            "it is included here and elsewhere, and an included service cannot be changed where \
             it is included: move it in an override file (--into override)"
                .into(),
        ),
        None => Err("what shares its number was not found again".into()),
    };
    Ok((place.book, edit?))
}

/// The text of an entry, with the new number if it moves.
pub(super) fn copied(
    feed: &Feed<'_>,
    plan: &Plan,
    book: &Book<'_>,
    item: &Node,
) -> Result<String, String> {
    let fed: Vec<Source> = plan.keys().copied().collect();
    let fed = &fed[..];
    Copy { feed, plan, fed }.node(book, item, false)
}

/// A string between quotes.
pub(super) fn text(value: &str) -> String {
    quoted(value)
}

/// Copies entries that a step pulls in.
struct Copy<'s> {
    feed: &'s Feed<'s>,
    plan: &'s Plan,
    /// What the step feeds.
    fed: &'s [Source],
}

impl Copy<'_> {
    /// The alias becomes a copy of what it stands for.
    fn alias(&self, place: Place) -> Result<TextEdit, String> {
        let book = self.feed.shelf.book(place);
        let node = book
            .pulled_in(place)
            .ok_or("its alias was not found again")?;
        let text = match &node.value {
            Value::Mapping(map) if map.get("ports").is_some() => {
                let token = &book.text()[place.range()];
                let ports = map.get("ports").ok_or("it has no ports")?;
                format!("{{<<: {token}, ports: {}}}", self.node(book, ports, true)?)
            }
            Value::Mapping(_) | Value::Sequence(_) if !self.is_port(book, node) => {
                return Err("all services are one alias: write them out one by one".into());
            }
            _ => self.node(book, node, book.in_flow_at(place))?,
        };
        Ok(entries(self.span(book, place), text))
    }

    /// Whether a node is an entry that is copied, or a list of such.
    fn is_port(&self, book: &Book<'_>, node: &Node) -> bool {
        let nodes = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        nodes.iter().any(|node| {
            self.fed.iter().any(|source| {
                let entry = self.feed.entry(*source);
                std::ptr::eq(self.feed.shelf.book(entry), book)
                    && (entry.start, entry.end) == (node.span.start, node.span.end)
            })
        })
    }

    /// The mapping with the merge key gets the key itself.
    fn merge(&self, place: Place) -> Result<TextEdit, String> {
        let book = self.feed.shelf.book(place);
        let around = book.around(place);
        let map = around.and_then(Node::as_mapping);
        let (node, map) = around.zip(map).ok_or("its merge key was not found again")?;
        let merged = |key: &str| {
            let value = map.get(key)?;
            let here = |span: Span| (span.start, span.end) == (place.start, place.end);
            value
                .steps()
                .iter()
                .any(|step| here(step.span))
                .then_some(value)
        };
        let insert = |value: Insert| book.insert(node, place, "<<", value);
        if let Some(ports) = merged("ports") {
            return insert(Insert::list("", self.items(book, ports)?));
        }
        let published = merged("published").ok_or(
            "its service comes from a merge key (`<<`): write the service out below that key",
        )?;
        insert(Insert::scalar(
            "published",
            self.node(book, published, true)?,
        ))
    }

    /// The service gets a list of its own, instead of that of the service it extends.
    fn extends(&self, place: Place) -> Result<TextEdit, String> {
        let book = self.feed.shelf.book(place);
        let around = book.around(place);
        let map = around.and_then(Node::as_mapping);
        let (node, map) = around.zip(map).ok_or("its `extends` was not found again")?;
        let mut items = Vec::new();
        let mut last = None;
        let first = self.fed.first().ok_or("nothing moves")?.publish;
        // an entry that is replaced anyway need not be there
        for source in self.fed.iter().filter(|source| source.index == 0) {
            let id = source.publish;
            if (id.project, id.service) != (first.project, first.service) {
                continue;
            }
            if last.replace(self.feed.entry(*source)) == Some(self.feed.entry(*source)) {
                continue; // a range that Compose expands
            }
            let item = self.feed.item(*source);
            let (there, item) = item.ok_or("its entry was not found again")?;
            items.push(self.node(there, item, false)?);
        }
        match own_ports(map) {
            None => book.insert(node, place, "extends", Insert::list("!override ", items)),
            Some(ports) => book.prepend(ports, "!override ", &items),
        }
    }

    /// The entries of a list.
    fn items(&self, book: &Book<'_>, list: &Node) -> Result<Vec<String>, String> {
        let items = list.as_sequence().ok_or("its ports are not a list")?;
        items
            .iter()
            .map(|item| self.node(book, item, false))
            .collect()
    }

    /// The text of a node with the new numbers.
    fn node(&self, book: &Book<'_>, node: &Node, in_flow: bool) -> Result<String, String> {
        match &node.value {
            Value::Sequence(items) => {
                let items: Result<Vec<_>, _> = items
                    .iter()
                    .map(|item| self.node(book, item, true))
                    .collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            Value::Mapping(map) => {
                let entries: Result<Vec<_>, String> = map
                    .iter()
                    .map(|(_, entry)| {
                        let key = &book.text()[entry.key.range()];
                        Ok(format!("{key}: {}", self.node(book, &entry.value, true)?))
                    })
                    .collect();
                Ok(format!("{{{}}}", entries?.join(", ")))
            }
            _ => self.scalar(book, node, in_flow),
        }
    }

    fn scalar(&self, book: &Book<'_>, node: &Node, in_flow: bool) -> Result<String, String> {
        let mut raw = book.text()[node.span.range()].to_owned();
        if let Some(edit) = self.number(book, node)? {
            let start = (edit.span.start - node.span.start) as usize;
            raw.replace_range(start..start + edit.span.len() as usize, &edit.text);
        } else if style(&raw, node) == Style::Block || raw.contains('\n') {
            let text = node
                .as_str()
                .ok_or("its entry is written on several lines")?;
            return Ok(quoted(text));
        }
        let plain = !raw.starts_with(['"', '\'']);
        Ok(match plain && in_flow && needs_quotes(&raw, true) {
            true if !needs_quotes(&raw, false) => quoted(&raw),
            _ if raw.is_empty() => "null".to_owned(),
            _ => raw,
        })
    }

    /// The edit of the number in a scalar, if one that moves is given there.
    fn number(&self, book: &Book<'_>, node: &Node) -> Result<Option<TextEdit>, String> {
        let here = |source: &Source| {
            let scalar = self.feed.scalar(*source);
            scalar.is_some_and(|scalar| {
                std::ptr::eq(scalar.book, book) && scalar.node.span == node.span
            })
        };
        let sources: Vec<Source> = self.fed.iter().copied().filter(here).collect();
        let moved = |source: &Source| {
            let placed = self.plan.get(source);
            placed.is_some_and(|placed| !self.is_outside(&placed.link))
        };
        let moving: Vec<Source> = sources.iter().copied().filter(moved).collect();
        if moving.is_empty() {
            return Ok(None);
        }
        if moving.len() != sources.len() {
            return Err(SEVERAL.into());
        }
        let (_, edit) = site::entry_edit(self.feed, self.plan, &moving)?;
        let inside = node.span.start <= edit.span.start && edit.span.end <= node.span.end;
        inside
            .then_some(Some(edit))
            .ok_or_else(|| "its entry is written in several places".into())
    }

    /// Whether a place is in no compose file.
    fn is_outside(&self, link: &Link) -> bool {
        match link {
            Link::Shell(_) => true,
            Link::Digits(place) => self.feed.shelf.book(*place).format == Format::Env,
            Link::Scalar(_) | Link::Step(_) => false,
        }
    }

    fn span(&self, book: &Book<'_>, place: Place) -> Span {
        Span::new(book.id(), place.start, place.end)
    }
}

/// The `ports` that a service has itself.
fn own_ports(map: &Mapping) -> Option<&Node> {
    map.get("ports").filter(|ports| ports.steps().is_empty())
}

fn entries(span: Span, text: impl Into<String>) -> TextEdit {
    TextEdit {
        span,
        text: text.into(),
        scope: Scope::Entries,
    }
}

/// A key that a mapping gets.
pub(super) struct Insert<'a> {
    key: &'a str,
    /// `!override ` or nothing.
    tag: &'a str,
    value: Inserted,
}

enum Inserted {
    Scalar(String),
    List(Vec<String>),
}

impl<'a> Insert<'a> {
    /// `ports`, as a list.
    pub fn list(tag: &'a str, items: Vec<String>) -> Self {
        Self {
            key: "ports",
            tag,
            value: Inserted::List(items),
        }
    }

    /// A scalar, as it is to be written.
    pub fn scalar(key: &'a str, text: String) -> Self {
        Self {
            key,
            tag: "",
            value: Inserted::Scalar(text),
        }
    }

    pub fn in_flow(&self) -> String {
        let value = match &self.value {
            Inserted::Scalar(text) => text.clone(),
            Inserted::List(items) => in_brackets(items),
        };
        format!("{}: {}{value}", self.key, self.tag)
    }

    /// The lines, the first without its indentation.
    pub fn in_block(&self, indent: &str, line_end: &str) -> String {
        match &self.value {
            Inserted::Scalar(text) => format!("{}: {text}", self.key),
            Inserted::List(items) => {
                let mut text = format!("{}: {}", self.key, self.tag).trim_end().to_owned();
                for item in items {
                    text.push_str(&format!("{line_end}{indent}  - {item}"));
                }
                text
            }
        }
    }
}

/// `[a, b]`; entries that stood on lines of their own may need quotes.
fn in_brackets(items: &[String]) -> String {
    let items = items.iter().map(|item| {
        match !item.starts_with(['"', '\'', '{', '[']) && needs_quotes(item, true) {
            true => quoted(item),
            false => item.clone(),
        }
    });
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

impl Book<'_> {
    /// Adds a key to the mapping `node`, behind the value at `after` of its key `beside` if that
    /// has lines of its own, else before the first key.
    pub fn insert(
        &self,
        node: &Node,
        after: Place,
        beside: &str,
        insert: Insert<'_>,
    ) -> Result<TextEdit, String> {
        let text = self.text();
        let at = |position: usize| Span::new(node.span.file, position as u32, position as u32);
        let start = node.span.start as usize;
        if text[start..].starts_with('{') {
            let more = self.before_item(start + 1, &insert.in_flow());
            return Ok(entries(at(start + 1), more));
        }
        let indent = self.indent(start);
        let line_end = self.line_end();
        // only if the line with the key holds nothing but key, value and comment
        let end = after.end as usize;
        let rest = text[end..].split('\n').next().unwrap_or_default();
        let alone = rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
        let before = text[..after.start as usize].trim_end();
        let behind = before
            .strip_suffix(':')
            .is_some_and(|text| text.trim_end().ends_with(beside));
        if alone && behind {
            let end = end + rest.trim_end_matches('\r').len();
            let lines = insert.in_block(&indent, line_end);
            return Ok(entries(at(end), format!("{line_end}{indent}{lines}")));
        }
        let lines = insert.in_block(&indent, line_end);
        Ok(entries(at(start), format!("{lines}{line_end}{indent}")))
    }

    /// Puts a tag before a list, and items before its own.
    pub fn prepend(&self, list: &Node, tag: &str, items: &[String]) -> Result<TextEdit, String> {
        const ODD: &str = "its `ports` are written in a way that portplan cannot add to";
        let text = self.text();
        let at = |start: usize, end: usize| Span::new(list.span.file, start as u32, end as u32);
        // where a list is not indented, it may be said to begin at its first entry
        let mut start = list.span.start as usize;
        if !text[start..].starts_with(['[', '-']) {
            let before = text[..start].trim_end_matches(' ');
            start = before.strip_suffix('-').ok_or(ODD)?.len();
        }
        if text[start..].starts_with('[') {
            let inner = in_brackets(items);
            let inner = &inner[1..inner.len() - 1];
            let inner = match list.as_sequence() {
                Some([_, ..]) if !items.is_empty() => self.before_item(start + 1, inner),
                _ => inner.to_owned(),
            };
            if !text[..start].trim_end().ends_with(':') {
                return Err("its `ports` have a tag already".into());
            }
            return Ok(entries(at(start, start + 1), format!("{tag}[{inner}")));
        }
        // `ports:`, perhaps a comment, and the lines of the list
        let key = text[..start]
            .rfind("ports")
            .ok_or("its `ports` were not found again")?;
        let colon = text[key..start].find(':').map(|at| key + at + 1);
        let colon = colon.ok_or("its `ports` were not found again")?;
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let lead = &text[line..start];
        if !text[start..].starts_with('-') || !lead.trim().is_empty() || line < colon {
            return Err(ODD.into());
        }
        let line_end = self.line_end();
        let mut new = format!(" {}{}", tag.trim_end(), &text[colon..start]);
        for item in items {
            new.push_str(&format!("- {item}{line_end}{lead}"));
        }
        Ok(entries(at(colon, start), new))
    }

    /// What stands before the keys of the block mapping at `start`, as blanks.
    pub fn indent(&self, start: usize) -> String {
        let text = self.text();
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let lead = text[line..start].trim_start_matches('\u{feff}');
        lead.chars()
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect()
    }

    /// An edit that adds entries at a place.
    pub fn insert_at(&self, at: usize, text: impl Into<String>) -> TextEdit {
        entries(Span::new(self.id(), at as u32, at as u32), text)
    }

    /// `new` with a comma, as it goes between a bracket and the item at `at`.
    pub fn before_item(&self, at: usize, new: &str) -> String {
        match self.text()[at..].starts_with(' ') {
            true => format!(" {new},"),
            false => format!("{new}, "),
        }
    }

    /// How its lines end.
    pub fn line_end(&self) -> &'static str {
        match self.text().find('\n') {
            Some(at) if self.text()[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}
