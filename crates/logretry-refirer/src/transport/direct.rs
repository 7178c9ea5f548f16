//! The other way: a connection of its own for a target that reqwest's URL type would change (`/a/../b`, `'` in a query).
//!
//! It goes through the same resolver, the same address check, the same TLS configuration and the same timeouts, and its
//! outcomes are the same; tests hold the two against each other. It speaks HTTP/1.1, once, and closes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use logretry_record::Scheme;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::{Request, Seen, not_connected};
use crate::fault::{Fault, Phase};
use crate::resolver::Resolver;
use crate::{Options, Site};

pub(super) struct Direct {
    resolver: Resolver,
    tls: TlsConnector,
    connect_timeout: Duration,
    body_bytes_max: u64,
}

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").field("resolver", &self.resolver).finish_non_exhaustive()
    }
}

/// What HTTP is spoken over.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<C: AsyncRead + AsyncWrite + Send + Unpin> Connection for C {}

impl Direct {
    pub(super) fn new(options: &Options, resolver: Resolver, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            resolver,
            tls: TlsConnector::from(Arc::new(tls)),
            connect_timeout: options.connect_timeout,
            body_bytes_max: options.body_bytes_max,
        }
    }

    /// A new connection to `site`.
    pub(super) async fn connect(&self, site: &Site) -> Result<Connected, Fault> {
        let connection = tokio::time::timeout(self.connect_timeout, self.dial(site))
            .await
            .map_err(|_| not_connected(self.connect_timeout))??;
        let (sender, connection) =
            http1::handshake(TokioIo::new(connection)).await.map_err(|error| exchanging(&error))?;
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        Ok(Connected { sender, driver, body_bytes_max: self.body_bytes_max })
    }

    async fn dial(&self, site: &Site) -> Result<Box<dyn Connection>, Fault> {
        let addresses =
            self.resolver.addresses(site.host(), site.port()).await.map_err(|error| connecting(&error))?;
        let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(|error| connecting(&error))?;
        tcp.set_nodelay(true).map_err(|error| connecting(&error))?;
        match site.scheme() {
            Scheme::Http => Ok(Box::new(tcp)),
            Scheme::Https => {
                let host = site.host().trim_start_matches('[').trim_end_matches(']').to_owned();
                let name =
                    ServerName::try_from(host).map_err(|error| connecting(&io::Error::other(error)))?;
                let tls = self.tls.connect(name, tcp).await.map_err(|error| connecting(&error))?;
                Ok(Box::new(tls))
            }
        }
    }
}

/// A connection on which nothing has been sent.
#[derive(Debug)]
pub(crate) struct Connected {
    sender: http1::SendRequest<Full<Bytes>>,
    /// The set ends its task when this is dropped.
    driver: JoinSet<hyper::Result<()>>,
    body_bytes_max: u64,
}

impl Connected {
    pub(super) async fn exchange(mut self, request: &Request, seen: &mut Seen) -> Result<(), Fault> {
        // What ends the connection also ends the request, which tells why.
        let mut answer =
            self.sender.send_request(hyper_request(request)?).await.map_err(|error| exchanging(&error))?;
        seen.head(answer.status(), answer.headers());
        while let Some(frame) = answer.frame().await {
            let frame = frame.map_err(|error| exchanging(&error))?;
            seen.body(frame.data_ref().map_or(0, Bytes::len), self.body_bytes_max)?;
        }
        drop(self.driver);
        Ok(())
    }
}

fn hyper_request(request: &Request) -> Result<http::Request<Full<Bytes>>, Fault> {
    let planned = &request.planned;
    let mut built = http::Request::builder()
        .method(&planned.method)
        .uri(&planned.target)
        .header(header::HOST, planned.site.authority())
        .body(Full::new(request.body.clone()))
        .map_err(|error| exchanging(&error))?;
    built.headers_mut().extend(request.headers.clone());
    built.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(built)
}

fn connecting(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Connecting)
}

fn exchanging(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Exchanging)
}
