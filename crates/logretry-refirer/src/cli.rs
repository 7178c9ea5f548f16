//! The flags of `lr-refire` and `logretry run`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use http::HeaderMap;
use logretry_record::Mark;

use crate::{
    Destination, HttpVersion, Methods, Options, RefirerError, Resolve, Tls, add_header, add_header_lines,
};

mod quantity;

use quantity::{size, time};

/// What is sent, where to, and how fast: dumb data, which [`RefireArgs::into_options`] gives its meaning.
///
/// Values are kept as they were typed, so that clap never shows one that may be a secret.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(next_help_heading = "Refire")]
pub struct RefireArgs {
    /// Send every request to this server, whatever host its log line names. A path in URL is put before every target
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,

    /// Without --base-url: send a request to the host that its log line names, if it is this one (repeatable). Write
    /// HOST:PORT for another port than the usual, and the scheme before it where the log does not tell http from https
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,

    /// Send these methods and no others. POST, PUT and PATCH need a body, which an access log does not hold, and are skipped
    #[arg(long, value_name = "LIST", default_value = "GET,HEAD,OPTIONS")]
    pub methods: String,

    /// Also send URLs of which the log format has lost a part
    #[arg(long)]
    pub allow_lossy: bool,

    /// Send the mark too; by default it stands in the retry log only
    #[arg(long)]
    pub send_mark: bool,

    /// Decide everything and send nothing: each record says what would have been sent. No socket is opened
    #[arg(long)]
    pub dry_run: bool,

    /// Have at most N requests under way
    #[arg(long, value_name = "N", default_value = "4")]
    pub concurrency: NonZeroUsize,

    /// Begin at most so many requests in a time: 5/s, 300/m, 1000/h. The rest waits, nothing is dropped
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,

    /// Wait so long for a connection, TLS included
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub connect_timeout: String,

    /// Wait so long for a whole answer, from the name lookup to the last byte
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub timeout: String,

    /// Read at most so much of an answer's body; the status counts all the same
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub body_limit: String,

    /// Add a header to every request (repeatable). @FILE reads headers from a file, one a line, so that no token stands
    /// in the process list
    #[arg(long, value_name = "NAME: VALUE|@FILE")]
    pub header: Vec<String>,

    /// Take any certificate for any name
    #[arg(long)]
    pub insecure: bool,

    /// Trust the certificates in this PEM file as well as the system's
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
        let allow_hosts = self.allow_host.iter().map(|host| host.parse()).collect::<Result<_, _>>()?;
        let base_url = self.base_url.as_deref().map(str::parse).transpose()?;
        let mut resolve = Resolve::default();
        self.resolve.iter().try_for_each(|text| resolve.add(text))?;
        let methods: Methods = self.methods.parse()?;
        let rate = self.rate.as_deref().map(str::parse).transpose()?;
        let proxy = self.proxy.as_deref().map(str::parse).transpose()?;
        let http = match (self.http1, self.http2) {
            (true, _) => HttpVersion::Http1,
            (_, true) => HttpVersion::Http2,
            _ => HttpVersion::Negotiated,
        };
        Ok(Options {
            destination: Destination { base_url, allow_hosts },
            methods,
            allow_lossy: self.allow_lossy,
            send_mark: self.send_mark.then(|| mark.clone()),
            dry_run: self.dry_run,
            concurrency: self.concurrency,
            rate,
            connect_timeout: time(&self.connect_timeout)?,
            timeout: time(&self.timeout)?,
            body_bytes_max: size(&self.body_limit)?,
            headers: headers(&self.header)?,
            tls: Tls { insecure: self.insecure, cacert: self.cacert, cert: self.cert, key: self.key },
            proxy,
            resolve,
            http,
        })
    }
}

fn headers(given: &[String]) -> Result<HeaderMap, RefirerError> {
    let mut headers = HeaderMap::new();
    for text in given {
        match text.strip_prefix('@') {
            None => add_header(&mut headers, text)?,
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| RefirerError::File { path: Path::new(path).to_owned(), error })?;
                add_header_lines(&mut headers, &text)?;
            }
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        refire: RefireArgs,
    }

    fn options(args: &[&str]) -> Result<Options, String> {
        let program = ["lr-refire"].iter().chain(args);
        let program = Program::try_parse_from(program).map_err(|error| error.to_string())?;
        program.refire.into_options(&Mark::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_flags_the_options_are_the_defaults() {
        let options = options(&[]).expect("no flag is needed to parse");
        assert_eq!(format!("{options:?}"), format!("{:?}", Options::default()));
    }

    #[test]
    fn each_flag_has_its_place() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "Authorization: Bearer secret\n").expect("a file");
        let header = format!("@{}", file.path().display());
        let options = options(&[
            "--base-url=http://h/p",
            "--allow-host=a",
            "--allow-host=b:1",
            "--methods=GET,DELETE",
            "--allow-lossy",
            "--send-mark",
            "--dry-run",
            "--concurrency=9",
            "--rate=300/m",
            "--connect-timeout=250ms",
            "--timeout=2m",
            "--body-limit=512KiB",
            "--header",
            &header,
            "--header=X-A: 1",
            "--insecure",
            "--cacert=ca.pem",
            "--cert=c.pem",
            "--key=k.pem",
            "--resolve=h:80:127.0.0.1",
            "--http2",
        ])
        .expect("all of them");
        assert_eq!(options.destination.allow_hosts.len(), 2);
        assert_eq!(options.send_mark, Some(Mark::default()));
        assert_eq!(options.connect_timeout, Duration::from_millis(250));
        assert_eq!(options.timeout, Duration::from_secs(120));
        assert_eq!(options.body_bytes_max, 512 << 10);
        assert_eq!(options.headers["authorization"], "Bearer secret");
        assert_eq!(options.headers["x-a"], "1");
        assert_eq!(options.http, HttpVersion::Http2);
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (args, named) in [
            (&["--base-url=ftp://h"][..], "`ftp://h`"),
            (&["--allow-host=a@b"], "`a@b`"),
            (&["--methods=TRACE"], "`TRACE`"),
            (&["--rate=5/d"], "`5/d`"),
            (&["--timeout=0"], "`0`"),
            (&["--timeout=soon"], "`soon`"),
            (&["--body-limit=1MB"], "`1MB`"),
            (&["--header=Host: h"], "`Host`"),
            (&["--header=@/no/such/file"], "`/no/such/file`"),
            (&["--concurrency=0"], "'0'"),
            (&["--http1", "--http2"], "'--http2'"),
            (&["--key=k"], "--cert"),
        ] {
            let error = options(args).expect_err(named);
            assert!(error.contains(named), "{error}");
        }
    }
}
