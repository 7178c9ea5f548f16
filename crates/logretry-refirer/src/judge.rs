//! Whether a record may be sent, and as what. Pure: no socket, no name lookup, no clock.
//!
//! The questions are asked in this order, and the first "no" is the [`Reason`] in the record:
//!
//! 1. Does the line hold a URL?
//! 2. Is its method among those to send, is its body there if it needs one, and is it proven that nobody has seen it if that is asked for?
//! 3. Is its target a path that can be sent again, and is it whole?
//! 4. Does the operator let a request go to its host?
//! 5. Is its path not denied, and does its URL not say that it acts although its method says otherwise?
//! 6. Can it go out byte for byte, through the proxy that was asked for?
//! 7. If it changes something, was it confirmed?

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use http::uri::PathAndQuery;
use logretry_record::{ErrorKind, Outcome, Reason, Record, Retry};
use url::{Position, Url};

use crate::acting::says_that_it_acts;
use crate::payload::{Payload, overriding_methods};
use crate::target::{TARGET_BYTES_MAX, Target};
use crate::{Options, Site, methods};

/// A request that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub(crate) method: Method,
    is_safe: bool,
    is_idempotent: bool,
    pub(crate) site: Site,
    pub(crate) target: PathAndQuery,
    pub(crate) payload: Option<Arc<Payload>>,
}

impl Planned {
    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Whether it asks for nothing but an answer (RFC 9110 §9.2.1), as far as its method tells, which is GET, HEAD or OPTIONS, and the header that overrides it.
    pub fn is_safe(&self) -> bool {
        self.is_safe
    }

    /// Whether sending it twice asks for no more than sending it once (RFC 9110 §9.2.2), as far as its method and that header tell.
    pub fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }

    /// Where it goes.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The request target: path and query as they go onto the wire.
    pub fn target(&self) -> &str {
        self.target.as_str()
    }

    /// The body that goes along; none for a request without one.
    pub fn body(&self) -> Option<&[u8]> {
        self.payload.as_ref().map(|payload| &payload.body[..])
    }

    /// The whole URL: site and target.
    pub fn url(&self) -> String {
        [self.site.url(), self.target()].concat()
    }
}

impl Options {
    /// Decides whether `record` may be sent, and as what. Opens nothing and asks nobody; a body may be read from the file of [`Options::bodies`].
    pub fn judge(&self, record: &Record) -> Result<Planned, Reason> {
        let original = record.original();
        let text = original.target.as_deref().filter(|text| !text.is_empty()).ok_or(Reason::NoTarget)?;
        let completed = self.bodies.as_ref().and_then(|bodies| bodies.complete(original));
        let original = completed.as_ref().unwrap_or(original);
        let method = self.methods.judge(original.method.as_deref(), original.body.is_some())?;
        let payload = Payload::of(original, &self.keep_headers)?.map(Arc::new);
        let overriding = || overriding_methods(original).filter(|_| payload.is_some());
        if overriding().any(|method| !self.methods.has(method)) {
            return Err(Reason::MethodNotAllowed);
        }
        // Not what the library takes for safe, which is more: what is not confirmed must be what is held after a crash, and so on.
        let is_safe = methods::is_safe(method.as_str());
        // The ledger goes by the request line, and would send it again after a crash.
        if is_safe && !overriding().all(methods::is_safe) {
            return Err(Reason::MethodNotAllowed);
        }
        let is_idempotent =
            methods::is_idempotent(method.as_str()) && overriding().all(methods::is_idempotent);
        if self.undelivered && !is_safe && !self.is_proven_undelivered(record) {
            return Err(Reason::MayHaveArrived);
        }
        let target = Target::parse(text)?;
        // A request whose body is lost is another request, whatever the operator says of URLs.
        if original.lossy.iter().any(|part| !self.allow_lossy || part == "body") {
            return Err(Reason::Lossy);
        }
        let (site, prefix) = self.destination.site(original, &target)?;
        let mut path =
            if prefix.is_empty() { target.path.clone() } else { [prefix, &target.path].concat().into() };
        let denied = |prefix, path| self.deny_paths.iter().any(|denied| denied.fits(prefix, path));
        if denied("", &target.path) || (!prefix.is_empty() && denied(prefix, &path)) {
            return Err(Reason::DeniedPath);
        }
        let reads = matches!(method, Method::GET | Method::HEAD);
        if reads && !self.allow_acting && says_that_it_acts(&target.path) {
            return Err(Reason::MayAct);
        }
        if let Some(mark) = &self.send_mark {
            path = Cow::Owned(mark.put_on(&path));
        }
        if path.len() > TARGET_BYTES_MAX {
            return Err(Reason::TargetTooLong);
        }
        let target = read_back(&site, &path)?;
        let planned = Planned { method, is_safe, is_idempotent, site, target, payload };
        if self.proxy.is_some() && !survives_the_url_type(&planned) {
            return Err(Reason::TargetWouldChange);
        }
        // Asked last: whoever has named the method is told what else is missing.
        if !is_safe && self.methods.is_without_changes {
            return Err(Reason::MethodNotAllowed);
        }
        Ok(planned)
    }

