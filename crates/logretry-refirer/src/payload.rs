//! What a request carries besides its method and target: the body that the log holds, and the headers that belong to it.
//!
//! No header of a log is sent because it stands there. With a body go those that say what it is (`Content-Type`, `Content-Encoding` and the other
//! `Content-` headers of RFC 9110 §8, digests), those that make it safer to send it again (`If-Match` and the other conditions of §13,
//! `Idempotency-Key`), and those that change what the method means (`X-HTTP-Method-Override`, `SOAPAction`): without these it would be another
//! request. The operator can keep others ([`KeepHeaders`]), but none that belongs to the connection and no credentials.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use logretry_record::{Exchange, Header, Reason, is_credential};

use crate::RefirerError;
use crate::headers::why_ours;

/// A body and its headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Payload {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// `--keep-header`: headers of a capture that are sent again although nothing asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeepHeaders {
    names: BTreeSet<String>,
}

impl KeepHeaders {
    /// Adds the name of a header.
    pub fn add(&mut self, name: &str) -> Result<(), RefirerError> {
        let refuse = |why| RefirerError::KeepHeader { name: name.escape_default().to_string(), why };
        let parsed: HeaderName = name.trim().parse().map_err(|_| refuse("it is not the name of a header"))?;
        if let Some(why) = why_ours(&parsed) {
            return Err(refuse(why));
        }
        // It may stand in a name, and does in none.
        if name.contains('*') {
            return Err(refuse("it is a pattern; give --keep-header once for each name"));
        }
        if is_credential(parsed.as_str()) {
            return Err(refuse("credentials never come from a log; give it with --header @FILE"));
        }
        if Header::recorded(parsed.as_str(), "").is_none() {
            return Err(refuse(
                "it tells which way that request came, which no record holds; give it with --header",
            ));
        }
        self.names.insert(parsed.as_str().to_owned());
        Ok(())
    }

    fn has(&self, header: &Header) -> bool {
        self.names.contains(&header.name.to_ascii_lowercase())
    }
}

impl Payload {
    /// What goes along with the request of `original`; none, if that is nothing.
    pub(crate) fn of(original: &Exchange, keep: &KeepHeaders) -> Result<Option<Self>, Reason> {
        let is_safe = matches!(original.method.as_deref(), None | Some("GET" | "HEAD" | "OPTIONS"));
        let body = original.body.as_ref().filter(|body| !is_safe || !body.is_empty());
        let mut headers = HeaderMap::new();
        for header in &original.headers {
            if keep.has(header) || (body.is_some() && belongs_to_body(header, is_safe)) {
                // What cannot stand in a header was in none.
                let (Ok(name), Ok(value)) =
                    (header.name.parse::<HeaderName>(), HeaderValue::from_bytes(&header.value))
                else {
                    return Err(Reason::NoBody);
                };
                // Records can come from other programs.
                if why_ours(&name).is_none() && !is_credential(name.as_str()) {
                    headers.append(name, value);
                }
            }
        }
        let payload = Self { headers, body: body.map_or_else(Bytes::new, |body| body.to_vec().into()) };
        Ok((body.is_some() || !payload.headers.is_empty()).then_some(payload))
    }
}

/// The methods that a server may do instead of the one of the request line, because the request asks for them. Which header counts, if there are several, depends on the server.
pub(crate) fn overriding_methods(original: &Exchange) -> impl Iterator<Item = &str> {
    let headers = original.headers.iter().filter(|header| OVERRIDES.iter().any(|name| header.is(name)));
    headers.map(|header| std::str::from_utf8(&header.value).unwrap_or_default().trim())
}

const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

fn belongs_to_body(header: &Header, is_safe: bool) -> bool {
    const CONDITIONS: [&str; 4] = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
    const OTHERS: [&str; 4] = ["digest", "repr-digest", "idempotency-key", "soapaction"];
    let is_one_of = |names: &[&str]| names.iter().any(|name| header.is(name));
    header.name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
        || is_one_of(&OTHERS)
        || is_one_of(&OVERRIDES)
        || (!is_safe && is_one_of(&CONDITIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(method: &str, body: Option<&str>) -> Exchange {
        let headers = [
            ("Content-Type", "application/json"),
            ("content-encoding", "gzip"),
            ("If-Match", "\"7\""),
            ("X-Hub-Signature-256", "sha256=7f2a"),
            ("Accept", "text/html"),
            ("Content-Length", "999"),
            ("Cookie", "a=b"),
        ];
        // As another program might write them.
        let header = |(name, value): (&str, &str)| Header { name: name.to_owned(), value: value.into() };
        Exchange {
            method: Some(method.to_owned()),
            headers: headers.map(header).into(),
            body: body.map(Into::into),
            ..Exchange::default()
        }
    }

    fn names(payload: &Payload) -> Vec<&str> {
        payload.headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn with_a_body_go_the_headers_that_belong_to_it_and_no_others() {
        let payload = Payload::of(&exchange("POST", Some("x")), &KeepHeaders::default()).expect("headers");
        let payload = payload.expect("a body");
        assert_eq!(names(&payload), ["content-type", "content-encoding", "if-match"]);
        assert_eq!(payload.body, "x");

        let empty = Payload::of(&exchange("PUT", Some("")), &KeepHeaders::default()).expect("headers");
        assert_eq!(empty.expect("a body that is empty").body, "");
        let get = Payload::of(&exchange("GET", Some("x")), &KeepHeaders::default()).expect("headers");
        assert_eq!(names(&get.expect("a body")), ["content-type", "content-encoding"]);
        for nothing in [exchange("GET", Some("")), exchange("GET", None), exchange("POST", None)] {
            assert_eq!(Payload::of(&nothing, &KeepHeaders::default()), Ok(None));
        }
    }

    #[test]
    fn others_are_kept_by_name_but_never_credentials() {
        let mut keep = KeepHeaders::default();
        keep.add("x-hub-signature-256").expect("a name");
        let payload = Payload::of(&exchange("GET", None), &keep).expect("headers").expect("a header");
        assert_eq!(names(&payload), ["x-hub-signature-256"]);
        for name in [
            "Cookie",
            "authorization",
            "X-Gitlab-Token",
            "Host",
            "Content-Length",
            "User-Agent",
            "X-GitHub-*",
            "a b",
            "",
        ] {
            assert!(keep.add(name).is_err(), "{name}");
        }
        let error = keep.add("Cookie").expect_err("a secret").to_string();
        assert_eq!(
            error,
            "keep the header `Cookie`: credentials never come from a log; give it with --header @FILE"
        );
        let error = keep.add("X-Forwarded-Proto").expect_err("it would never be sent").to_string();
        assert!(error.ends_with("which no record holds; give it with --header"), "{error}");
    }

    #[test]
    fn a_header_that_cannot_be_sent_again_holds_its_request_back() {
        let mut broken = exchange("POST", Some("x"));
        broken.headers[0].value = "a\r\nHost: evil.example".into();
        assert_eq!(Payload::of(&broken, &KeepHeaders::default()), Err(Reason::NoBody));
    }
}
