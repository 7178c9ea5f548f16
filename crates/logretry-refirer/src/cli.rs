//! The flags of `lr-refire` and `logretry run`.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;
use http::header::{HeaderMap, HeaderName};
use logretry_record::{Mark, Retry, Shown};
use logretry_stage::parse_bytes;

use crate::again::may_go_again;
use crate::quantity::{time, time_or_none, times};
use crate::{
    Bodies, Destination, HttpVersion, IdempotencySecret, KeepHeaders, Methods, Options, Pace, Planned,
    RefirerError, Resolve, Tempo, Tls, add_header, add_header_lines,
};

/// What is sent, where to, and how fast: dumb data, which [`RefireArgs::into_options`] gives its meaning.
///
/// Values are kept as they were typed, so that clap never shows one that may be a secret.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Refire")]
pub struct RefireArgs {
    /// Send every request to this server, whatever host its log line names, unless the request's own URL (`GET http://host/`) names another one. A path in URL is put before every
    /// target
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,

    /// Without --base-url: send a request to the host that its log line names, if it is this one (repeatable). Write
    /// HOST:PORT for another port than the usual, and the scheme before it where the log does not tell http from https. Beside --base-url: send there, too, what names
    /// this host in the request's own URL
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,

    /// Connect to a private address (10.0.0.7, 127.0.0.1) to which the name of an --allow-host leads. The server of --base-url
    /// may be anywhere
    #[arg(long)]
    pub allow_private: bool,

    /// Send these methods and no others. POST, PUT and PATCH are skipped where nothing holds their body: neither the log (a HAR
    /// file, a capture) nor --bodies
    #[arg(long, value_name = "LIST", default_value = "GET,HEAD,OPTIONS")]
    pub methods: String,

    /// Take the bodies of requests from FILE, by the request ids of the log: `{"request_id":"7f2a","body":"…"}` for each, one a line,
    /// with `body_base64` for what is no text, and `"headers":{"Content-Type":"…"}` where they are known. It is read once, before anything is sent:
    /// what is written to it later, while logs are followed, is not found
    #[arg(long, value_name = "FILE")]
    pub bodies: Option<PathBuf>,

    /// Do not ask before requests are sent that change something (all but GET, HEAD and OPTIONS)
    #[arg(long)]
    pub yes: bool,

    /// Send what changes something only where the log proves that no application has seen it: HAProxy had no server or no connection,
    /// and did not try again (`retries 3` is its default, and what it tries again may have arrived), nginx no connection to any upstream, an
    /// AWS ALB no target, Envoy no upstream. Of a refire the log proves nothing: a dead letter that was sent, or a line with the mark, is not sent
    #[arg(long)]
    pub undelivered: bool,

    /// Also send GET and HEAD where the URL says that it acts: `logout`, `unsubscribe`, `delete` and their like as first or
    /// last word of a path segment or a parameter name, or as value of `do`, `action` …
    #[arg(long)]
    pub allow_acting: bool,

    /// Never send paths that fit the glob pattern (`/admin/*`; `*` crosses `/`; repeatable), however they are written: encoded, in capital letters, with `..` or `;a=b` in
    /// them. With a path in --base-url, they are meant with it and without
    #[arg(long, value_name = "GLOB")]
    pub deny_path: Vec<String>,

    /// Also send URLs of which the log format has lost a part
    #[arg(long)]
    pub allow_lossy: bool,

    /// Send the mark too; by default it stands in the retry log only
    #[arg(long)]
    pub send_mark: bool,

    /// Decide everything and send nothing: each record says what would have been sent. No socket is opened, and no ledger is asked:
    /// `logretry plan` leaves out what one has as done
    #[arg(long)]
    pub dry_run: bool,

    /// What decides how many requests are under way
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub pace: Pace,

    /// With --pace original: how many times faster than in the log, as in `2x` [default: 1x]
    #[arg(long, value_name = "SPEED")]
    pub speed: Option<String>,

    /// With --pace original: what is kept of a gap at most [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub max_gap: Option<String>,

    /// Have at most N requests under way [default: 64; 4 with --pace fixed]
    #[arg(long, value_name = "N", value_parser = parse_count::<NonZeroUsize>)]
    pub concurrency: Option<NonZeroUsize>,

