//! A tunnel through a proxy (RFC 9110 §9.3.6): the proxy carries bytes, and TLS is spoken with the server itself. So what goes through it goes as it does without a
//! proxy, and a connection that cannot be made is known before anything of a request is sent.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use logretry_record::ErrorKind;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::race;
use super::stream::Stream;
use crate::Site;
use crate::fault::{Fault, Phase};
use crate::options::ProxyUrl;
use crate::resolver::Resolver;

/// Bytes of the head of a proxy's answer at most, and its fields.
const HEAD_BYTES_MAX: usize = 8 << 10;
const FIELDS_MAX: usize = 64;

/// A proxy that opens tunnels.
#[derive(Clone)]
pub(super) struct Tunnel {
    host: String,
    port: u16,
    is_over_tls: bool,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

impl Tunnel {
    pub(super) fn new(proxy @ ProxyUrl(url): &ProxyUrl) -> Self {
        // A plus is no blank here.
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
            is_over_tls: url.scheme() == "https",
            authorization: names_who_asks(proxy)
                .then(|| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))),
        }
    }

    /// Opens one to `site`; `tls` is for the way to the proxy.
    pub(super) async fn open(
        &self,
        site: &Site,
        resolver: &Resolver,
        tls: &TlsConnector,
    ) -> Result<Stream, Fault> {
        let addresses =
            resolver.addresses(&self.host, self.port).await.map_err(|error| connecting(&error))?;
        let tcp = race::first(&addresses, TcpStream::connect).await.map_err(|error| connecting(&error))?;
        tcp.set_nodelay(true).map_err(|error| connecting(&error))?;
        let mut stream = if self.is_over_tls {
            let host = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
            Stream::Tls(Box::new(tls.connect(name, tcp).await.map_err(|error| connecting(&error))?))
        } else {
            Stream::Plain(tcp)
        };
        stream.write_all(self.request(site).as_bytes()).await.map_err(|error| connecting(&error))?;
        stream.flush().await.map_err(|error| connecting(&error))?;
        match answer(&mut stream).await? {
            200..=299 => Ok(stream),
            407 => Err(who_asks(self.authorization.is_some())),
            status => Err(refused(format!("the proxy refused to connect: it answered {status}"))),
        }
    }

    fn request(&self, site: &Site) -> String {
        let authority = format!("{}:{}", site.host(), site.port());
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n");
        if let Some(authorization) = &self.authorization {
            let _ = write!(request, "proxy-authorization: {authorization}\r\n");
        }
        request.push_str("\r\n");
        request
    }
}

/// The status of the proxy's answer. Behind that of an open tunnel nothing may come before we have spoken.
async fn answer(stream: &mut Stream) -> Result<u16, Fault> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut answer = httparse::Response::new(&mut fields);
        match (answer.parse(&head), answer.code) {
            (Ok(httparse::Status::Complete(length)), Some(status)) => match status {
                // What follows it may be here already.
                100..=199 => {
                    head.drain(..length);
                    continue;
                }
                200..=299 if length < head.len() => {
                    return Err(refused("the proxy spoke before the server could"));
                }
                _ => return Ok(status),
            },
            (Ok(_), _) if head.len() < HEAD_BYTES_MAX => {}
            _ => return Err(refused("what the proxy answered is not HTTP")),
        }
        if stream.read_buf(&mut head).await.map_err(|error| connecting(&error))? == 0 {
            return Err(refused("the proxy closed the connection"));
        }
    }
}

/// Whether `proxy` is told who asks.
pub(super) fn names_who_asks(ProxyUrl(url): &ProxyUrl) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The proxy answered 407, though it was told, or was not.
pub(super) fn who_asks(is_told: bool) -> Fault {
    // A URL with a password in it would not be shown.
    refused(if is_told {
        "the proxy does not take the user and the password in the URL of `--proxy` (407)"
    } else {
        "the proxy wants to know who asks (407): write `USER:PASSWORD@` before its host in the URL of `--proxy`"
    })
}

fn refused(why: impl Into<Cow<'static, str>>) -> Fault {
    Fault::new(ErrorKind::Proxy, why.into())
}

fn connecting(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::ConnectingByProxy)
}
