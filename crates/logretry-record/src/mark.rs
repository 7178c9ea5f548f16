use std::fmt;
use std::str::FromStr;

use memchr::memchr;

use crate::Harmless;

/// The query parameter that marks a URL as refired: `retry=True` unless the operator chose another.
///
/// Marking is done on the raw text: the mark joins the query with `?` or `&`, before any `#`, once, and every other byte
/// stays as it was.
///
/// ```
/// use logretry_record::Mark;
///
/// let mark = Mark::default();
/// assert_eq!(mark.put_on("/a"), "/a?retry=True");
/// assert_eq!(mark.put_on("/a?b=c#top"), "/a?b=c&retry=True#top");
/// assert_eq!(mark.put_on("/a?retry=True"), "/a?retry=True");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    parameter: String,
}

impl Mark {
    /// `NAME=VALUE` as it stands in the query.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Whether `target` carries the mark: one of the parameters of its query is exactly `NAME=VALUE`.
    pub fn is_on(&self, target: &[u8]) -> bool {
        let end = memchr(b'#', target).unwrap_or(target.len());
        let Some(question) = memchr(b'?', &target[..end]) else { return false };
        target[question + 1..end].split(|&byte| byte == b'&').any(|piece| piece == self.parameter.as_bytes())
    }

    /// Where the mark goes into `target` and what is inserted there; `None` if it carries the mark already.
    ///
    /// `target` may be the raw bytes of a log line: of `?`, `&` and `#` no server's log escape changes the first two, and
    /// one that hides `#` has no fragment to look for.
    pub fn insertion(&self, target: &[u8]) -> Option<(usize, String)> {
        if self.is_on(target) {
            return None;
        }
        let end = memchr(b'#', target).unwrap_or(target.len());
        let before = &target[..end];
        let joint = match memchr(b'?', before) {
            None => "?",
            Some(question) if question + 1 == end || before.ends_with(b"&") => "",
            Some(_) => "&",
        };
        Some((end, [joint, &self.parameter].concat()))
    }

    /// `target` with the mark, once.
    pub fn put_on(&self, target: &str) -> String {
        match self.insertion(target.as_bytes()) {
            None => target.to_owned(),
            Some((at, text)) => format!("{}{text}{}", &target[..at], &target[at..]),
        }
    }
}

impl Default for Mark {
    /// `retry=True`.
    fn default() -> Self {
        Self { parameter: "retry=True".to_owned() }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parameter)
    }
}

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (name, _) = text.split_once('=').ok_or(MarkError::NoValue)?;
        if name.is_empty() {
            return Err(MarkError::NoName);
        }
        // RFC 3986 §3.4 pchar, "/" and "?", less the two that separate parameters, and `%` only as data to be kept.
        let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;=:@/?%".contains(&byte);
        match text.chars().find(|&char| !u8::try_from(char).is_ok_and(stands)) {
            Some(char) => Err(MarkError::Char(Harmless(&char.to_string()).to_string())),
            None => Ok(Self { parameter: text.to_owned() }),
        }
    }
}

/// A mark that cannot stand in a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// There is no `=`.
    #[error("a mark is `NAME=VALUE`, as in `retry=True`")]
    NoValue,
    /// Nothing stands before the `=`.
    #[error("the mark has no name before its `=`")]
    NoName,
    /// A character that would have to be percent-encoded.
    #[error("`{0}` may not stand in a query; percent-encode it")]
    Char(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_where_a_query_ends() {
        for (target, marked) in [
            ("/", "/?retry=True"),
            ("/a", "/a?retry=True"),
            ("/a?", "/a?retry=True"),
            ("/a?b", "/a?b&retry=True"),
            ("/a?b=c", "/a?b=c&retry=True"),
            ("/a?b=c&", "/a?b=c&retry=True"),
            ("/a#f", "/a?retry=True#f"),
            ("/a#f?x", "/a?retry=True#f?x"),
            ("/a?b#f&retry=True", "/a?b&retry=True#f&retry=True"),
            ("/a?retry=False", "/a?retry=False&retry=True"),
            ("/a?xretry=True", "/a?xretry=True&retry=True"),
            ("/a?retry=True&b", "/a?retry=True&b"),
            ("/retry=True", "/retry=True?retry=True"),
            ("http://h/a?b", "http://h/a?b&retry=True"),
        ] {
            let mark = Mark::default();
            assert_eq!(mark.put_on(target), marked);
            assert_eq!(mark.put_on(marked), marked, "marking is idempotent");
            assert!(mark.is_on(marked.as_bytes()));
        }
    }

    #[test]
    fn a_mark_that_would_break_a_query_is_refused() {
        assert_eq!("retry".parse::<Mark>(), Err(MarkError::NoValue));
        assert_eq!("=1".parse::<Mark>(), Err(MarkError::NoName));
        assert_eq!("a=é".parse::<Mark>(), Err(MarkError::Char("é".to_owned())));
        for text in ["a=b&c", "a=b#", "a=b c", "a=\n", "a=é"] {
            assert!(matches!(text.parse::<Mark>(), Err(MarkError::Char(_))), "{text:?} was taken");
        }
        assert_eq!("a=b/c?d".parse::<Mark>().map(|mark| mark.put_on("/x")), Ok("/x?a=b/c?d".to_owned()));
        assert_eq!("again=1".parse::<Mark>().map(|mark| mark.put_on("/x")), Ok("/x?again=1".to_owned()));
    }
}
