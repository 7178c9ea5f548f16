use std::collections::HashMap;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use logretry_record::{Mark, Scheme};
use url::{Host, Url};

use crate::quantity::TIME_MAX;
use crate::site::Authority;
use crate::{
    Backoff, BaseUrl, Bodies, DeniedPath, Destination, IdempotencySecret, KeepHeaders, Methods, Pace, Rate,
    RefirerError, Tempo,
};

/// What a refirer may do, and how. The default may send nothing, for it has no destination.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a permission of its own")]
pub struct Options {
    /// Where requests may go.
    pub destination: Destination,
    /// What may be sent.
    pub methods: Methods,
    /// Whether what changes something is sent only where the log proves that no application has seen it.
    pub undelivered: bool,
    /// Whether a URL is sent although the log format has lost a part of it.
    pub allow_lossy: bool,
    /// Whether a GET or HEAD is sent although its URL says that it acts (`/logout`, `?do=delete`).
    pub allow_acting: bool,
    /// Paths that are never sent.
    pub deny_paths: Vec<DeniedPath>,
    /// The mark by which refires are known in a log.
    pub mark: Mark,
    /// The mark that is put on what is sent; by default the mark is in the retry log only.
    pub send_mark: Option<Mark>,
    /// Whether everything is decided and nothing is sent. No socket is opened and no name looked up.
    pub dry_run: bool,
    /// What decides how many requests are under way. The next three are its ceilings.
    pub pace: Pace,
    /// How the log's own gaps are kept, if the pace keeps them.
    pub tempo: Tempo,
    /// Requests under way at most.
    pub concurrency: NonZeroUsize,
    /// Requests under way to one host at most, if fewer.
    pub per_host: Option<NonZeroUsize>,
    /// Threads that send, each with connections of its own; 0 is none besides the caller's. By default there are some for many requests at once at a fixed pace: one for each 32 of
    /// [`concurrency`](Self::concurrency), as far as the machine has more than two cores.
    pub threads: Option<usize>,
    /// Requests begun in a time at most.
    pub rate: Option<Rate>,
    /// How long a `Retry-After` is obeyed at most. It holds the whole host.
    pub max_retry_after: Duration,
    /// How often a host is left alone because most of its answers fail; with the last time it is given up. 0 is never.
    pub trips: u32,
    /// Requests for one record at most. A record is sent again only if that is safe and within the retry budget.
    pub attempts: NonZeroU32,
    /// The waits between them.
    pub backoff: Backoff,
    /// Records that may wait for another attempt at once, apart from those that wait for their first, for runs without an end. Where it is not 0, a record that the
    /// retry budget does not allow waits longer instead of leaving.
    pub again_max: usize,
    /// Bytes of records at most that wait in a temporary file, where records go to several hosts. It lies in `TMPDIR`, or else in `/var/tmp`; it has no name, and is readable
    /// by its owner only. 0 is none: then a host that is slow holds up the others once 16,384 of its records wait.
    pub overflow_bytes_max: u64,
    /// A record is sent so long after it was logged at the earliest: a server that has just failed needs a while, and so do clients that try again.
    pub settle: Duration,
    /// Requests of the whole run at most, 0 for none; what is left goes out as `unsent`.
    pub max_requests: Option<u64>,
    /// The time after which no request begins; what is left goes out as `unsent`.
    pub max_time: Option<Duration>,
    /// From the name lookup until there is a connection, TLS included.
    pub connect_timeout: Duration,
    /// From the name lookup until the last byte of the answer.
    pub timeout: Duration,
    /// Bytes of an answer's body that are read; the rest is not waited for.
    pub body_bytes_max: u64,
    /// Headers of every request, of those that [`add_header`](crate::add_header) takes.
    pub headers: HeaderMap,
    /// Headers of a capture that are sent again besides those that belong to a body.
    pub keep_headers: KeepHeaders,
    /// What each request that is not safe is named with, so that a server can do it once.
    pub idempotency: Option<IdempotencySecret>,
    /// Bodies for requests whose log has only their ids.
    pub bodies: Option<Arc<Bodies>>,
    /// How servers are trusted, and what is shown to them.
    pub tls: Tls,
    /// The proxy that everything goes through. Those of the environment are ignored.
    pub proxy: Option<ProxyUrl>,
    /// Names whose addresses are not looked up.
    pub resolve: Resolve,
    /// Which HTTP is spoken.
    pub http: HttpVersion,
}

impl Options {
    /// Whether TLS may be spoken with anybody.
    pub(crate) fn speaks_tls(&self) -> bool {
        let is_plain = |base: &BaseUrl| base.site().scheme() == Scheme::Http;
        self.proxy.is_some() || !self.destination.base_url.as_ref().is_some_and(is_plain)
    }