    /// Whether it is proven that no application has seen the request of `record`. The log proves it of what it tells of, and a refire may have been delivered since: so nothing is
    /// proven of a record that has been sent, nor of a refire's line: what it tells of is not the first that was sent, and in a retry log it keeps all that the original's line said of its way.
    pub fn is_proven_undelivered(&self, record: &Record) -> bool {
        record.original().undelivered.is_some()
            && !record.is_of_refire(&self.mark)
            && !record.retry().is_some_and(may_have_arrived)
    }
}

/// Whether anything of a refire that ended so may have been delivered, or of one before it. Of several requests only the last one's end is known; what was skipped may have been skipped because it had been sent;
/// and that a request which was cut off never arrived is what somebody has decided, and no proof.
pub(crate) fn may_have_arrived(retry: &Retry) -> bool {
    let unconnected = [ErrorKind::Dns, ErrorKind::Connect, ErrorKind::BlockedAddress].map(Some);
    match retry.attempts {
        _ if retry.sent_before => true,
        0 => retry.outcome == Outcome::Skipped,
        1 => retry.in_doubt_retry || retry.status.is_some() || !unconnected.contains(&retry.error),
        _ => true,
    }
}

/// Reads back what was built, with the parser of the library that sends it: it must be what was meant, and go where it
/// was meant to go. Nothing known gets here and fails; this is the second lock.
fn read_back(site: &Site, target: &str) -> Result<PathAndQuery, Reason> {
    if !site.is_read_back() {
        return Err(Reason::HostNotAllowed);
    }
    // An authority ends at the first slash (RFC 3986 §3.2), so that what follows one cannot change it.
    let read: PathAndQuery = target.parse().map_err(|_| Reason::TargetForm)?;
    let unchanged = read.as_str() == target && target.starts_with('/');
    if unchanged { Ok(read) } else { Err(Reason::TargetForm) }
}

