use std::fmt;
use std::str::FromStr;

use bstr::ByteSlice as _;
use logretry_record::{Exchange, Reason, Scheme};

use crate::RefirerError;
use crate::site::{Authority, Site, split_scheme};
use crate::target::Target;

/// Where the operator lets requests go. A log, which anyone on the internet can write into, never adds to it.
///
/// With a base URL every request goes there, whatever host its line names, and carries the base URL's host in its `Host`
/// header. Without one, a request goes to the host that its line names (never to one that only its target claims), if
/// that is among the allowed ones.
///
/// An absolute target (`http://host/path`, which a client may send to any server) must claim the site that it would be sent
/// to anyway, or with a base URL one of the allowed hosts; its path is all that is used of it.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    /// `--base-url`.
    pub base_url: Option<BaseUrl>,
    /// `--allow-host`.
    pub allow_hosts: Vec<AllowedHost>,
    /// Whether the *name* of an allowed host may lead to a private address; that of a base URL always may, and so may an address
    /// that is typed.
    pub allow_private: bool,
}

impl Destination {
    /// The site that `target` is asked of, and the path that stands before it.
    pub(crate) fn site(&self, original: &Exchange, target: &Target<'_>) -> Result<(Site, &str), Reason> {
        if let Some(base) = &self.base_url {
            let known = |(scheme, authority): &(Scheme, Authority)| {
                base.site.answers_to(authority) || self.allowed(Some(*scheme), authority).is_some()
            };
            let stays = target.claims.as_ref().is_none_or(known);
            return if stays { Ok((base.site.clone(), &base.prefix)) } else { Err(Reason::HostNotAllowed) };
        }
        let host = original.host.as_ref().filter(|host| !host.is_empty()).ok_or(Reason::NoHost)?;
        let host = host.to_str().ok().and_then(Authority::parse).ok_or(Reason::HostNotAllowed)?;
        let site = self.allowed(original.scheme, &host).ok_or(Reason::HostNotAllowed)?;
        match &target.claims {
            Some((_, claimed)) if !site.answers_to(claimed) => Err(Reason::HostNotAllowed),
            _ => Ok((site, "")),
        }
    }

    /// Whether requests may go to `port` of `host`.
    pub(crate) fn is_at(&self, host: &str, port: u16) -> bool {
        let is_it = |site: &Site| site.host() == host && site.port() == port;
        match &self.base_url {
            Some(base) => is_it(&base.site),
            None => self.allow_hosts.iter().flat_map(AllowedHost::sites).any(is_it),
        }
    }

    fn allowed(&self, scheme: Option<Scheme>, host: &Authority) -> Option<Site> {
        self.allow_hosts.iter().find_map(|allowed| allowed.admits(scheme, host))
    }
}

/// Where requests go, in words that stay the same while it is the same destination: what a ledger belongs to.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base_url {
            Some(base) => write!(f, "{}{}", base.site, base.prefix),
            None => f.write_str("the hosts that the log names"),
        }
    }
}

/// `--base-url`: a site and, perhaps, a path that is put before every target.
///
/// `https://shop.example`, `http://10.0.0.7:8080/shop`. The path is put before the target as it stands, without its last `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    site: Site,
    prefix: String,
}

impl BaseUrl {
    /// Where it points to.
    pub fn site(&self) -> &Site {
        &self.site
    }
}

impl FromStr for BaseUrl {
    type Err = RefirerError;

    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let refuse = |why: &'static str| RefirerError::BaseUrl { text: text.to_owned(), why };
        let (scheme, rest) =
            split_scheme(text).ok_or_else(|| refuse("it does not begin with http:// or https://"))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(refuse("it holds a user name; give credentials with --header @FILE"));
        }
        let authority = Authority::parse(authority).ok_or_else(|| refuse("it names no plain host"))?;
        if path.contains(['?', '#']) {
            return Err(refuse("it has a query or a fragment"));
        }
        let prefix = path.strip_suffix('/').unwrap_or(path);
        if Target::parse(path).is_err() && !path.is_empty()
            || prefix.parse::<http::Uri>().is_err() && !prefix.is_empty()
        {
            return Err(refuse("its path holds bytes that must be percent-encoded"));
        }
        Ok(Self { site: Site::new(scheme, &authority), prefix: prefix.to_owned() })
    }
}

/// `--allow-host`: `shop.example`, `shop.example:8443`, or with its scheme, `http://shop.example:8080`.
///
/// A missing port is the port of the scheme, a missing scheme is that of the log line. If the line tells none either, it is
/// `http` for port 80 and `https` for every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    scheme: Option<Scheme>,
    authority: Authority,
    /// What it is under `http` and under `https`: made once, and not for every line that names it.
    sites: [Site; 2],
}

impl AllowedHost {
    /// All that a line may mean.
    fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| self.scheme.is_none_or(|scheme| scheme == site.scheme()))
    }

    /// The site that a line means which names `host`, if this is the host that is allowed here.
    fn admits(&self, scheme: Option<Scheme>, host: &Authority) -> Option<Site> {
        if host.host != self.authority.host {
            return None;
        }
        let guess = || if host.port == Some(80) { Scheme::Http } else { Scheme::Https };
        let meant = scheme.or(self.scheme).unwrap_or_else(guess);
        let fits = self.scheme.is_none_or(|wanted| wanted == meant)
            && self.authority.port_for(meant) == host.port_for(meant);
        fits.then(|| self.sites[usize::from(meant == Scheme::Https)].clone())
    }
}