    /// What a run does by default that follows logs: it sends a request 30 s after it was logged, up to five times within hours, and gives no host up.
    pub fn following() -> Self {
        Self {
            trips: u32::MAX,
            attempts: NonZeroU32::MIN.saturating_add(4),
            backoff: Backoff { first: Duration::from_secs(60), max: Duration::from_secs(3600) },
            again_max: 65_536,
            // Of what is on its way while logs are followed, the places in the logs are kept in memory.
            overflow_bytes_max: 64 << 20,
            settle: Duration::from_secs(30),
            ..Self::default()
        }
    }

    /// The same, with times that a clock can be put forward by: who means *for ever* may say `Duration::MAX`.
    pub(crate) fn with_times_in_reach(mut self) -> Self {
        for time in [
            &mut self.tempo.max_gap,
            &mut self.max_retry_after,
            &mut self.backoff.first,
            &mut self.backoff.max,
            &mut self.settle,
            &mut self.connect_timeout,
            &mut self.timeout,
        ] {
            *time = (*time).min(TIME_MAX);
        }
        self.max_time = self.max_time.map(|time| time.min(TIME_MAX));
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            destination: Destination::default(),
            methods: Methods::default(),
            undelivered: false,
            allow_lossy: false,
            allow_acting: false,
            deny_paths: Vec::new(),
            mark: Mark::default(),
            send_mark: None,
            dry_run: false,
            pace: Pace::default(),
            tempo: Tempo::default(),
            concurrency: NonZeroUsize::new(64).expect("64 is not 0"),
            per_host: None,
            threads: None,
            rate: None,
            max_retry_after: Duration::from_secs(60),
            trips: 12,
            attempts: NonZeroU32::MIN,
            backoff: Backoff::default(),
            again_max: 0,
            overflow_bytes_max: 1 << 30,
            settle: Duration::ZERO,
            max_requests: None,
            max_time: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
            headers: HeaderMap::new(),
            keep_headers: KeepHeaders::default(),
            idempotency: None,
            bodies: None,
            tls: Tls::default(),
            proxy: None,
            resolve: Resolve::default(),
            http: HttpVersion::default(),
        }
    }
}

/// How servers are trusted, and what is shown to them. Files are PEM.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Whether any certificate is taken, for any name.
    pub insecure: bool,
    /// Certificates that are trusted as well as the system's own.
    pub cacert: Option<PathBuf>,
    /// The client certificate with its chain; also its key, if `key` is not given.
    pub cert: Option<PathBuf>,
    /// The client certificate's key.
    pub key: Option<PathBuf>,
}

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersion {
    /// HTTP/2 where a server offers it in the TLS handshake (ALPN), HTTP/1.1 elsewhere.
    #[default]
    Negotiated,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only, over plain connections too ("prior knowledge", RFC 9113 §3.3).
    Http2,
}

/// `--proxy`: `http://` or `https://`, with or without `user:password@`. Debug output leaves these out.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(pub(crate) Url);

impl FromStr for ProxyUrl {
    type Err = RefirerError;

    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let url = Url::parse(text).map_err(|_| RefirerError::Proxy)?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(RefirerError::Proxy);
        }
        Ok(Self(url))
    }
}

impl std::fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProxyUrl({}://{}…)", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

/// `--resolve`: addresses for a host and port, as curl takes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolve {
    pub(crate) addresses: HashMap<(String, u16), Vec<IpAddr>>,
}

impl Resolve {
    /// Adds one `HOST:PORT:ADDRESS[,ADDRESS…]`; for the same host and port the last one counts.
    pub fn add(&mut self, text: &str) -> Result<(), RefirerError> {
        let refuse = || RefirerError::Resolve(text.to_owned());
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse());
        };
        let authority = Authority::parse(&format!("{host}:{port}")).ok_or_else(refuse)?;
        // An address is never looked up, so there is nothing to replace.
        let is_name = matches!(Host::parse(&authority.host), Ok(Host::Domain(_)));
        let port = authority.port.filter(|_| is_name).ok_or_else(refuse)?;
        let addresses = addresses
            .split(',')
            .map(|address| address.trim_start_matches('[').trim_end_matches(']').parse())
            .collect::<Result<Vec<IpAddr>, _>>()
            .map_err(|_| refuse())?;
        self.addresses.insert((authority.host, port), addresses);
        Ok(())
    }

    /// Refuses what is never looked up for `destination`: whoever mistook the port would send everything to where the name leads, and not to the address that he gave.
    pub fn check(&self, destination: &Destination) -> Result<(), RefirerError> {
        let unused = self.addresses.keys().filter(|(host, port)| !destination.is_at(host, *port)).min();
        unused.map_or(Ok(()), |(host, port)| {
            let name = format!("{host}:{port}");
            let to = match &destination.base_url {
                Some(_) => destination.to_string(),
                None => "the hosts of --allow-host".to_owned(),
            };
            Err(RefirerError::ResolveElsewhere { name, to })
        })
    }
}

#[cfg(test)]
mod tests;
