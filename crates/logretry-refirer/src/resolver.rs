//! From a host to the addresses that may be connected to.
//!
//! What is checked is the address that is really dialled, after the lookup, so a name that suddenly means another machine
//! (DNS rebinding) does not get past.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolving};
use url::Host;

use crate::Options;
use crate::address::{blocked, is_private};
use crate::options::Resolve;

/// Looks hosts up, and lets through only what may be connected to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolver {
    by_hand: Arc<Resolve>,
    /// Whether a name may mean a private address.
    allow_private: bool,
    #[cfg(test)]
    script: Arc<std::sync::Mutex<Vec<IpAddr>>>,
}

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("{0}")]
    Lookup(io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("{address} is never connected to: it is {why}")]
    Blocked { address: IpAddr, why: &'static str },
    #[error(
        "{0} is a private address, and the name came from the log; give --base-url or --resolve, or --allow-private"
    )]
    Private(IpAddr),
}

impl Resolver {
    /// A resolver for what these options let requests go to.
    ///
    /// The server of a base URL and a proxy are the operator's own, wherever they are. A host that a log line has chosen, be it one of
    /// the allowed, must not lead into the operator's own network.
    pub(crate) fn new(options: &Options) -> Self {
        let own = options.destination.base_url.is_some() || options.proxy.is_some();
        Self {
            by_hand: Arc::new(options.resolve.clone()),
            allow_private: own || options.destination.allow_private,
            #[cfg(test)]
            script: Arc::default(),
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        #[cfg(test)]
        if let Some(address) = self.script.lock().expect("no panic").pop() {
            return Ok(vec![address]);
        }
        Ok(tokio::net::lookup_host((host, port)).await?.map(|found| found.ip()).collect())
    }

    /// Whether some names are not looked up.
    pub(crate) fn knows_by_hand(&self) -> bool {
        !self.by_hand.addresses.is_empty()
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
        // The operator has typed the first two kinds; a name may mean something else from one moment to the next.
        let (found, typed) = if let Some(address) = Self::literal(host)? {
            (vec![address], true)
        } else if let Some(by_hand) = self.by_hand.addresses.get(&(host.to_ascii_lowercase(), port)) {
            (by_hand.clone(), true)
        } else {
            (self.look_up(host, port).await.map_err(ResolveError::Lookup)?, false)
        };
        let mut refused = ResolveError::NoAddress;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match blocked(address) {
                Some(why) => refused = ResolveError::Blocked { address, why },
                None if !typed && !self.allow_private && is_private(address) => {
                    refused = ResolveError::Private(address);
                }
                None => allowed.push(SocketAddr::new(address, port)),
            }
        }
        if allowed.is_empty() { Err(refused) } else { Ok(allowed) }
    }
}

/// As reqwest asks it, for the name of a proxy.
impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            // Port 0 leaves the choice to the URL.
            let addresses = resolver.addresses(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
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
        let resolver = Resolver::new(&Options { resolve: by_hand, ..Options::default() });
        assert!(matches!(resolver.addresses("a.example", 80).await, Err(ResolveError::Blocked { .. })));
        let addresses = resolver.addresses("B.example", 80).await.expect("one may be connected to");
        assert_eq!(addresses, [SocketAddr::from(([127, 0, 0, 1], 80))]);
    }

    /// DNS rebinding: the name is looked up for each connection, and means another machine the second time.
    #[tokio::test]
    async fn a_name_is_checked_each_time_it_is_connected_to() {
        let mut options = Options::default();
        options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
        let resolver = Resolver::new(&options);
        let answers = ["169.254.169.254", "203.0.113.9"].map(|address| address.parse().expect("an address"));
        *resolver.script.lock().expect("no panic") = answers.into();
        let first = resolver.addresses("shop.example", 80).await.expect("a public address");
        assert_eq!(first, [SocketAddr::from(([203, 0, 113, 9], 80))]);
        let second = resolver.addresses("shop.example", 80).await;
        assert!(matches!(second, Err(ResolveError::Blocked { .. })), "{second:?}");
    }

    #[tokio::test]
    async fn a_private_address_must_be_the_operators_own() {
        let base = Some("http://shop.example".parse().expect("a base URL"));
        let mut by_hand = Resolve::default();
        by_hand.add("typed.example:80:10.0.0.7").expect("an address");
        for private in
            ["127.0.0.1", "10.0.0.7", "192.168.1.1", "100.64.0.1", "::1", "fd00::7", "::ffff:10.0.0.7"]
        {
            for (base_url, allow_private, allowed) in
                [(&base, false, true), (&None, true, true), (&None, false, false)]
            {
                let mut options = Options { resolve: by_hand.clone(), ..Options::default() };
                options.destination.base_url = base_url.clone();
                options.destination.allow_private = allow_private;
                let resolver = Resolver::new(&options);
                resolver.script.lock().expect("no panic").push(private.parse().expect("an address"));
                let found = resolver.addresses("shop.example", 80).await;
                assert_eq!(found.is_ok(), allowed, "{private}: {found:?}");
                for typed in ["typed.example", "10.0.0.8", "127.1"] {
                    assert!(resolver.addresses(typed, 80).await.is_ok(), "{typed} was typed by the operator");
                }
            }
        }
    }
}