    /// Have at most N requests under way to one host [default: as --concurrency]
    #[arg(long, value_name = "N", value_parser = parse_count::<NonZeroUsize>)]
    pub per_host: Option<NonZeroUsize>,

    /// Begin at most so many requests in a time: 5/s, 300/m, 1000/h. The rest waits, nothing is dropped
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,

    /// Obey a server's Retry-After for at most so long. It holds the whole host
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub max_retry_after: String,

    /// Leave a host alone for a while when half of its last 20 answers failed (where pages are broken, 500: two thirds of the last
    /// 40, or half of the last 200), and give it up with the Nth time: what is left for it is not sent. 0 never does [default: 12; when logs are followed, a host is left alone, and never given up]
    #[arg(long, value_name = "N")]
    pub trips: Option<u32>,

    /// Send a request that fails again, until it was sent N times. Only where that is safe and may help, and only as long as
    /// there are, to each host, at most ten repetitions and one for every five requests [default: 1; 5 when logs are followed, where those beyond that wait longer]
    #[arg(long, value_name = "N", value_parser = parse_count::<NonZeroU32>)]
    pub attempts: Option<NonZeroU32>,

    /// Wait so long between attempts: a random part of the first time, which doubles up to the last [default: 1s..60s; 1m..1h when
    /// logs are followed]
    #[arg(long, value_name = "TIME..TIME")]
    pub backoff: Option<String>,

    /// Send a request so long after it was logged at the earliest: a server that has just failed needs a while, and clients try again by
    /// themselves [default: 0s, which is at once; 30s when logs are followed]
    #[arg(long, value_name = "TIME")]
    pub settle: Option<String>,

    /// Send at most N requests in all; the rest is `unsent`, and a `logretry run` follows logs no longer
    #[arg(long, value_name = "N", value_parser = parse_count::<NonZeroU64>)]
    pub max_requests: Option<NonZeroU64>,

    /// Begin no request after this time; the rest is `unsent`, and a `logretry run` follows logs no longer
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<String>,

    /// Wait so long for a connection, TLS included
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub connect_timeout: String,

    /// Wait so long for a whole answer, from the name lookup to the last byte
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub timeout: String,

    /// Read at most so much of an answer's body; the status counts all the same
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = parse_bytes)]
    pub body_limit: usize,

    /// Add a header to every request (repeatable). @FILE reads headers from a file, one a line, so that no token stands
    /// in the process list
    #[arg(long, value_name = "NAME: VALUE|@FILE")]
    pub header: Vec<String>,

    /// Send this header again with the value that the request had, if the log is a capture that holds it (repeatable). With a body go
    /// those that belong to it, such as Content-Type, without being named; credentials and cookies never come from a log
    #[arg(long, value_name = "NAME")]
    pub keep_header: Vec<String>,

    /// Add a header whose value stands in the environment variable VARIABLE (repeatable)
    #[arg(long, value_name = "NAME=VARIABLE")]
    pub header_env: Vec<String>,

    /// Send an Idempotency-Key with each request that changes something: the same one until it is answered, so that a server which
    /// knows the header does it once
    #[arg(long)]
    pub idempotency_key: bool,

    /// Make the keys with the secret in FILE, which is made if it does not exist. Whoever has it makes the same keys: another run, another
    /// machine. So a server that keeps its answers may give a failure again when a dead letter is sent again; with another secret it does what is asked anew. Without it each ledger has its own, and each run that keeps none
    #[arg(long, value_name = "FILE", requires = "idempotency_key")]
    pub idempotency_secret: Option<PathBuf>,

    /// Take any certificate for any name
    #[arg(long)]
    pub insecure: bool,

    /// Trust the certificates in this PEM file as well as the system's (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name): their
    /// holders, and whom they vouch for
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// Show servers this client certificate: a PEM file with the chain and, unless --key is given, the key
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// The key of --cert, as a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Send everything through this proxy: http:// or https://. The environment's proxies are ignored
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Connect to ADDRESS for HOST:PORT instead of looking it up (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDRESS", conflicts_with = "proxy")]
    pub resolve: Vec<String>,

    /// Speak HTTP/1.1 only
    #[arg(long, conflicts_with = "http2")]
    pub http1: bool,

    /// Speak HTTP/2 only, over http:// too
    #[arg(long)]
    pub http2: bool,
}

