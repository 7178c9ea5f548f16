use crate::field::{HostFrom, Role, Shape, Unit};
use crate::time::TimeForm;

/// What the variable `%name` is used for and how its end is found.
pub(super) fn meaning(name: &str) -> Option<(Role, Shape)> {
    let time = |form| (Role::Time, Shape::Time(form));
    Some(match name {
        "r" => (Role::Request, Shape::Text),
        "HM" => (Role::Method, Shape::Token),
        "HU" => (Role::Uri, Shape::Text),
        "HP" | "HPO" => (Role::PathRaw, Shape::Text),
        "HQ" => (Role::Query, Shape::Text),
        "ST" => (Role::Status { last: true }, Shape::Status),
        "tr" | "t" => time(TimeForm::clf_with_millis_without_zone()),
        "T" | "Tl" | "trg" | "trl" => time(TimeForm::clf()),
        "Ts" => time(TimeForm::epoch()),
        "B" => (Role::Bytes { rank: 0, dash_is_zero: false }, Shape::Number),
        "Ta" | "Tt" => (Role::Duration(Unit::Millis), Shape::Number),
        "ci" => (Role::Client, Shape::Token),
        "ft" => (Role::Scheme(2), Shape::Token),
        "ID" => (Role::RequestId, Shape::Text),
        "hr" => (Role::Host(HostFrom::Captured), Shape::Captures { space: false }),
        "hs" => (Role::Other, Shape::Captures { space: false }),
        "TR" | "Tu" | "Tw" | "Tc" | "Tr" | "Td" | "Th" | "Ti" | "Tq" | "U" | "ac" | "fc" | "bc" | "sc"
        | "rc" | "sq" | "bq" | "cp" | "fp" | "bp" | "sp" | "lc" | "rt" | "ms" | "pid" => {
            (Role::Other, Shape::Number)
        }
        "f" | "b" | "s" | "bi" | "fi" | "si" | "H" | "CC" | "CS" | "ts" | "tsc" | "sslv" | "sslc" | "HV" => {
            (Role::Other, Shape::Token)
        }
        // `o` only sets flags.
        "hrl" | "hsl" | "o" => (Role::Other, Shape::Text),
        _ => return None,
    })
}

/// Whether a sample is escaped as JSON has its strings: `%[capture.req.uri,json(utf8s)]`.
pub(super) fn is_in_json(name: &str) -> bool {
    name.contains(",json(")
}

/// The same of `%[expression]`.
pub(super) fn sample(expression: &str) -> (Role, Shape) {
    let first = expression.split(',').next().unwrap_or_default().trim();
    let is_header = |name: &str| {
        ["hdr", "req.hdr", "req.fhdr", "fhdr"].iter().any(|fetch| {
            let argument = first.strip_prefix(fetch).and_then(|rest| rest.strip_prefix('('));
            argument
                .and_then(|rest| rest.strip_suffix(')'))
                .is_some_and(|given| given.eq_ignore_ascii_case(name))
        })
    };
    let is_converted = expression.split(',').skip(1).any(|converter| !converter.starts_with("json("));
    let role = match first {
        _ if is_header("host") => Role::Host(HostFrom::Header),
        _ if is_header("user-agent") => Role::UserAgent,
        _ if is_header("x-request-id") => Role::RequestId,
        _ if is_header("x-forwarded-proto") => Role::Scheme(1),
        "capture.req.method" | "method" if !is_converted => Role::Method,
        "capture.req.uri" | "url" | "pathq" if !is_converted => Role::Uri,
        "path" if !is_converted => Role::PathRaw,
        "query" if !is_converted => Role::Args,
        "src" => Role::Client,
        "unique-id" => Role::RequestId,
        "status" | "txn.status" => return (Role::Status { last: true }, Shape::Status),
        _ => Role::Other,
    };
    (role, Shape::Text)
}
