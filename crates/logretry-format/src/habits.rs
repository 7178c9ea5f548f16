//! What a producer makes of the request before it logs it: URLs that it wrote itself, and what of them is lost.

use std::borrow::Cow;

use logretry_record::Scheme;
use memchr::memchr;

/// Who wrote the origin of an absolute URL, and what the producer has dropped of the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Habits {
    pub(crate) absolute: Absolute,
    pub(crate) loses: Loses,
}

/// Where `scheme://host` in a logged target comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Absolute {
    /// The client sent it so: it stays in the target.
    #[default]
    Sent,
    /// The producer writes every URL whole: scheme and host are known, the client sent the rest (load balancers of AWS, Squid).
    Written,
    /// The same, but only from HTTP/2 on, which has no request line (HAProxy).
    WrittenForHttp2,
    /// `http://` and the `Host` header are put before what the client sent, whatever it was (varnishncsa).
    Prefixed,
}

/// What a logged target may have lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Loses {
    #[default]
    Nothing,
    /// The path was decoded and quoted again (uvicorn).
    PathQuoting,
    /// The path was decoded, and the query is not logged unless there is one.
    PathQuotingAndQuery,
    /// The query is not logged.
    Query,
    /// The query, where a lone `?` is left of it (Squid's `strip_query_terms`).
    QueryTerms,
    /// The end of the line (syslog messages of 1024 bytes).
    End,
}

/// A logged target taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked<'t> {
    /// What the client sent as its target; empty if that is not known.
    pub(crate) target: Cow<'t, [u8]>,
    pub(crate) host: Option<Cow<'t, [u8]>>,
    pub(crate) scheme: Option<Scheme>,
}

impl Asked<'_> {
    pub(crate) fn into_owned<'t>(self) -> Asked<'t> {
        Asked {
            target: Cow::Owned(self.target.into_owned()),
            host: self.host.map(|host| Cow::Owned(host.into_owned())),
            scheme: self.scheme,
        }
    }
}

impl Absolute {
    /// Whether lines name the host.
    pub(crate) fn names_host(self) -> bool {
        matches!(self, Self::Written | Self::Prefixed)
    }

    /// Whether lines name the scheme.
    pub(crate) fn names_scheme(self) -> bool {
        self == Self::Written
    }

    /// Whether `request`, a whole request line, can be this producer's.
    pub(crate) fn may_be(self, request: &[u8]) -> bool {
        let is_empty = matches!(request, [] | [b'-', ..]);
        let has_url = memchr::memmem::find(request, b"://").is_some();
        match self {
            Self::Sent | Self::WrittenForHttp2 => true,
            Self::Written => {
                is_empty
                    || has_url
                    || request.starts_with(b"CONNECT ")
                    || memchr::memmem::find(request, b" error:").is_some()
            }
            // It puts `http://` before everything.
            Self::Prefixed => memchr::memmem::find(request, b" http://").is_some(),
        }
    }

    /// How many bytes of `target` the producer has put before it, where these may hold what a client chose: a `#` in a `Host` begins no fragment.
    pub(crate) fn prefix_bytes(self, target: &[u8]) -> usize {
        const SCHEME: &[u8] = b"http://";
        let host = target.strip_prefix(SCHEME).filter(|_| self == Self::Prefixed);
        let end = host.and_then(|host| host.iter().position(|byte| b"/*".contains(byte)));
        end.map_or(0, |end| SCHEME.len() + end)
    }

    /// Takes `target`, its escape undone, apart.
    pub(crate) fn take<'t>(self, method: &[u8], target: &'t [u8], protocol: &[u8]) -> Asked<'t> {
        let as_sent = || Asked { target: Cow::Borrowed(target), ..Asked::default() };
        match self {
            Self::Sent => as_sent(),
            Self::WrittenForHttp2 if !matches!(protocol, [b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', ..]) => {
                as_sent()
            }
            Self::Written | Self::WrittenForHttp2 => written(target).unwrap_or_else(as_sent),
            Self::Prefixed => prefixed(method, target).unwrap_or_else(as_sent),
        }
    }
}

impl Loses {
    /// What of `target`, as it was logged, is lost.
    pub(crate) fn of(self, target: &[u8]) -> &'static [&'static str] {
        match self {
            Self::PathQuotingAndQuery if memchr(b'?', target).is_none() => &["path", "query"],
            Self::PathQuoting | Self::PathQuotingAndQuery => &["path"],
            Self::QueryTerms if memchr(b'?', target).is_some_and(|at| at + 1 == target.len()) => &["query"],
            Self::Nothing | Self::QueryTerms => &[],
            Self::End if memchr(b'?', target).is_some() => &["query"],
            Self::Query => &["query"],
            Self::End => &["path", "query"],
        }
    }
}