impl RefireArgs {
    /// What the flags mean. `mark` is the one that `--send-mark` sends.
    pub fn into_options(self, mark: &Mark) -> Result<Options, RefirerError> {
        self.into_options_beside(&Options::default(), mark)
    }

    /// The same for a run that follows logs, and has time: what is not said is as [`Options::following`] has it.
    pub fn into_following_options(self, mark: &Mark) -> Result<Options, RefirerError> {
        self.into_options_beside(&Options::following(), mark)
    }

    /// What the flags mean, where `defaults` say what is not said.
    fn into_options_beside(self, defaults: &Options, mark: &Mark) -> Result<Options, RefirerError> {
        let destination = self.destination()?;
        let mut resolve = Resolve::default();
        self.resolve.iter().try_for_each(|text| resolve.add(text))?;
        resolve.check(&destination)?;
        let methods: Methods = self.methods.parse()?;
        let mut keep_headers = KeepHeaders::default();
        self.keep_header.iter().try_for_each(|name| keep_headers.add(name))?;
        let rate = self.rate.as_deref().map(str::parse).transpose()?;
        let proxy = self.proxy.as_deref().map(str::parse).transpose()?;
        let http = match (self.http1, self.http2) {
            (true, _) => HttpVersion::Http1,
            (_, true) => HttpVersion::Http2,
            _ => HttpVersion::Negotiated,
        };
        let deny_paths = self.deny_path.iter().map(|glob| glob.parse()).collect::<Result<_, _>>()?;
        let tempo = self.tempo()?;
        let idempotency = self.idempotency()?;
        let headers = self.headers()?;
        // Without a law that begins with one request, the first may not be 64 at once.
        let fixed = if self.pace == Pace::Fixed { NonZeroUsize::new(4) } else { None };
        let concurrency = self.concurrency.or(fixed).unwrap_or(Options::default().concurrency);
        let bodies = self.bodies.as_deref().map(Bodies::open).transpose()?.map(Arc::new);
        Ok(Options {
            destination,
            methods,
            allow_lossy: self.allow_lossy,
            undelivered: self.undelivered,
            allow_acting: self.allow_acting,
            deny_paths,
            mark: mark.clone(),
            send_mark: self.send_mark.then(|| mark.clone()),
            dry_run: self.dry_run,
            pace: self.pace,
            tempo,
            concurrency,
            threads: None,
            per_host: self.per_host,
            rate,
            max_retry_after: time("--max-retry-after", &self.max_retry_after)?,
            trips: self.trips.unwrap_or(defaults.trips),
            attempts: self.attempts.unwrap_or(defaults.attempts),
            backoff: self.backoff.as_deref().map_or(Ok(defaults.backoff), str::parse)?,
            again_max: defaults.again_max,
            overflow_bytes_max: defaults.overflow_bytes_max,
            settle: self
                .settle
                .as_deref()
                .map_or(Ok(defaults.settle), |text| time_or_none("--settle", text))?,
            max_requests: self.max_requests.map(NonZeroU64::get),
            max_time: self.max_time.as_deref().map(|text| time("--max-time", text)).transpose()?,
            connect_timeout: time("--connect-timeout", &self.connect_timeout)?,
            timeout: time("--timeout", &self.timeout)?,
            body_bytes_max: self.body_limit as u64,
            headers,
            keep_headers,
            bodies,
            idempotency,
            tls: Tls { insecure: self.insecure, cacert: self.cacert, cert: self.cert, key: self.key },
            proxy,
            resolve,
            http,
        })
    }
}

/// What must be known of the flags besides.
impl RefireArgs {
    /// Where requests go.
    pub fn destination(&self) -> Result<Destination, RefirerError> {
        let allow_hosts = self.allow_host.iter().map(|host| host.parse()).collect::<Result<_, _>>()?;
        let base_url = self.base_url.as_deref().map(str::parse).transpose()?;
        Ok(Destination { base_url, allow_hosts, allow_private: self.allow_private })
    }

