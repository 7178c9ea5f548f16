//! What a log calls the URL, taken apart: the forms of RFC 9112 §3.2.

use std::borrow::Cow;

use logretry_record::{Reason, Scheme};

use crate::site::{Authority, split_scheme};

/// The longest target that is sent, in bytes. Servers take 8 KiB (nginx, Apache) to 16 KiB by default.
pub const TARGET_BYTES_MAX: usize = 16 << 10;

/// A request target that names a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// Where an absolute form points to. The client wrote it, so it is compared and never followed.
    pub(crate) claims: Option<(Scheme, Authority)>,
    /// Path and query, byte for byte; begins with `/`.
    pub(crate) path: Cow<'a, str>,
}

impl<'a> Target<'a> {
    /// Takes `text` apart. Refuses `*`, `host:port`, other schemes, and bytes that cannot stand in a request line; an absolute
    /// form whose host is not plainly a host is [`Reason::HostNotAllowed`].
    pub(crate) fn parse(text: &'a str) -> Result<Self, Reason> {
        // `#` as well: a fragment is never sent, and dropping it would change what is.
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(Reason::TargetForm);
        }
        if text.starts_with('/') {
            return Ok(Self { claims: None, path: Cow::Borrowed(text) });
        }
        let Some((scheme, rest)) = split_scheme(text) else { return Err(Reason::TargetForm) };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = Authority::parse(authority).ok_or(Reason::HostNotAllowed)?;
        let path = if path.starts_with('/') { Cow::Borrowed(path) } else { Cow::Owned(format!("/{path}")) };
        Ok(Self { claims: Some((scheme, authority)), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_kept_byte_for_byte() {
        for text in [
            "/",
            "//evil.example/x",
            "/@evil.example",
            "/a/%2e%2e/../b",
            "/\\evil.example",
            "/a?b=c'd[e]&f=http://g/",
            "/a:80",
        ] {
            assert_eq!(Target::parse(text), Ok(Target { claims: None, path: Cow::Borrowed(text) }));
        }
    }

    #[test]
    fn an_absolute_form_gives_its_path_and_its_claim() {
        for (text, scheme, host, port, path) in [
            ("http://h/x?y", Scheme::Http, "h", None, "/x?y"),
            ("HTTPS://H:8443/", Scheme::Https, "h", Some(8443), "/"),
            ("http://h", Scheme::Http, "h", None, "/"),
            ("http://h?x=/y", Scheme::Http, "h", None, "/?x=/y"),
        ] {
            let claims = Some((scheme, Authority { host: host.to_owned(), port }));
            assert_eq!(Target::parse(text), Ok(Target { claims, path: Cow::Borrowed(path) }));
        }
    }

    #[test]
    fn what_names_no_path_is_refused() {
        for text in [
            "",
            "*",
            "a",
            "h:443",
            "@evil.example/",
            "ftp://h/x",
            "?a",
            "/a b",
            "/a#b",
            "/a\r\nX: y",
            "/é",
            "/\x7f",
            "\\\\h",
        ] {
            assert_eq!(Target::parse(text), Err(Reason::TargetForm), "{text:?}");
        }
        for text in
            ["http://a@b/", "http:///x", "http://\\b/", "http://a:b/", "http://a%2f@b/", "http://[x]/"]
        {
            assert_eq!(Target::parse(text), Err(Reason::HostNotAllowed), "{text:?}");
        }
    }
}
