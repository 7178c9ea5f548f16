//! HAProxy `log-format`: `%ci`, `%{+Q}r`, `%[sample]` between literals (`parse_logformat_string` of `log.c`).

mod variables;

use self::variables::{is_in_json, meaning, sample};
use crate::error::SpecError;
use crate::escape::Escape;
use crate::field::{Field, Piece, Role, Shape};
use crate::quoting::Text;

/// A directive taken apart: `%{+Q}r`, `%[hdr(host)]`.
struct Directive {
    name: String,
    is_sample: bool,
    /// `+Q`: its value stands in quotes.
    quoted: bool,
    end: usize,
}

/// The first thing in `text` that HAProxy logs and Apache does not: a name of two letters, a sample or a flag.
pub(crate) fn first_directive(text: &str) -> Option<String> {
    let text = Text::plain(text, 0);
    let bytes = text.bytes();
    memchr::memchr_iter(b'%', bytes).find_map(|at| {
        let directive = take(&text, at, false)?;
        let is_own = if directive.is_sample {
            directive.name.contains(|char: char| !char.is_ascii_digit())
        } else {
            directive.name.len() > 1 && meaning(&directive.name).is_some()
        };
        is_own.then(|| text.shown(at, directive.end))
    })
}

/// How values are escaped: all of a format that are used in the same way.
pub(crate) fn escape(text: &Text) -> Escape {
    let has = |flag: &[u8]| memchr::memmem::find(text.bytes(), flag).is_some();
    let in_json = |pieces: Vec<Piece>| url_fields(&mut pieces.clone()).any(|field| is_in_json(&field.name));
    if pieces(text).is_ok_and(in_json) {
        Escape::Json
    } else if has(b"+E") {
        Escape::HaproxyEscaped
    } else {
        Escape::Haproxy
    }
}

/// What of `pieces` the URL is built from.
fn url_fields(pieces: &mut [Piece]) -> impl Iterator<Item = &mut Field> {
    let roles = [Role::Request, Role::Uri, Role::PathRaw, Role::Query, Role::Args];
    pieces.iter_mut().filter_map(move |piece| match piece {
        Piece::Field(field) if roles.contains(&field.role) => Some(field),
        _ => None,
    })
}

pub(crate) fn pieces(text: &Text) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    let mut pieces = Vec::new();
    let mut quoted_by_default = false;
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        if let Some((literal, end)) = text.literal(start, b'%') {
            index = end;
            push_literal(&mut pieces, &literal);
            continue;
        }
        let at = text.at(start);
        let unknown = |end| SpecError::UnknownField { text: text.shown(start, end), producer: "HAProxy", at };
        let directive =
            take(text, start, quoted_by_default).ok_or_else(|| unknown((start + 2).min(bytes.len())))?;
        index = directive.end;
        if directive.name == "o" {
            quoted_by_default = directive.quoted;
            // It writes nothing, and no line begins with a space or has two in a row.
            let is_after_space = match pieces.last() {
                Some(Piece::Literal(before)) => before.ends_with(b" "),
                Some(Piece::Field(_)) => false,
                None => true,
            };
            index += usize::from(is_after_space && bytes.get(index) == Some(&b' '));
            continue;
        }
        let (role, mut shape) = if directive.is_sample {
            sample(&directive.name)
        } else {
            meaning(&directive.name).ok_or_else(|| unknown(index))?
        };
        if directive.quoted && !directive.is_sample {
            shape = match &*directive.name {
                "ts" | "tsc" => Shape::MaybeQuoted,
                "hrl" | "hsl" => Shape::QuotedCaptures { space: false },
                _ => shape,
            };
        }
        let is_text = matches!(shape, Shape::Text | Shape::Token | Shape::Captures { .. });
        let quoted = directive.quoted && is_text;
        if quoted && matches!(shape, Shape::Token) {
            shape = Shape::Text;
        }
        let name = text.shown(start, index);
        let field = Piece::Field(Field { name, role, shape, at });
        if quoted {
            push_literal(&mut pieces, b"\"");
            pieces.push(field);
            push_literal(&mut pieces, b"\"");
        } else {
            pieces.push(field);
        }
    }
    join_captures(&mut pieces);
    // Only one escape is undone: where the URL stands in another way too, that is read.
    if url_fields(&mut pieces).any(|field| !is_in_json(&field.name)) {
        url_fields(&mut pieces)
            .filter(|field| is_in_json(&field.name))
            .for_each(|field| field.role = Role::Other);
    }
    Ok(pieces)
}

fn push_literal(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    match pieces.last_mut() {
        Some(Piece::Literal(before)) => before.extend_from_slice(bytes),
        _ => pieces.push(Piece::Literal(bytes.to_vec())),
    }
}

/// Where nothing was captured, HAProxy writes nothing, and one space where there would be two.
fn join_captures(pieces: &mut Vec<Piece>) {
    for index in 0..pieces.len() {
        let (before, after) = pieces.split_at_mut(index + 1);
        if let (
            Some(Piece::Field(Field {
                shape: Shape::Captures { space } | Shape::QuotedCaptures { space },
                ..
            })),
            Some(Piece::Literal(next)),
        ) = (before.last_mut(), after.first_mut())
            && next.first() == Some(&b' ')
        {
            *space = true;
            next.remove(0);
        }
    }
    pieces.retain(|piece| !matches!(piece, Piece::Literal(bytes) if bytes.is_empty()));
}

fn take(text: &Text, start: usize, quoted_by_default: bool) -> Option<Directive> {
    let bytes = text.bytes();
    let mut at = start + 1;
    let mut quoted = quoted_by_default;
    if bytes.get(at) == Some(&b'{') {
        let length = memchr::memchr(b'}', &bytes[at..])?;
        for flag in bytes[at + 1..at + length].split(|byte| b", ".contains(byte)) {
            match flag {
                b"+Q" => quoted = true,
                b"-Q" => quoted = false,
                b"+E" | b"-E" | b"+X" | b"-X" | b"+M" | b"-M" | b"" => {}
                _ => return None,
            }
        }
        at += length + 1;
    }
    if bytes.get(at) == Some(&b'[') {
        // Brackets of a sample's arguments are in pairs.
        let mut depth = 0_usize;
        let length = bytes[at..].iter().position(|byte| {
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        let name = text.shown(at + 1, at + length);
        return Some(Directive { name, is_sample: true, quoted, end: at + length + 1 });
    }
    if bytes.get(at) == Some(&b'(') {
        // A name of the operator's own: `%(name)ci`.
        at += memchr::memchr(b')', &bytes[at..])? + 1;
    }
    let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = text.shown(at, at + length);
    (length > 0).then_some(Directive { name, is_sample: false, quoted, end: at + length })
}