/// Whether the target is still the same after `url::Url`, which reqwest takes and with it every request through a proxy, has resolved its dot segments, turned its
/// backslashes and percent-encoded its quotation marks (WHATWG URL §4.4).
fn survives_the_url_type(planned: &Planned) -> bool {
    Url::parse(&planned.url()).is_ok_and(|url| &url[Position::BeforePath..] == planned.target())
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Header, Origin, RecordId};

    use super::*;

    fn record(original: Exchange) -> Record {
        Record::new(RecordId::of_line(b"x", 0), Origin::new("-", 1, 0, "combined", "x"), original)
    }

    fn get(target: &str) -> Record {
        record(Exchange {
            method: Some("GET".to_owned()),
            target: Some(target.to_owned()),
            ..Exchange::default()
        })
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.destination.base_url = Some("https://shop.example".parse().expect("a base URL"));
        options
    }

    #[test]
    fn no_target_changes_the_host_or_loses_a_byte() {
        for target in [
            "/",
            "/a?b=c",
            "/a%20b?c=%C3%A9&d",
            "//evil.example/x",
            "/@evil.example",
            "/a?q=[1]&u=http://evil.example/",
            "/a:80?",
            "/%00%0d%0aHost:%20evil",
            "/a/../b",
            "/../../etc/passwd",
            "/a/%2e%2E/b",
            "/.",
            "/\\evil.example/x",
            "/a?q='x'",
            "/{a}|b",
            "/a\"b",
        ] {
            let planned = options().judge(&get(target)).expect(target);
            assert_eq!(planned.target(), target);
            assert_eq!(planned.url(), format!("https://shop.example{target}"));
        }
    }

    #[test]
    fn a_prefix_and_a_mark_are_part_of_what_is_sent() {
        let mut options = options();
        options.destination.base_url = Some("http://[::1]:8080/v1/".parse().expect("a base URL"));
        options.send_mark = Some(logretry_record::Mark::default());
        let planned = options.judge(&get("//a?b")).expect("it may be sent");
        assert_eq!(planned.url(), "http://[::1]:8080/v1//a?b&retry=True");
        let planned = options.judge(&get("HTTP://[0::1]:8080?b")).expect("it names the same host");
        assert_eq!(planned.url(), "http://[::1]:8080/v1/?b&retry=True");
    }

    #[test]
    fn the_first_no_is_the_reason() {
        let with = |change: fn(&mut Exchange)| {
            let mut original = get("/a").original().clone();
            change(&mut original);
            record(original)
        };
        for (record, reason) in [
            (with(|original| original.target = None), Reason::NoTarget),
            (with(|original| original.target = Some(String::new())), Reason::NoTarget),
            (with(|original| original.method = Some("POST".to_owned())), Reason::MethodNotAllowed),
            (with(|original| original.method = Some("TRACE".to_owned())), Reason::MethodNotAllowed),
            (with(|original| original.lossy = vec!["query".into()]), Reason::Lossy),
            (get("*"), Reason::TargetForm),
            (get("shop.example:443"), Reason::TargetForm),
            (get("@evil.example/"), Reason::TargetForm),
            (get("/a<b>"), Reason::TargetForm),
            (get("http://evil.example/"), Reason::HostNotAllowed),
            (get("http://shop.example@evil.example/"), Reason::HostNotAllowed),
            (get(&format!("/{}", "a".repeat(TARGET_BYTES_MAX))), Reason::TargetTooLong),
        ] {
            assert_eq!(options().judge(&record), Err(reason));
        }
        assert_eq!(Options::default().judge(&get("/")), Err(Reason::NoHost));
        let allowing = Options { allow_lossy: true, ..options() };
        assert!(allowing.judge(&with(|original| original.lossy = vec!["query".into()])).is_ok());
        let bodiless = with(|original| original.lossy = vec!["query".into(), "body".into()]);
        assert_eq!(allowing.judge(&bodiless), Err(Reason::Lossy));
    }

    #[test]
    fn what_acts_is_sent_only_when_the_operator_says_so() {
        let ask = |options: &Options, method: &str, target: &str| {
            let original = Exchange {
                method: Some(method.to_owned()),
                target: Some(target.to_owned()),
                ..Exchange::default()
            };
            options.judge(&record(original)).map(|planned| planned.target().to_owned())
        };
        let mut options = options();
        options.methods = "GET,HEAD,OPTIONS,DELETE".parse().expect("methods");
        assert_eq!(ask(&options, "GET", "/logout"), Err(Reason::MayAct));
        assert_eq!(ask(&options, "HEAD", "http://evil.example/?do=delete"), Err(Reason::HostNotAllowed));
        assert_eq!(ask(&options, "HEAD", "https://shop.example/?do=delete"), Err(Reason::MayAct));
        assert!(ask(&options, "OPTIONS", "/logout").is_ok());
        assert!(ask(&options, "DELETE", "/item/7/delete").is_ok());
        options.allow_acting = true;
        assert!(ask(&options, "GET", "/logout").is_ok());
        options.deny_paths = vec!["/log*".parse().expect("a glob")];
        for method in ["GET", "OPTIONS", "DELETE"] {
            assert_eq!(ask(&options, method, "/logout?a"), Err(Reason::DeniedPath));
        }
        options.destination.base_url = Some("https://shop.example/v1".parse().expect("a base URL"));
        options.deny_paths = vec!["/v1/admin/*".parse().expect("a glob"), "/log*".parse().expect("a glob")];
        for target in ["/admin/x", "/../v1/logout", "/logout"] {
            assert_eq!(ask(&options, "OPTIONS", target), Err(Reason::DeniedPath), "{target}");
        }
        assert_eq!(ask(&options, "OPTIONS", "/x"), Ok("/v1/x".to_owned()));
    }

    #[test]
    fn what_was_not_confirmed_is_not_sent_and_keeps_a_reason_of_its_own() {
        let ask = |method: &str, target: &str| {
            let original = Exchange {
                method: Some(method.to_owned()),
                target: Some(target.to_owned()),
                ..Exchange::default()
            };
            let methods = "GET,DELETE,POST".parse::<crate::Methods>().expect("methods").without_changes();
            Options { methods, ..options() }
                .judge(&record(original))
                .map(|planned| planned.target().to_owned())
        };
        assert_eq!(ask("GET", "/a"), Ok("/a".to_owned()));
        assert_eq!(ask("DELETE", "/a"), Err(Reason::MethodNotAllowed));
        assert_eq!(ask("POST", "/a"), Err(Reason::NoBody));
        assert_eq!(ask("DELETE", "http://evil.example/"), Err(Reason::HostNotAllowed));
    }

    #[test]
    fn what_changes_something_may_be_asked_to_be_proven_undelivered() {
        let ask = |method: &str, proof: Option<&'static str>| {
            let original = Exchange {
                method: Some(method.to_owned()),
                target: Some("/a".to_owned()),
                undelivered: proof.map(Into::into),
                ..Exchange::default()
            };
            let mut options = Options { undelivered: true, ..options() };
            options.methods = "GET,DELETE,POST".parse().expect("methods");
            options.judge(&record(original)).map(|planned| planned.is_safe())
        };
        assert_eq!(ask("GET", None), Ok(true));
        assert_eq!(ask("DELETE", None), Err(Reason::MayHaveArrived));
        assert_eq!(ask("DELETE", Some("haproxy_no_server")), Ok(false));
        assert_eq!(ask("POST", Some("haproxy_no_server")), Err(Reason::NoBody), "a proof is no body");
    }

    #[test]
    fn what_was_refired_is_proven_undelivered_no_longer() {
        use Outcome::{Failing, InDoubt, Skipped, Unanswered, Unsent};

        let ask = |target: &str, last: Option<(u32, Outcome, Option<ErrorKind>)>| {
            let original = Exchange {
                method: Some("DELETE".to_owned()),
                target: Some(target.to_owned()),
                undelivered: Some("nginx_not_connected".into()),
                ..Exchange::default()
            };
            let record = last.into_iter().fold(record(original), |record, (attempts, outcome, error)| {
                let nothing = Retry::not_sent(jiff::Timestamp::UNIX_EPOCH, Reason::MaxRequests);
                record.with_retry(Retry { attempts, outcome, error, ..nothing })
            });
            let mut options = Options { undelivered: true, ..options() };
            options.methods = "DELETE".parse().expect("methods");
            options.judge(&record).map(|planned| planned.is_safe())
        };
        for nothing_was_sent in
            [None, Some((0, Unsent, None)), Some((1, Unanswered, Some(ErrorKind::Connect)))]
        {
            assert_eq!(ask("/a", nothing_was_sent), Ok(false), "{nothing_was_sent:?}");
        }
        for sent in [
            (1, Failing, None),
            (1, Unanswered, Some(ErrorKind::Timeout)),
            (2, Unanswered, Some(ErrorKind::Connect)),
            (1, InDoubt, Some(ErrorKind::Aborted)),
            (0, Skipped, None),
        ] {
            assert_eq!(ask("/a", Some(sent)), Err(Reason::MayHaveArrived), "{sent:?}");
        }
        for outcome in [Unsent, Unanswered] {
            let error = (outcome == Unanswered).then_some(ErrorKind::Connect);
            let nothing = Retry::not_sent(jiff::Timestamp::UNIX_EPOCH, Reason::MaxRequests);
            let last = Retry { outcome, error, attempts: error.is_some().into(), ..nothing };
            assert!(!may_have_arrived(&last) && may_have_arrived(&Retry { sent_before: true, ..last }));
        }
        assert_eq!(ask("/a?retry=True", None), Err(Reason::MayHaveArrived), "a line of a retry log");
        let original = Exchange {
            method: Some("DELETE".to_owned()),
            target: Some("/a".to_owned()),
            undelivered: Some("haproxy_no_server".into()),
            user_agent: Some("logretry/0.1.0 id=…".into()),
            ..Exchange::default()
        };
        assert!(!options().is_proven_undelivered(&record(original)), "the refire's own line");
    }

    #[test]
    fn only_the_three_methods_that_need_no_confirmation_are_safe() {
        let ask = |method: &str| {
            let original = Exchange {
                method: Some(method.to_owned()),
                target: Some("/a".to_owned()),
                body: Some("x".into()),
                ..Exchange::default()
            };
            let mut options = options();
            options.methods = "GET,HEAD,OPTIONS,QUERY,PROPFIND".parse().expect("methods");
            options.judge(&record(original)).map(|planned| planned.is_safe())
        };
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(ask(method), Ok(true), "{method}");
        }
        for method in ["QUERY", "PROPFIND"] {
            assert_eq!(ask(method), Ok(false), "{method}");
        }
    }

    #[test]
    fn each_method_that_a_header_asks_for_must_be_named() {
        let ask = |overriding: &[(&str, &str)]| {
            let headers = overriding.iter().filter_map(|(name, value)| Header::recorded(name, *value));
            let original = Exchange {
                method: Some("POST".to_owned()),
                target: Some("/a".to_owned()),
                headers: headers.collect(),
                body: Some("x".into()),
                ..Exchange::default()
            };
            let mut options = options();
            options.methods = "POST,PUT".parse().expect("methods");
            options.judge(&record(original)).map(|planned| planned.method().to_owned())
        };
        assert_eq!(ask(&[("X-HTTP-Method-Override", "PUT")]), Ok("POST".to_owned()));
        assert_eq!(ask(&[("X-HTTP-Method-Override", "DELETE")]), Err(Reason::MethodNotAllowed));
        let both = [("X-HTTP-Method-Override", "PUT"), ("X-Method-Override", "DELETE")];
        assert_eq!(ask(&both), Err(Reason::MethodNotAllowed), "nobody knows which of them counts");
        let asking = Exchange {
            method: Some("GET".to_owned()),
            target: Some("/a".to_owned()),
            headers: Header::recorded("X-HTTP-Method-Override", "POST").into_iter().collect(),
            body: Some("x".into()),
            ..Exchange::default()
        };
        let mut options = options();
        options.methods = "GET,POST".parse().expect("methods");
        assert_eq!(options.judge(&record(asking)).err(), Some(Reason::MethodNotAllowed));
    }

    #[test]
    fn a_target_that_a_proxy_would_see_changed_stays_here() {
        let mut options = options();
        options.proxy = Some("http://proxy.example:3128".parse().expect("a proxy"));
        assert_eq!(options.judge(&get("/a/../b")), Err(Reason::TargetWouldChange));
        assert!(options.judge(&get("/a/b")).is_ok());
    }

    proptest::proptest! {
        /// Whoever reads the URL, it leads to the operator's host.
        #[test]
        fn no_log_line_leads_elsewhere(
            target in r"[/:@?#.%\\\[\]a-z0-9 é]{0,24}|(https?:)?[/\\@]{0,3}(shop|evil)\.example[:@/?#\\a-z0-9.]{0,16}",
            host in r"[-.:@/\\%\[\]a-z0-9]{0,12}|shop\.example[.:@/\\a-z0-9]{0,12}",
            with_base in proptest::bool::ANY,
        ) {
            let mut options = options();
            options.destination.allow_hosts = vec!["shop.example".parse().expect("a host")];
            if !with_base {
                options.destination.base_url = None;
            }
            let original = Exchange { target: Some(target.clone()), host: Some(host.into()), ..Exchange::default() };
            if let Ok(planned) = options.judge(&record(original)) {
                let url = Url::parse(&planned.url()).expect("a URL");
                assert_eq!((url.host_str(), url.port()), (Some("shop.example"), None));
                let uri: http::Uri = planned.url().parse().expect("a URI");
                assert_eq!(uri.authority().map(http::uri::Authority::as_str), Some("shop.example"));
                assert!(target.ends_with(planned.target()) || target.ends_with(&planned.target()[1..]));
            }
        }
    }
}
