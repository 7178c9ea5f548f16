//! A lenient reader of one JSON object: it finds where values stand and copies nothing.
//!
//! Logs are full of JSON that no parser takes: nginx without `escape=json` writes `\x22` and unquoted `-` or `502, 504`, Apache
//! writes `\x` and `\v`, raw bytes and controls get in everywhere. None of that hides where a value ends: a string ends at the
//! first `"` without a backslash before it, and that is all that is asked of one.

use crate::escape::bare_quote;
use crate::keyed::found::Found;
use crate::keyed::paths::{Paths, Place};
use crate::spans::Span;

/// How deep objects and arrays are looked into; what is deeper is passed over.
const DEPTH_MAX: usize = 64;

/// Where reading failed, and what should have been there.
pub(crate) type Missing = (usize, &'static str);

/// Finds the values of the object that `line` is.
pub(crate) fn read(line: &[u8], paths: &Paths, found: &mut Found<'_>) -> Result<(), Missing> {
    let mut scanner = Scanner { line, at: 0, paths, found };
    scanner.blank();
    if !scanner.took(b'{') {
        return Err((scanner.at, "`{`"));
    }
    scanner.object(Some(Paths::root()), 1).map_err(|wanted| (scanner.at, wanted))?;
    scanner.blank();
    if scanner.at == line.len() { Ok(()) } else { Err((scanner.at, "the end of the line")) }
}

struct Scanner<'l, 'f, 's> {
    line: &'l [u8],
    at: usize,
    paths: &'l Paths,
    found: &'f mut Found<'s>,
}

impl Scanner<'_, '_, '_> {
    /// The members of an object whose `{` has been taken.
    fn object(&mut self, place: Option<Place>, depth: usize) -> Result<(), &'static str> {
        loop {
            self.blank();
            if self.took(b'}') {
                return Ok(());
            }
            let key = self.string("`\"` and a key")?;
            self.blank();
            if !self.took(b':') {
                return Err("`:`");
            }
            let child = place.and_then(|place| self.paths.walk(place, key.of(self.line)));
            self.value(child, depth, false)?;
            self.blank();
            if !self.took(b',') && self.peek() != Some(b'}') {
                return Err("`,` or `}`");
            }
        }
    }

    /// Of an array only the first item counts, as if it stood there alone: `"User-Agent":["curl"]`.
    fn array(&mut self, place: Option<Place>, depth: usize) -> Result<(), &'static str> {
        let mut place = place;
        loop {
            self.blank();
            if self.took(b']') {
                return Ok(());
            }
            self.value(place.take(), depth, true)?;
            self.blank();
            if !self.took(b',') && self.peek() != Some(b']') {
                return Err("`,` or `]`");
            }
        }
    }

    fn value(&mut self, place: Option<Place>, depth: usize, in_array: bool) -> Result<(), &'static str> {
        self.blank();
        let slot = place.and_then(|place| self.paths.slot(place));
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let value = self.string("`\"`")?;
                self.found.take(slot, value);
            }
            Some(opening @ (b'{' | b'[')) => {
                let goes_on = |place| slot.is_some() || self.paths.enter(place).is_some();
                let inside = place.filter(|&place| depth < DEPTH_MAX && goes_on(place));
                if inside.is_none() {
                    return self.skip();
                }
                self.at += 1;
                if opening == b'[' {
                    return self.array(inside, depth + 1);
                }
                self.found.take(slot, Span { start, end: start + 1 });
                self.object(place.and_then(|place| self.paths.enter(place)), depth + 1)?;
            }
            Some(_) => {
                let value = self.bare(in_array);
                self.found.take(slot, value);
            }
            None => return Err("a value"),
        }
        Ok(())
    }

    /// A value without quotes. What nginx writes without them may hold commas (`502, 504`): one that no key follows does
    /// not end it.
    fn bare(&mut self, in_array: bool) -> Span {
        let start = self.at;
        loop {
            let rest = &self.line[self.at..];
            let Some(length) = rest.iter().position(|&byte| matches!(byte, b',' | b'}' | b']')) else {
                self.at = self.line.len();
                break;
            };
            self.at += length;
            let next = self.line[self.at + 1..].trim_ascii_start().first();
            let goes_on = match self.line[self.at] {
                b',' => !in_array && !matches!(next, Some(b'"' | b'}')),
                b']' => !in_array,
                _ => false,
            };
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        let length = self.line[start..self.at].trim_ascii_end().len();
        Span { start, end: start + length }
    }

    /// Passes over an object or array in which no path goes on. However deep it is, that takes no space.
    fn skip(&mut self) -> Result<(), &'static str> {
        let mut depth = 0_usize;
        loop {
            let rest = &self.line[self.at..];
            let length = rest
                .iter()
                .position(|&byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))
                .ok_or("`}` or `]`")?;
            self.at += length;
            match self.line[self.at] {
                b'"' => {
                    self.string("`\"`")?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// What stands between two quotes.
    fn string(&mut self, wanted: &'static str) -> Result<Span, &'static str> {
        if !self.took(b'"') {
            return Err(wanted);
        }
        let start = self.at;
        let Some(end) = bare_quote(self.line, start) else {
            self.at = self.line.len();
            return Err("`\"`");
        };
        self.at = end + 1;
        Ok(Span { start, end })
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn took(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }
}
