//! `line:`, in which presets of servers without a configurable format are written: a line with its fields in braces.
//!
//! `{status}` is a field that is used, by what it is; `{word}`, `{text}`, `{number}`, `{decimal}`, `{dash}` and `{rest}` are told by
//! their shape, with a label for people: `{word:backend}`. `{time:%Y-%m-%d…}` is strftime with `%3f` for fractions. `{{` and `}}` are braces.

use crate::error::SpecError;
use crate::field::{Field, HostFrom, Piece, Role, Shape, Unit};
use crate::quoting::Text;
use crate::time;

pub(crate) fn pieces(text: &Text) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        if !matches!(bytes[start], b'{' | b'}') || bytes.get(start + 1) == Some(&bytes[start]) {
            literal.push(bytes[start]);
            index += if matches!(bytes[start], b'{' | b'}') { 2 } else { 1 };
            continue;
        }
        let end = memchr::memchr(b'}', &bytes[start..]).map_or(bytes.len(), |length| start + length + 1);
        index = end.max(start + 1);
        let at = text.at(start);
        let unknown = || SpecError::UnknownField { text: text.shown(start, index), producer: "`line:`", at };
        let inner = text.shown(start + 1, end.saturating_sub(1));
        let (name, label) = inner.split_once(':').unwrap_or((&inner, &inner));
        let (role, shape) = match name {
            "time" => {
                let form = time::compile(label).map_err(|text| SpecError::Time { text, at })?;
                (Role::Time, Shape::Time(form))
            }
            _ => meaning(name).ok_or_else(unknown)?,
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        let name = if name == "time" { "time" } else { label };
        pieces.push(Piece::Field(Field { name: name.to_owned(), role, shape, at }));
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn meaning(name: &str) -> Option<(Role, Shape)> {
    Some(match name {
        "request" => (Role::Request, Shape::Text),
        "request_line" => (Role::Request, Shape::RequestLine),
        "captures" => (Role::Host(HostFrom::Captured), Shape::Rest),
        "method" => (Role::Method, Shape::Word),
        "uri" => (Role::Uri, Shape::Text),
        "target" => (Role::Uri, Shape::Token),
        "url" => (Role::Url, Shape::Token),
        "host" => (Role::Host(HostFrom::Header), Shape::HostWord),
        "vhost" => (Role::Host(HostFrom::Matched), Shape::HostName),
        "port" => (Role::Port, Shape::Number),
        "ip" => (Role::Client, Shape::Address),
        "clients" => (Role::Client, Shape::List),
        "tls" => (Role::Scheme(0), Shape::Word),
        "status" => (Role::Status { last: true }, Shape::Status),
        "bytes" => (Role::Bytes { rank: 0, dash_is_zero: true }, Shape::Number),
        "ms" => (Role::Duration(Unit::Millis), Shape::Decimal),
        "micros" => (Role::Duration(Unit::Micros), Shape::Number),
        "seconds" => (Role::Duration(Unit::SecondsExact), Shape::Decimal),
        "client" => (Role::Client, Shape::Token),
        "agent" => (Role::UserAgent, Shape::Text),
        "id" => (Role::RequestId, Shape::Text),
        "request_id" => (Role::RequestId, Shape::Word),
        "no_request" => (Role::Request, Shape::Dash),
        "spaces" => (Role::Other, Shape::Spaces),
        "word" => (Role::Other, Shape::Word),
        "token" => (Role::Other, Shape::Token),
        "text" => (Role::Other, Shape::Text),
        "number" => (Role::Other, Shape::Number),
        "decimal" => (Role::Other, Shape::Decimal),
        "dash" => (Role::Other, Shape::Dash),
        "rest" => (Role::Other, Shape::Rest),
        _ => return None,
    })
}