impl FromStr for AllowedHost {
    type Err = RefirerError;

    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let (scheme, authority) = match split_scheme(text) {
            Some((scheme, authority)) => (Some(scheme), authority),
            None => (None, text),
        };
        let authority =
            Authority::parse(authority).ok_or_else(|| RefirerError::AllowHost(text.to_owned()))?;
        let sites = [Scheme::Http, Scheme::Https].map(|scheme| Site::new(scheme, &authority));
        Ok(Self { scheme, authority, sites })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(
        destination: &Destination,
        host: &str,
        scheme: Option<Scheme>,
        target: &str,
    ) -> Result<String, Reason> {
        let host = Some(host).filter(|host| !host.is_empty()).map(Into::into);
        let original = Exchange { host, scheme, ..Exchange::default() };
        let (site, prefix) = destination.site(&original, &Target::parse(target)?)?;
        Ok(format!("{site}{prefix}"))
    }

    fn allow(hosts: &[&str]) -> Destination {
        let allow_hosts = hosts.iter().map(|host| host.parse().expect("a host")).collect();
        Destination { allow_hosts, ..Destination::default() }
    }

    #[test]
    fn a_base_url_takes_every_line() {
        let base_url = Some("https://Shop.example:443/v1/".parse().expect("a base URL"));
        let destination = Destination { base_url, ..Destination::default() };
        for host in ["", "shop.example", "evil.example", "a@b", "\x1b"] {
            for target in ["/", "//evil.example/x", "/@evil.example"] {
                assert_eq!(site(&destination, host, None, target), Ok("https://shop.example/v1".to_owned()));
            }
        }
        for target in ["http://shop.example/x", "https://SHOP.example:443/x", "HTTP://shop.example"] {
            assert!(site(&destination, "", None, target).is_ok(), "{target}");
        }
        for target in
            ["http://evil.example/x", "http://shop.example:80/x", "http://shop.example.evil.example/"]
        {
            assert_eq!(site(&destination, "", None, target), Err(Reason::HostNotAllowed), "{target}");
        }
    }

    #[test]
    fn a_base_url_is_a_site_and_a_path() {
        for (text, shown) in [
            ("http://h", "http://h"),
            ("http://h/", "http://h"),
            ("http://h/a/../b/", "http://h/a/../b"),
            ("https://[::1]:8443/a%20b", "https://[::1]:8443/a%20b"),
        ] {
            let base: BaseUrl = text.parse().expect(text);
            assert_eq!(format!("{}{}", base.site, base.prefix), shown);
        }
        for text in [
            "",
            "h",
            "//h",
            "ftp://h",
            "http://",
            "http:///a",
            "http://a@h",
            "http://a:b@h/",
            "http://h?a",
            "http://h/#a",
            "http://h/a b",
            "http://h\\a",
            "http://h/é",
            "http://é/",
            "http:h",
            " http://h",
            "http://h:99999",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn without_a_base_url_only_an_allowed_host_of_the_log_is_asked() {
        use Scheme::{Http, Https};
        let no = Err(Reason::HostNotAllowed);
        for (allowed, host, scheme, expected) in [
            ("shop.example", "shop.example", None, Ok("https://shop.example")),
            ("shop.example", "SHOP.example", Some(Http), Ok("http://shop.example")),
            ("shop.example", "shop.example:443", Some(Https), Ok("https://shop.example")),
            ("shop.example:443", "shop.example", Some(Https), Ok("https://shop.example")),
            ("shop.example:80", "shop.example:80", None, Ok("http://shop.example")),
            ("shop.example:8443", "shop.example:8443", None, Ok("https://shop.example:8443")),
            ("http://shop.example:8080", "shop.example:8080", None, Ok("http://shop.example:8080")),
            ("http://shop.example", "shop.example", None, Ok("http://shop.example")),
            ("[::1]:80", "[0::1]:80", None, Ok("http://[::1]")),
            ("https://shop.example", "shop.example", Some(Http), no),
            ("shop.example", "shop.example:8443", None, no),
            ("shop.example:8443", "shop.example", None, no),
            ("shop.example", "shop.example.evil.example", None, no),
            ("shop.example", "shop.example.", None, no),
            ("shop.example", "a@shop.example", None, no),
            ("shop.example", "shop.example/", None, no),
            ("shop.example", "evil.example\\@shop.example", None, no),
            ("shop.example", "", None, Err(Reason::NoHost)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(site(&allow(&[allowed]), host, scheme, "/"), expected, "{allowed} {host}");
        }
        assert_eq!(site(&Destination::default(), "shop.example", None, "/"), no.map(str::to_owned));
    }

    #[test]
    fn an_absolute_target_must_mean_the_host_that_the_server_logged() {
        let destination = allow(&["a.example", "b.example"]);
        let ask = |target| site(&destination, "a.example", None, target);
        assert_eq!(ask("https://a.example/x"), Ok("https://a.example".to_owned()));
        assert_eq!(ask("http://a.example/x"), Ok("https://a.example".to_owned()));
        assert_eq!(ask("https://b.example/x"), Err(Reason::HostNotAllowed));
        assert_eq!(ask("https://evil.example/x"), Err(Reason::HostNotAllowed));
        assert_eq!(site(&destination, "", None, "https://a.example/x"), Err(Reason::NoHost));
    }
}