/// `None` if it is no URL of HTTP, or its authority is more than host and port.
fn written(target: &[u8]) -> Option<Asked<'_>> {
    if target.starts_with(b"error:") {
        // Squid, where what came in was no request.
        return Some(Asked::default());
    }
    let (scheme, rest) = without_scheme(target)?;
    let end = rest.iter().position(|byte| b"/?#*".contains(byte)).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains(&b'@') {
        return None;
    }
    let default: &[u8] = if scheme == Scheme::Https { b":443" } else { b":80" };
    let host = authority.strip_suffix(default).unwrap_or(authority);
    let path = match path.first() {
        Some(b'/' | b'*') => Cow::Borrowed(path),
        _ => Cow::Owned([b"/", path].concat()),
    };
    Some(Asked {
        target: path,
        host: Some(host).filter(|host| !host.is_empty()).map(Cow::Borrowed),
        scheme: Some(scheme),
    })
}

fn prefixed<'t>(method: &[u8], target: &'t [u8]) -> Option<Asked<'t>> {
    let rest = target.strip_prefix(b"http://")?;
    let (host, target) = if method == b"CONNECT" {
        // The authority twice, and a mark behind it in our own log.
        let authorities = memchr(b'?', rest).unwrap_or(rest.len());
        let (host, target) = rest.split_at(authorities / 2);
        if target.starts_with(host) { (host, target) } else { (host, &[][..]) }
    } else {
        let end = rest.iter().position(|byte| b"/*".contains(byte)).unwrap_or(rest.len());
        // A client that sent an absolute URL itself.
        let sent = [b"https:".as_slice(), b"http:"]
            .into_iter()
            .find(|scheme| rest[..end].ends_with(scheme) && rest[end..].starts_with(b"//"));
        rest.split_at(end - sent.map_or(0, <[u8]>::len))
    };
    // What it writes where there is no `Host`.
    let host = Some(host).filter(|host| !matches!(*host, b"" | b"localhost")).map(Cow::Borrowed);
    Some(Asked { target: Cow::Borrowed(target), host, scheme: None })
}

fn without_scheme(target: &[u8]) -> Option<(Scheme, &[u8])> {
    [(Scheme::Http, b"http://".as_slice()), (Scheme::Https, b"https://")].into_iter().find_map(
        |(scheme, prefix)| {
            let head = target.get(..prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then(|| (scheme, &target[prefix.len()..]))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(absolute: Absolute, request: &str) -> (String, Option<String>, Option<Scheme>) {
        let mut words = request.split(' ');
        let mut word = || words.next().unwrap_or_default().as_bytes();
        let (method, target) = (word(), word());
        let asked = absolute.take(method, target, word());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&asked.target), asked.host.as_deref().map(text), asked.scheme)
    }

    #[test]
    fn an_origin_that_the_producer_wrote_is_no_part_of_the_target() {
        use Absolute::{Prefixed, Sent, Written, WrittenForHttp2};
        let (http, https) = (Some(Scheme::Http), Some(Scheme::Https));
        for (absolute, request, target, host, scheme) in [
            (Sent, "GET http://h/a HTTP/1.1", "http://h/a", None, None),
            (Written, "GET https://h.example:443/a?b HTTP/1.1", "/a?b", Some("h.example"), https),
            (Written, "GET http://h:8080/ HTTP/1.1", "/", Some("h:8080"), http),
            (Written, "GET https://h:80?b HTTP/1.1", "/?b", Some("h:80"), https),
            (Written, "GET http://h HTTP/1.1", "/", Some("h"), http),
            (Written, "GET http://u@h/ HTTP/1.1", "http://u@h/", None, None),
            (Written, "GET wss://h:443/ HTTP/1.1", "wss://h:443/", None, None),
            (Written, "OPTIONS http://:80*", "*", None, http),
            (Written, "GET error:invalid-request", "", None, None),
            (Written, "CONNECT h:443", "h:443", None, None),
            (WrittenForHttp2, "GET http://h/a HTTP/2.0", "/a", Some("h"), http),
            (WrittenForHttp2, "GET http://h/a HTTP/1.1", "http://h/a", None, None),
            (Prefixed, "GET http://h:80/a?b HTTP/1.1", "/a?b", Some("h:80"), None),
            (Prefixed, "GET http://localhost/a HTTP/1.0", "/a", None, None),
            (Prefixed, "GET http://hhttps://o.example/a HTTP/1.1", "https://o.example/a", Some("h"), None),
            (Prefixed, "OPTIONS http://h* HTTP/1.1", "*", Some("h"), None),
            (Prefixed, "CONNECT http://t:443t:443 HTTP/1.1", "t:443", Some("t:443"), None),
        ] {
            assert_eq!(
                asked(absolute, request),
                (target.to_owned(), host.map(str::to_owned), scheme),
                "{request}"
            );
        }
    }
}
