use memchr::memchr;

use crate::field::{Field, Role, Shape};
use crate::request::last_space;
use crate::spans::Span;

/// How the bytes of fields that stand side by side are told apart: they can be parts of one URL and nothing else.
///
/// A host ends where the path's first `/` begins, a path where the query's `?` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// One field takes all; `is_target`: it holds what a client sent as its target.
    Alone { is_target: bool },
    /// One field takes all, and it is a whole request line.
    RequestLine,
    /// Parts of a URL, in this order.
    Parts(Parts),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    host: bool,
    path: bool,
    query: QueryParts,
    /// A part that is missing is written as `-`.
    dashes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QueryParts {
    None,
    /// `%q`.
    Whole,
    /// `$is_args$args`.
    MarkAndArgs,
}

impl Split {
    /// How `fields` are told apart; the index of the first that cannot be told from the one before it.
    pub(crate) fn of(fields: &[Field], dashes: bool) -> Result<Self, usize> {
        if fields.len() == 1 && matches!(fields[0].shape, Shape::RequestLine) {
            return Ok(Self::RequestLine);
        }
        if fields.len() == 1 {
            return Ok(Self::Alone { is_target: fields[0].role == Role::Uri });
        }
        let role = |index: usize| fields.get(index).map(|field| field.role);
        let mut index = 0;
        let host = matches!(role(index), Some(Role::Host(_)));
        index += usize::from(host);
        let whole = role(index) == Some(Role::Uri);
        let path = whole || matches!(role(index), Some(Role::Path | Role::PathRaw));
        index += usize::from(path);
        let query = match (role(index), role(index + 1)) {
            _ if whole => QueryParts::None,
            (Some(Role::Query), _) if path => QueryParts::Whole,
            (Some(Role::IsArgs), Some(Role::Args)) if path || !host => QueryParts::MarkAndArgs,
            _ => QueryParts::None,
        };
        index += match query {
            QueryParts::None => 0,
            QueryParts::Whole => 1,
            QueryParts::MarkAndArgs => 2,
        };
        if index == fields.len() {
            return Ok(Self::Parts(Parts { host, path, query, dashes }));
        }
        Err(index.max(1))
    }

    /// Gives each of `spans` its part of `whole`; `false` if it cannot be what the fields say.
    pub(crate) fn apply(self, line: &[u8], whole: Span, spans: &mut [Span]) -> bool {
        match self {
            Self::Alone { is_target } => {
                spans[0] = whole;
                !is_target || may_be_target(whole.of(line))
            }
            Self::RequestLine => {
                spans[0] = whole;
                may_be_request_line(whole.of(line))
            }
            Self::Parts(parts) => parts.apply(line, whole, spans),
        }
    }
}

impl Parts {
    fn apply(self, line: &[u8], whole: Span, spans: &mut [Span]) -> bool {
        let mut bytes = whole.of(line);
        let mut start = whole.start;
        let mut spans = spans.iter_mut();
        let mut give = |length: usize, bytes: &mut &[u8]| {
            if let Some(span) = spans.next() {
                *span = Span { start, end: start + length };
            }
            start += length;
            *bytes = &bytes[length..];
        };
        if self.host {
            let length = match memchr(b'/', bytes) {
                Some(slash) => slash,
                // No path at all: `-`, or nothing.
                None if self.path => {
                    bytes.len() - usize::from(self.dashes && bytes.len() > 1 && bytes.ends_with(b"-"))
                }
                None => bytes.len(),
            };
            give(length, &mut bytes);
        }
        let question = memchr(b'?', bytes).filter(|_| self.query != QueryParts::None);
        let missing = usize::from(
            self.dashes
                && question.is_none()
                && self.query == QueryParts::MarkAndArgs
                && bytes.ends_with(b"-")
                && (bytes.len() > 1 || !self.path),
        );
        if self.path {
            give(question.unwrap_or(bytes.len() - missing), &mut bytes);
        }
        match self.query {
            QueryParts::None => {}
            QueryParts::Whole => give(bytes.len(), &mut bytes),
            QueryParts::MarkAndArgs => {
                give(usize::from(question.is_some()), &mut bytes);
                give(bytes.len(), &mut bytes);
            }
        }
        bytes.is_empty()
    }
}

/// Whether nginx may have logged it as `$request_uri`: a path, `*`, an absolute URL, or nothing. That keeps a field before it
/// that holds spaces from being cut short.
fn may_be_target(bytes: &[u8]) -> bool {
    match bytes {
        // JSON may have `\/` for a slash, as HAProxy writes it.
        [] | b"-" | [b'/' | b'*' | b'?', ..] | [b'\\', b'/', ..] => true,
        _ => [&b"http://"[..], b"https://", br"http:\/\/", br"https:\/\/"]
            .iter()
            .any(|origin| bytes.starts_with(origin)),
    }
}

/// Whether it has a method, a target and, at its end, a protocol. Where nothing is escaped, this tells most request lines from
/// those that are longer by what a client put behind a quote; what it does not tell stays ambiguous.
fn may_be_request_line(bytes: &[u8]) -> bool {
    if matches!(bytes, b"-" | b"") {
        return true;
    }
    let Some((last, is_http)) = last_space(bytes) else { return false };
    let (before, protocol) = (&bytes[..last], &bytes[last + 1..]);
    before.iter().position(|&byte| byte == b' ').is_some_and(|first| first > 0)
        && (is_http || protocol == b"-" || (protocol.starts_with(b"HTTP/") && protocol.len() <= 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::HostFrom;

    fn split(roles: &[Role], dashes: bool, text: &str) -> Vec<String> {
        let field = |&role| Field { name: String::new(), role, shape: Shape::Text, at: 0 };
        let fields: Vec<_> = roles.iter().map(field).collect();
        let split = Split::of(&fields, dashes).expect("parts of a URL");
        let mut spans = vec![Span::default(); roles.len()];
        assert!(split.apply(text.as_bytes(), Span { start: 0, end: text.len() }, &mut spans));
        spans.iter().map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned()).collect()
    }

    #[test]
    fn parts_of_a_url_are_told_apart() {
        use Role::{Args, IsArgs, Path, Query, Uri};
        let host = Role::Host(HostFrom::Header);
        assert_eq!(split(&[host, Uri], true, "a.b:80//x/?y"), ["a.b:80", "//x/?y"]);
        assert_eq!(split(&[host, Uri], true, "[::1]:80/x"), ["[::1]:80", "/x"]);
        assert_eq!(split(&[host, Uri], true, "--"), ["-", "-"]);
        assert_eq!(split(&[host, Uri], false, "_"), ["_", ""]);
        assert_eq!(split(&[Path, Query], false, "/a b?c?d"), ["/a b", "?c?d"]);
        assert_eq!(split(&[Path, Query], false, "-"), ["-", ""]);
        assert_eq!(split(&[Path, IsArgs, Args], true, "/a?b=c"), ["/a", "?", "b=c"]);
        assert_eq!(split(&[Path, IsArgs, Args], true, "/a-"), ["/a", "", "-"]);
        assert_eq!(split(&[Path, IsArgs, Args], false, "/a-"), ["/a-", "", ""]);
        assert_eq!(split(&[host, Path, IsArgs, Args], true, "h/a?-"), ["h", "/a", "?", "-"]);
        assert_eq!(split(&[IsArgs, Args], true, "-"), ["", "-"]);
    }
}
