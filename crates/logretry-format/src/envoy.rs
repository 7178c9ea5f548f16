//! Envoy's access-log format strings: `%REQ(:PATH)%`, `%RESPONSE_CODE%` between literals. Nothing is escaped; unset is `-`.

use crate::error::SpecError;
use crate::field::{Field, HostFrom, Piece, Role, Shape, Unit};
use crate::quoting::Text;
use crate::time::{self, TimeForm};

/// The first thing in `text` that looks like a command operator.
pub(crate) fn first_operator(text: &str) -> Option<String> {
    let text = Text::plain(text, 0);
    memchr::memchr_iter(b'%', text.bytes()).find_map(|at| {
        let end = end(text.bytes(), at)?;
        let name = text.shown(at, end);
        let word: String = name[1..].chars().take_while(char::is_ascii_uppercase).collect();
        (word.len() > 2).then_some(name)
    })
}

pub(crate) fn pieces(text: &Text) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    text.pieces(b'%', |start, pieces| {
        let at = text.at(start);
        let end = end(bytes, start).ok_or_else(|| SpecError::UnknownField {
            text: text.shown(start, bytes.len()),
            producer: "Envoy",
            at,
        })?;
        let name = text.shown(start, end);
        let (role, shape) = meaning(&name).map_err(|text| SpecError::Time { text, at })?;
        pieces.push(Piece::Field(Field { name, role, shape, at }));
        Ok(end)
    })
}

/// Behind the `%` that closes the operator: `%NAME%`, `%NAME(…)%`, `%NAME(…):LENGTH%`. Times have `%` in their parentheses.
fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    at += bytes[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase() || **byte == b'_' || byte.is_ascii_digit())
        .count();
    if at == start + 1 {
        return None;
    }
    if bytes.get(at) == Some(&b'(') {
        at += memchr::memmem::find(&bytes[at..], b")%")
            .or_else(|| memchr::memmem::find(&bytes[at..], b"):"))?
            + 1;
    }
    if bytes.get(at) == Some(&b':') {
        at += 1 + bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    (bytes.get(at) == Some(&b'%')).then_some(at + 1)
}

/// The shorter name of an operator, where it has two (Envoy, "Access logging", since 1.37).
pub(crate) fn short(name: &str) -> &str {
    match name {
        "REQUEST_HEADER" => "REQ",
        "RESPONSE_HEADER" => "RESP",
        _ => name,
    }
}

/// `Err` is a time conversion that is not supported.
fn meaning(operator: &str) -> Result<(Role, Shape), String> {
    let inner = operator.trim_matches('%');
    let (name, rest) = inner.split_once('(').unwrap_or((inner, ""));
    let argument = rest.rsplit_once(')').map_or("", |(argument, _)| argument);
    Ok(match short(name) {
        "REQ" => request_header(argument),
        "RESPONSE_CODE" => (Role::Status { last: true }, Shape::Status),
        "START_TIME" if argument.is_empty() => (Role::Time, Shape::Time(TimeForm::iso_with_fraction(3))),
        "START_TIME" => (Role::Time, Shape::Time(time::compile(argument)?)),
        "BYTES_SENT" => (Role::Bytes { rank: 0, dash_is_zero: false }, Shape::Number),
        "DURATION" => (Role::Duration(Unit::Millis), Shape::Number),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" | "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => {
            (Role::Client, Shape::Token)
        }
        "STREAM_ID" => (Role::RequestId, Shape::Token),
        "BYTES_RECEIVED"
        | "REQUEST_DURATION"
        | "RESPONSE_DURATION"
        | "RESPONSE_TX_DURATION"
        | "CONNECTION_ID"
        | "UPSTREAM_REQUEST_ATTEMPT_COUNT" => (Role::Other, Shape::Number),
        "RESPONSE_FLAGS"
        | "RESPONSE_FLAGS_LONG"
        | "PROTOCOL"
        | "UPSTREAM_PROTOCOL"
        | "UPSTREAM_HOST"
        | "UPSTREAM_CLUSTER_RAW"
        | "DOWNSTREAM_REMOTE_ADDRESS"
        | "DOWNSTREAM_LOCAL_ADDRESS"
        | "UPSTREAM_LOCAL_ADDRESS"
        | "UPSTREAM_REMOTE_ADDRESS"
        | "DOWNSTREAM_DIRECT_REMOTE_ADDRESS"
        | "REQUESTED_SERVER_NAME"
        | "DOWNSTREAM_TLS_VERSION" => (Role::Other, Shape::Token),
        _ => (Role::Other, Shape::Text),
    })
}

/// `%REQ(FIRST?SECOND)%`: the second is what the client sent where the first is set by Envoy alone.
fn request_header(argument: &str) -> (Role, Shape) {
    let names: Vec<String> = argument.split('?').map(str::to_ascii_lowercase).collect();
    let has = |name: &str| names.iter().any(|given| given == name);
    if has(":path") || has("x-envoy-original-path") {
        return (Role::Uri, Shape::Text);
    }
    match names.first().map_or("", String::as_str) {
        ":method" => (Role::Method, Shape::Token),
        ":authority" | "host" => (Role::Host(HostFrom::Header), Shape::Token),
        ":scheme" => (Role::Scheme(0), Shape::Token),
        "x-forwarded-proto" => (Role::Scheme(1), Shape::Token),
        "user-agent" => (Role::UserAgent, Shape::Text),
        "x-request-id" => (Role::RequestId, Shape::Text),
        "x-envoy-upstream-service-time" => (Role::Other, Shape::Number),
        _ => (Role::Other, Shape::Text),
    }
}
