//! New connections: name lookup, address check, TCP, TLS.

use std::io;
use std::sync::Arc;

use logretry_record::Scheme;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::Site;
use crate::fault::{Fault, Phase};
use crate::resolver::Resolver;

#[derive(Clone)]
pub(super) struct Dialer {
    resolver: Resolver,
    tls: TlsConnector,
    /// The same, but for what is offered.
    tls_http1: TlsConnector,
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
    pub(super) fn new(resolver: Resolver, tls: ClientConfig) -> Self {
        let mut http1 = tls.clone();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let [tls, tls_http1] = [tls, http1].map(|config| TlsConnector::from(Arc::new(config)));
        Self { resolver, tls, tls_http1 }
    }

    /// A new connection to `site`. What is checked is the address that is dialled.
    pub(super) async fn dial(&self, site: &Site, offer: Offer) -> Result<Stream, Fault> {
        let addresses =
            self.resolver.addresses(site.host(), site.port()).await.map_err(|error| connecting(&error))?;
        let tcp = TcpStream::connect(addresses.as_slice()).await.map_err(|error| connecting(&error))?;
        tcp.set_nodelay(true).map_err(|error| connecting(&error))?;
        match site.scheme() {
            Scheme::Http => Ok(Stream::Plain(tcp)),
            Scheme::Https => {
                let host = site.host().trim_start_matches('[').trim_end_matches(']').to_owned();
                let name =
                    ServerName::try_from(host).map_err(|error| connecting(&io::Error::other(error)))?;
                let connector = if offer == Offer::Http1 { &self.tls_http1 } else { &self.tls };
                let tls = connector.connect(name, tcp).await.map_err(|error| connecting(&error))?;
                Ok(Stream::Tls(Box::new(tls)))
            }
        }
    }
}

fn connecting(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Connecting)
}