    /// The files that they name to be read, with what a person calls them.
    pub fn reads(&self) -> impl Iterator<Item = (&'static str, PathBuf)> {
        let headers = self.header.iter().filter_map(|text| text.strip_prefix('@')).map(PathBuf::from);
        let certificates = [&self.cacert, &self.cert, &self.key].into_iter().flatten();
        let bodies = self.bodies.iter().map(|path| ("the bodies", path.clone()));
        let headers = headers.map(|path| ("the headers", path));
        bodies.chain(headers).chain(certificates.map(|path| ("the certificates", path.clone())))
    }

    /// What the person who gave these flags should know: files with secrets that others can read.
    pub fn warnings(&self) -> Vec<String> {
        let headers = self.header.iter().filter_map(|text| text.strip_prefix('@')).map(Path::new);
        let others = self.key.iter().chain(&self.idempotency_secret).map(PathBuf::as_path);
        let open = headers.chain(others).filter(|path| is_open(path));
        open.map(|path| format!("{}: others can read it, and it holds secrets; `chmod 600` it", shown(path)))
            .collect()
    }

    /// The methods that change something and must be confirmed before anything is sent.
    pub fn methods_to_confirm(&self) -> Result<Vec<String>, RefirerError> {
        let methods: Methods = self.methods.parse()?;
        let asks = !self.yes && !self.dry_run;
        Ok(methods.that_change_something().filter(|_| asks).map(str::to_owned).collect())
    }

    /// Whether a run with these flags, which follows no log, sends `planned` again if its last request, in an earlier run, ended so.
    pub fn goes_on_after(&self, planned: &Planned, last: &Retry) -> bool {
        let attempts = self.attempts.unwrap_or(Options::default().attempts);
        may_go_again(attempts, self.idempotency_key, planned, last)
    }

    fn tempo(&self) -> Result<Tempo, RefirerError> {
        if self.pace != Pace::Original {
            let given = [("--speed", &self.speed), ("--max-gap", &self.max_gap)];
            if let Some((flag, _)) = given.into_iter().find(|(_, given)| given.is_some()) {
                return Err(RefirerError::OnlyOriginal(flag));
            }
        }
        let Tempo { speed, max_gap } = Tempo::default();
        Ok(Tempo {
            speed: self.speed.as_deref().map_or(Ok(speed), times)?,
            max_gap: self.max_gap.as_deref().map_or(Ok(max_gap), |text| time("--max-gap", text))?,
        })
    }

    fn idempotency(&self) -> Result<Option<IdempotencySecret>, RefirerError> {
        match &self.idempotency_secret {
            _ if !self.idempotency_key || self.dry_run => Ok(None),
            Some(path) => IdempotencySecret::of_file(path).map(Some),
            None => IdempotencySecret::random().map(Some),
        }
    }

    fn headers(&self) -> Result<HeaderMap, RefirerError> {
        let mut headers = HeaderMap::new();
        for text in &self.header {
            match text.strip_prefix('@') {
                None => add_header(&mut headers, text)?,
                Some(path) => {
                    let text = std::fs::read_to_string(path)
                        .map_err(|error| RefirerError::File { path: Path::new(path).to_owned(), error })?;
                    add_header_lines(&mut headers, &text)?;
                }
            }
        }
        for text in &self.header_env {
            let (name, variable) = text.split_once('=').unwrap_or((text, ""));
            let is_name = name.trim().parse::<HeaderName>().is_ok();
            let shown = if is_name { name.trim() } else { "NAME" };
            let value = std::env::var(variable).map_err(|_| RefirerError::Variable(shown.to_owned()))?;
            add_header(&mut headers, &format!("{name}: {value}"))?;
        }
        Ok(headers)
    }
}

/// A number of which 0 would mean that nothing is done.
fn parse_count<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "write a whole number, 1 or more")
}

/// Whether others than its owner can read the file at `path`.
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o077 != 0)
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    Shown(path.as_os_str().as_bytes()).to_string()
}

#[cfg(test)]
mod tests;
