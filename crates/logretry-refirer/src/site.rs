use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use http::header::HeaderValue;
use logretry_record::{IdHasher, Scheme};
use url::Host;

use crate::RefirerError;

/// Where requests go: scheme, host and port. It is what RFC 6454 calls an origin; here that word is taken by the log line.
///
/// The host is kept in lowercase, the port is left out when it is the scheme's own, so that two sites are equal when
/// their requests reach the same server.
#[derive(Debug, Clone)]
pub struct Site {
    scheme: Scheme,
    port: u16,
    names: Arc<Names>,
}

/// A map by sites. Their keys are hashes already.
pub(crate) type SiteMap<T> = HashMap<Site, T, BuildHasherDefault<IdHasher>>;

/// What a site is called where. Made once, for every request needs it.
#[derive(Debug)]
struct Names {
    /// `http://shop.example:8080`.
    url: String,
    /// Where the host stands in it.
    host: std::ops::Range<usize>,
    /// `shop.example:8080`, as the `Host` header has it.
    header: HeaderValue,
    is_read_back: bool,
    /// What it is hashed as: the same for equal URLs.
    key: u64,
}

impl Site {
    pub(crate) fn new(scheme: Scheme, authority: &Authority) -> Self {
        let port = authority.port_for(scheme);
        let mut url = format!("{}://", scheme.as_str());
        let start = url.len();
        url.push_str(&authority.host);
        let host = start..url.len();
        if port != scheme.default_port() {
            url = format!("{url}:{port}");
        }
        let header = HeaderValue::from_str(&url[start..]).expect("a host is ASCII");
        let is_read_back = url.parse().is_ok_and(|uri: Uri| {
            uri.scheme_str() == Some(scheme.as_str())
                && uri.authority().map(http::uri::Authority::as_str) == Some(&url[start..])
        });
        // With a hasher that nobody has seeded: which sites there are is the operator's to say.
        let key = BuildHasherDefault::<DefaultHasher>::default().hash_one(&url);
        Self { scheme, port, names: Arc::new(Names { url, host, header, is_read_back, key }) }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host in lowercase, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.names.url[self.names.host.clone()]
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether an absolute target that names `authority` means this site. The scheme is not asked: behind a proxy that ends
    /// TLS, a server logs `http://` for what the client sent as `https://`.
    pub(crate) fn answers_to(&self, authority: &Authority) -> bool {
        *authority.host == *self.host() && authority.port_for(self.scheme) == self.port
    }

    /// Host and port as the `Host` header has them: without the port that is the scheme's own (RFC 9110 §7.2).
    pub fn authority(&self) -> &str {
        &self.names.url[self.names.host.start..]
    }

    /// The same as the value of that header.
    pub(crate) fn header(&self) -> HeaderValue {
        self.names.header.clone()
    }

    /// Whether the parser of the library that sends requests finds this scheme and this authority in the site's URL, and no others.
    pub(crate) fn is_read_back(&self) -> bool {
        self.names.is_read_back
    }

    /// The URL without a path.
    pub(crate) fn url(&self) -> &str {
        &self.names.url
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        // The URL says it all.
        Arc::ptr_eq(&self.names, &other.names) || self.names.url == other.names.url
    }
}

impl Eq for Site {}

impl Hash for Site {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.names.key);
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url())
    }
}

impl FromStr for Site {
    type Err = RefirerError;

    /// Reads `http://host[:port]` or `https://host[:port]`, and nothing else.
    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let (scheme, authority) = split_scheme(text).ok_or_else(|| RefirerError::Site(text.to_owned()))?;
        let authority = Authority::parse(authority).ok_or_else(|| RefirerError::Site(text.to_owned()))?;
        Ok(Self::new(scheme, &authority))
    }
}

/// `text` without the `http://` or `https://` that it begins with, in whatever case.
pub(crate) fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    [(Scheme::Http, "http://"), (Scheme::Https, "https://")].into_iter().find_map(|(scheme, prefix)| {
        let (head, rest) = text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some((scheme, rest))
    })
}

/// `host[:port]`, strictly: a registered name of letters, digits, `-`, `_` and dots, an IPv4 address, or an IPv6 address in
/// brackets (RFC 3986 §3.2.2 without its percent-encoding). User information, slashes, white space and all the rest that
/// has ever made two programs see two hosts in one text is refused here, once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Authority {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let end =
            if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':').unwrap_or(text.len()) };
        let (host, rest) = text.split_at(end);
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(port(digits)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        Some(Self { host: self::host(host)?, port })
    }

    /// The port that is meant under `scheme`.
    pub(crate) fn port_for(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(scheme.default_port())
    }
}

fn port(digits: &str) -> Option<u16> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port| plain && port != 0)
}

fn host(text: &str) -> Option<String> {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    }
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let labels = text.strip_suffix('.').unwrap_or(text);
    let is_name = text.len() <= 253
        && text.bytes().all(stands)
        && labels.split('.').all(|label| (1..=63).contains(&label.len()));
    // What URLs take for a malformed IPv4 address (`1.2.3.999`) is no name either.
    (is_name && Host::parse(text).is_ok()).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_thing_only() {
        for (text, host, port) in [
            ("shop.example", "shop.example", None),
            ("Shop.Example:8443", "shop.example", Some(8443)),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]:8080", "[::1]", Some(8080)),
            ("[0:0::1]", "[::1]", None),
            ("a_b-c.example.", "a_b-c.example.", None),
        ] {
            assert_eq!(Authority::parse(text), Some(Authority { host: host.to_owned(), port }), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_as_another_host_is_no_host() {
        for text in [
            "",
            ":80",
            "a@b",
            "a:b@c",
            "a/b",
            "a\\b",
            "a b",
            "a%2eb",
            "a:",
            "a:0",
            "a:+1",
            "a:65536",
            "a:80:80",
            "a..b",
            ".a",
            "::1",
            "[::1",
            "[::1]x",
            "[::1%25eth0]",
            "[evil]",
            "a\0",
            "a\n",
            "é",
            "1.2.3.999",
            "a,b",
            "a?b",
            "a#b",
            "*",
            "a;b",
            "a'b",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?} was taken");
        }
    }

    #[test]
    fn a_site_is_written_without_the_port_of_its_scheme() {
        for (text, shown) in [
            ("https://shop.example:443", "https://shop.example"),
            ("HTTP://Shop.example:80", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
        ] {
            assert_eq!(text.parse::<Site>().expect(text).to_string(), shown);
        }
        for text in
            ["shop.example", "ftp://shop.example", "https://shop.example/", "https:shop.example", "http://"]
        {
            assert!(text.parse::<Site>().is_err(), "{text} was taken");
        }
    }
}
