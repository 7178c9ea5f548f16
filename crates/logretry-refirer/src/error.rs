use std::io;
use std::path::PathBuf;

use logretry_record::Shown;
use logretry_stage::Fatal;

/// Why a refirer cannot be made. Each message is a fragment that fits after "cannot ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefirerError {
    /// Neither a base URL nor an allowed host: there is nowhere to send anything.
    #[error("send anything: give --base-url, or name the hosts of the log with --allow-host")]
    NoDestination,
    /// Not `http://host` or `https://host`.
    #[error("use `{}` as a site: it is not http:// or https:// with a host and nothing else", without_user(.0))]
    Site(String),
    /// Not a base URL.
    #[error("use `{}` as base URL: {why}", without_user(text))]
    BaseUrl {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a host that can be allowed.
    #[error("allow the host `{}`: it is not HOST, HOST:PORT or SCHEME://HOST:PORT", without_user(.0))]
    AllowHost(String),
    /// Not a method, or one that is never sent.
    #[error("send the method `{name}`: {why}")]
    Method {
        /// What was given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a pattern of paths.
    #[error("deny the path `{text}`: {why}")]
    DeniedPath {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not a speed.
    #[error("use `{0}` as a speed: write `2x` for twice as fast as the log, `0.5x` for half")]
    Speed(String),
    /// `--speed` or `--max-gap` with a pace that keeps no gaps.
    #[error("use {0}: only --pace original keeps the log's gaps")]
    OnlyOriginal(&'static str),
    /// A file that holds no secret.
    #[error("use `{}` as secret: it does not hold 64 hexadecimal digits; a file that does not exist is made", .0.display())]
    Secret(PathBuf),
    /// No randomness.
    #[error("make a secret: the system gives no random numbers")]
    Random,
    /// The environment variable of this header is not there. It is not named, for it may be the token itself.
    #[error(
        "read the environment variable that is given for the header `{0}`: it is not set, or not text; write `{0}=VARIABLE`, where VARIABLE holds the value"
    )]
    Variable(String),
    /// Not a rate.
    #[error("use `{0}` as rate: write `5` or `5/s`, `300/m`, `1000/h`")]
    Rate(String),
    /// Not a backoff.
    #[error("use `{0}` as backoff: write the first wait and the longest, as in `1s..60s`")]
    Backoff(String),
    /// Not a time.
    #[error("use `{text}` as {name}: write seconds, or `500ms`, `30s`, `2m`; it must be more than none")]
    Time {
        /// The flag.
        name: &'static str,
        /// What was given.
        text: String,
    },
    /// Not a header. Nothing of it is named, for it may be nothing but a token.
    #[error("send a header without a name: a header is NAME: VALUE, as in `X-Tenant: shop`")]
    HeaderLine,
    /// Not a header, or one that logretry sets itself.
    #[error("send the header `{name}`: {why}")]
    Header {
        /// Its name; its value may be a secret.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a header that can be taken from a capture.
    #[error("keep the header `{name}`: {why}")]
    KeepHeader {
        /// What was given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Not a proxy. What was given may hold a password.
    #[error("use that proxy: its URL is not http:// or https:// with a host, a port and nothing else")]
    Proxy,
    /// Not a name and its addresses.
    #[error("use `{0}` for --resolve: write HOST:PORT:ADDRESS, as in `shop.example:443:10.0.0.7`")]
    Resolve(String),
    /// Nothing is ever sent to that name and port.
    #[error("use --resolve for `{name}`: nothing is sent there, but to {to}")]
    ResolveElsewhere {
        /// Name and port.
        name: String,
        /// Where requests go.
        to: String,
    },
    /// Names are looked up by the proxy, so looking them up by hand changes nothing.
    #[error("use --resolve together with --proxy: the proxy looks names up itself")]
    ResolveBehindProxy,
    /// A destination or proxy is an address that is never connected to.
    #[error("connect to `{host}`: this is a {why} address")]
    Blocked {
        /// The address as it was given.
        host: String,
        /// What it is.
        why: &'static str,
    },
    /// A file cannot be read.
    #[error("read `{}`: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file cannot be made.
    #[error("create `{}`: {error}", path.display())]
    NewFile {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line of `--bodies` that cannot be used.
    #[error("use the bodies of `{}`, line {line}: {why}", path.display())]
    Bodies {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file holds no certificate or no key.
    #[error("use `{}`: {why}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A key without its certificate.
    #[error("use --key without --cert")]
    KeyWithoutCert,
    /// The HTTP client or its TLS cannot be set up.
    #[error("set up the HTTP client: {0}")]
    Client(String),
}

/// `text` for a person, without the password that somebody may have put before an `@`.
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{}", Shown(rest.as_bytes())),
        None => Shown(text.as_bytes()).to_string(),
    }
}

impl From<RefirerError> for Fatal {
    /// Files and libraries fail at run time; everything else is how the program was called.
    fn from(error: RefirerError) -> Self {
        match error {
            RefirerError::File { .. }
            | RefirerError::NewFile { .. }
            | RefirerError::Pem { .. }
            | RefirerError::Client(_)
            | RefirerError::Random => Self::new(error),
            _ => Self::usage(error),
        }
    }
}
