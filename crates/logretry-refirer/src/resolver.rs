//! From a host to the addresses that may be connected to.
//!
//! What is checked is the address that is really dialled, after the lookup, so a name that suddenly means another machine
//! (DNS rebinding) does not get past.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolving};
use url::Host;

use crate::address::blocked;
use crate::options::Resolve;

/// Looks hosts up, and lets through only what may be connected to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver {
    by_hand: Arc<Resolve>,
}

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("{0}")]
    Lookup(io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("{address} is a {why} address, which is never connected to")]
    Blocked { address: IpAddr, why: &'static str },
}

impl Resolver {
    pub(crate) fn new(by_hand: Resolve) -> Self {
        Self { by_hand: Arc::new(by_hand) }
    }

    /// The ports for which names are resolved by hand.
    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        self.by_hand.addresses.keys().map(|(_, port)| *port)
    }

    /// Checks a host that is an address, in any spelling that URLs know (`2852039166`, `0xA9FEA9FE`), for these are never
    /// looked up. `Ok(None)` is a name.
    pub(crate) fn literal(host: &str) -> Result<Option<IpAddr>, ResolveError> {
        let address = match Host::parse(host) {
            Ok(Host::Ipv4(address)) => IpAddr::V4(address),
            Ok(Host::Ipv6(address)) => IpAddr::V6(address),
            Ok(Host::Domain(_)) | Err(_) => return Ok(None),
        };
        match blocked(address) {
            Some(why) => Err(ResolveError::Blocked { address, why }),
            None => Ok(Some(address)),
        }
    }

    /// The addresses of `host` that may be connected to; at least one.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        let found: Vec<IpAddr> = if let Some(address) = Self::literal(host)? {
            vec![address]
        } else if let Some(by_hand) = self.by_hand.addresses.get(&(host.to_ascii_lowercase(), port)) {
            by_hand.clone()
        } else {
            let found = tokio::net::lookup_host((host, port)).await.map_err(ResolveError::Lookup)?;
            found.map(|found| found.ip()).collect()
        };
        let mut refused = ResolveError::NoAddress;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match blocked(address) {
                Some(why) => refused = ResolveError::Blocked { address, why },
                None => allowed.push(SocketAddr::new(address, port)),
            }
        }
        if allowed.is_empty() { Err(refused) } else { Ok(allowed) }
    }
}

/// The resolver as reqwest asks it. reqwest names only the host, so there is one of these for each port that matters.
#[derive(Debug)]
pub(crate) struct AtPort(pub(crate) Resolver, pub(crate) u16);

impl reqwest::dns::Resolve for AtPort {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(resolver, port) = self;
        let (resolver, port) = (resolver.clone(), *port);
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str(), port).await?;
            // Port 0 leaves the choice to the URL.
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address.ip(), 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_in_every_spelling() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xA9FEA9FE",
            "0251.0376.0251.0376",
            "169.254.43518",
            "[fe80::1]",
            "0",
        ] {
            assert!(
                matches!(Resolver::literal(host), Err(ResolveError::Blocked { .. })),
                "{host} is let through"
            );
        }
        assert!(matches!(Resolver::literal("shop.example"), Ok(None)));
        assert!(matches!(Resolver::literal("127.1"), Ok(Some(_))));
    }

    #[tokio::test]
    async fn a_name_that_means_a_blocked_address_is_refused() {
        let mut by_hand = Resolve::default();
        for text in ["a.example:80:169.254.169.254", "b.example:80:169.254.169.254,127.0.0.1"] {
            by_hand.add(text).expect(text);
        }
        let resolver = Resolver::new(by_hand);
        assert!(matches!(resolver.addresses("a.example", 80).await, Err(ResolveError::Blocked { .. })));
        let addresses = resolver.addresses("B.example", 80).await.expect("one may be connected to");
        assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], 80))]);
    }
}
