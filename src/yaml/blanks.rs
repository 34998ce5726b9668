//! Where go-yaml takes no tab.
//!
//! YAML 1.2 lets tabs stand where they mean nothing. go-yaml does not: not before a token where
//! a key could begin, not in the indentation of a scalar that goes on, not even on lines that are
//! otherwise empty. This walks over the text between scalars as its scanner does
//! (`scannerc.go` of v3.0.4).

use std::ops::Range;

use super::dialect::Refusal;
use super::node::Style;

/// A scalar, and the context it stands in.
pub(super) struct Leaf {
    /// Its bytes.
    pub range: Range<usize>,
    pub style: Style,
    /// The column of the innermost block collection; -1 outside of any.
    pub indent: i32,
}

/// Finds the first tab that go-yaml refuses in a text with these scalars.
pub(super) fn check(text: &str, leaves: &[Leaf]) -> Result<(), Refusal> {
    Walk {
        text,
        at: 0,
        line: 0,
        flow: 0,
        key_allowed: true,
        token_on_line: false,
    }
    .all(leaves)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// Where the line begins.
    line: usize,
    /// How many flow collections are open.
    flow: u32,
    /// go-yaml's `simple_key_allowed`: a block could begin here.
    key_allowed: bool,
    token_on_line: bool,
}

impl Walk<'_> {
    fn all(mut self, leaves: &[Leaf]) -> Result<(), Refusal> {
        let mut leaves = leaves.iter().peekable();
        while let Some(byte) = self.byte() {
            while leaves.next_if(|leaf| leaf.range.end <= self.at).is_some() {}
            match leaves.peek() {
                Some(leaf) if leaf.style == Style::Block => {
                    if matches!(byte, b'|' | b'>') && self.flow == 0 {
                        self.block_scalar(leaf.indent)?;
                    } else {
                        self.between(byte)?;
                    }
                    continue;
                }
                Some(leaf) if leaf.range.start <= self.at => {
                    self.scalar(leaf)?;
                    continue;
                }
                _ => {}
            }
            self.between(byte)?;
        }
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The column, where only blanks are before it on the line.
    fn column(&self) -> i32 {
        i32::try_from(self.at - self.line).unwrap_or(i32::MAX)
    }

    /// Whether what follows the next `len` bytes is blank, or nothing.
    fn blank_after(&self, len: usize) -> bool {
        let next = self.text.as_bytes().get(self.at + len);
        next.is_none_or(|byte| b" \t\r\n".contains(byte))
    }

    fn break_line(&mut self) {
        self.at += if self.text[self.at..].starts_with("\r\n") {
            2
        } else {
            1
        };
        self.line = self.at;
        self.token_on_line = false;
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&keep) {
            self.at += 1;
        }
    }

    fn refuse<T>(&self, message: &str) -> Result<T, Refusal> {
        Err((
            message.into(),
            self.at..self.at + 1,
            "replace the tab with spaces",
        ))
    }

    /// A byte outside of scalars.
    fn between(&mut self, byte: u8) -> Result<(), Refusal> {
        let rest = &self.text[self.at..];
        match byte {
            b'\t' if self.flow == 0 && self.key_allowed => {
                return self.refuse("a tab cannot stand before a key or an item");
            }
            b' ' | b'\t' => self.at += 1,
            b'\r' | b'\n' => {
                self.break_line();
                self.key_allowed |= self.flow == 0;
            }
            b'#' => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
            b'%' if self.at == self.line => {
                self.skip_while(|byte| byte != b'\n' && byte != b'\r');
            }
            b'-' | b'.' if self.at == self.line && is_marker(rest) => self.token(3, false),
            b'[' | b'{' => {
                self.flow += 1;
                self.token(1, true);
            }
            b']' | b'}' => {
                self.flow = self.flow.saturating_sub(1);
                self.token(1, false);
            }
            b',' => self.token(1, true),
            b'-' | b'?' if self.blank_after(1) => {
                self.token(1, self.flow == 0);
                // what follows begins a line of its own
                self.token_on_line = false;
            }
            b':' => self.token(1, self.flow == 0 && !self.token_on_line),
            _ => {
                // an anchor, an alias or a tag
                let flow = self.flow > 0;
                self.token(1, false);
                self.skip_while(|byte| {
                    let ends = if flow {
                        b" \t\r\n,[]{}"
                    } else {
                        &b" \t\r\n"[..]
                    };
                    !ends.contains(&byte)
                });
            }
        }
        Ok(())
    }

    fn token(&mut self, len: usize, key_allowed: bool) {
        self.at += len;
        self.key_allowed = key_allowed;
        self.token_on_line = true;
    }

    /// A scalar in quotes or without; after one without, the blank lines are part of it.
    fn scalar(&mut self, leaf: &Leaf) -> Result<(), Refusal> {
        let plain = leaf.style == Style::Plain;
        let mut on_new_line = false;
        self.token(0, false);
        while let Some(byte) = self.byte() {
            match byte {
                b'\r' | b'\n' if plain || self.at < leaf.range.end => {
                    self.break_line();
                    on_new_line = true;
                }
                b'\t' if plain && on_new_line && self.column() <= leaf.indent => {
                    return self.refuse("a tab cannot indent");
                }
                b' ' | b'\t' if plain => self.at += 1,
                _ if self.at < leaf.range.end => {
                    on_new_line = false;
                    self.token_on_line = true;
                    self.at += 1;
                }
                _ => break,
            }
        }
        self.key_allowed = plain && on_new_line;
        Ok(())
    }

    /// `|` or `>`: its lines, and the blank ones after it.
    fn block_scalar(&mut self, outer: i32) -> Result<(), Refusal> {
        let header = self.at;
        self.skip_while(|byte| byte != b'\n' && byte != b'\r');
        let digit = self.text.as_bytes()[header + 1..self.at]
            .iter()
            .take(2)
            .find(|byte| byte.is_ascii_digit());
        let mut indent = digit.map(|digit| outer.max(0) + i32::from(digit - b'0'));
        while self.byte().is_some() {
            self.break_line();
            self.indentation(&mut indent, outer)?;
            if Some(self.column()) != indent {
                break;
            }
            self.skip_while(|byte| byte != b'\n' && byte != b'\r');
        }
        self.key_allowed = true;
        Ok(())
    }

    /// Blank lines and the blanks before the next line, which decide the indent of the first.
    fn indentation(&mut self, indent: &mut Option<i32>, outer: i32) -> Result<(), Refusal> {
        let mut widest = 0;
        loop {
            while self.byte() == Some(b' ') && indent.is_none_or(|indent| self.column() < indent) {
                self.at += 1;
            }
            widest = widest.max(self.column());
            match self.byte() {
                Some(b'\t') if indent.is_none_or(|indent| self.column() < indent) => {
                    return self.refuse("a tab cannot indent a block of text");
                }
                Some(b'\r' | b'\n') => self.break_line(),
                _ => break,
            }
        }
        indent.get_or_insert(widest.max(outer + 1).max(1));
        Ok(())
    }
}

/// `---` or `...`
fn is_marker(rest: &str) -> bool {
    let after = rest
        .strip_prefix("---")
        .or_else(|| rest.strip_prefix("..."));
    after.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}
