//! New connections: name lookup, address check, TCP, TLS.

use std::io;
use std::sync::Arc;

use logretry_record::Scheme;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::race;
use super::stream::Stream;
use super::tunnel::Tunnel;
use crate::Site;
use crate::fault::{Fault, Phase};
use crate::resolver::Resolver;

#[derive(Clone)]
pub(super) struct Dialer {
    resolver: Resolver,
    tls: TlsConnector,
    /// The same, but for what is offered.
    tls_http1: TlsConnector,
    /// Through which proxy servers are reached over TLS, if not directly.
    tunnel: Option<Tunnel>,
}

/// What is offered to a server in the TLS handshake (ALPN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// All that the operator allows.
    All,
    /// HTTP/1.1, and nothing that it could choose instead.
    Http1,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("resolver", &self.resolver).finish_non_exhaustive()
    }
}

impl Dialer {
    pub(super) fn new(resolver: Resolver, tls: ClientConfig, tunnel: Option<Tunnel>) -> Self {
        let mut http1 = tls.clone();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let [tls, tls_http1] = [tls, http1].map(|config| TlsConnector::from(Arc::new(config)));
        Self { resolver, tls, tls_http1, tunnel }
    }

    /// A new connection to `site`. What is checked is the address that is dialled.
    pub(super) async fn dial(&self, site: &Site, offer: Offer) -> Result<Stream, Fault> {
        let connector = if offer == Offer::Http1 { &self.tls_http1 } else { &self.tls };
        if let Some(tunnel) = &self.tunnel {
            let stream = tunnel.open(site, &self.resolver, &self.tls_http1).await?;
            let tls = connector.connect(name(site)?, stream).await;
            let tls = tls.map_err(|error| Fault::of(&error, Phase::InTunnel))?;
            return Ok(Stream::Tunnelled(Box::new(tls)));
        }
        let addresses =
            self.resolver.addresses(site.host(), site.port()).await.map_err(|error| connecting(&error))?;
        let tcp = race::first(&addresses, TcpStream::connect).await.map_err(|error| connecting(&error))?;
        tcp.set_nodelay(true).map_err(|error| connecting(&error))?;
        match site.scheme() {
            Scheme::Http => Ok(Stream::Plain(tcp)),
            Scheme::Https => {
                let tls = connector.connect(name(site)?, tcp).await.map_err(|error| connecting(&error))?;
                Ok(Stream::Tls(Box::new(tls)))
            }
        }
    }
}

/// What the server's certificate must be for.
fn name(site: &Site) -> Result<ServerName<'static>, Fault> {
    let host = site.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(host).map_err(|error| connecting(&io::Error::other(error)))
}

fn connecting(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Connecting)
}
