//! The network: our own connections, or a proxy's, behind the address check.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use logretry_record::{ErrorKind, Scheme};
use tokio::time::Instant;

use super::dialer::{Dialer, Offer};
use super::http1::{self, Http1};
use super::http2::{self, Http2, Http2Stream};
use super::pool::Pool;
use super::proxied::Proxied;
use super::shared::{ALONE, Found, Shared};
use super::tunnel::Tunnel;
use super::{Ready, Request, Seen, Transport, not_connected};
use crate::fault::{Fault, Phase};
use crate::random::Random;
use crate::resolver::Resolver;
use crate::tls::{Trust, client_config};
use crate::{HttpVersion, Options, RefirerError, Site};

/// How often a request may meet a connection that its server is just retiring, or be refused without a look. nginx retires one after a thousand requests.
pub(super) const RETIRED_MAX: u32 = 3;

/// How long a request rests at most that was refused for the second time; the next time, for twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// Every way onto the wire.
#[derive(Debug)]
pub(crate) struct Wire {
    connections: Arc<Connections>,
    proxied: Option<Arc<Proxied>>,
}

impl Wire {
    pub(crate) fn new(options: &Options) -> Result<Self, RefirerError> {
        let resolver = Resolver::new(options);
        let trust = if options.speaks_tls() { Trust::System } else { Trust::Given };
        let tls = client_config(&options.tls, options.http, trust)?;
        let proxied = match &options.proxy {
            Some(proxy) => Some(Arc::new(Proxied::new(options, proxy, resolver.clone(), tls.clone())?)),
            None => None,
        };
        let connections = Connections {
            dialer: Dialer::new(resolver, tls, options.proxy.as_ref().map(Tunnel::new)),
            http: options.http,
            pool: Pool::new(options.concurrency.get()),
            shared: Mutex::default(),
            connect_timeout: options.connect_timeout,
            body_bytes_max: options.body_bytes_max,
        };
        Ok(Self { connections: Arc::new(connections), proxied })
    }
}

/// A way that is open.
#[derive(Debug)]
pub(crate) struct Open {
    connections: Arc<Connections>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Http1(Http1),
    Http2(Http2Stream),
    Proxied(Arc<Proxied>),
}

impl Transport for Wire {
    type Ready = Open;

    async fn ready(&self, request: &Request, now: Instant) -> Result<Open, Fault> {
        let site = &request.planned.site;
        if self.proxied.is_some() {
            // The proxy looks names up; what needs no lookup is checked here.
            Resolver::literal(site.host()).map_err(|error| Fault::of(&error, Phase::Connecting))?;
        }
        let way = match &self.proxied {
            Some(proxied) if site.scheme() == Scheme::Http => Way::Proxied(Arc::clone(proxied)),
            // To a server with TLS through a tunnel.
            _ => self.connections.connect(request, now).await?,
        };
        Ok(Open { connections: Arc::clone(&self.connections), way })
    }

    fn apart(&self) -> Option<Self> {
        let connections = Arc::new(self.connections.apart());
        Some(Self { connections, proxied: self.proxied.clone() })
    }
}

impl Ready for Open {
    async fn exchange(self, request: &mut Request, seen: &mut Seen) -> Result<(), Fault> {
        let Self { connections, mut way } = self;
        let (mut passed_over, mut refused) = (0, 0);
        loop {
            let body_bytes_max = connections.body_bytes_max;
            match way {
                Way::Proxied(proxied) => return proxied.exchange(request, seen).await,
                Way::Http1(http1) => match http1.exchange(request, seen, body_bytes_max).await? {
                    http1::Exchanged::Last => return Ok(()),
                    http1::Exchanged::Whole(http1) => {
                        let now = *seen.whole.insert(Instant::now());
                        connections.pool.put(&request.planned.site, http1, now);
                        return Ok(());
                    }
                    http1::Exchanged::NotSent => {}
                },
                Way::Http2(stream) => match stream.exchange(request, seen, body_bytes_max).await? {
                    http2::Exchanged::Whole => return Ok(()),
                    http2::Exchanged::LeftAlone => {}
                    http2::Exchanged::Refused => refused += 1,
                },
            }
            // Nobody has looked at it, so that this is no second try.
            passed_over += 1;
            if passed_over > RETIRED_MAX {
                return Err(retired());
            }
            pause(refused).await;
            way = connections.connect(request, Instant::now()).await.map_err(Fault::before_the_request)?;
        }
    }
}

/// Connections of our own.
#[derive(Debug)]
struct Connections {
    dialer: Dialer,
    http: HttpVersion,
    pool: Pool,
    /// What is known of sites that may speak HTTP/2.
    shared: Mutex<HashMap<Site, Arc<Shared>>>,
    connect_timeout: Duration,
    body_bytes_max: u64,
}

impl Connections {
    /// The same with nothing kept and nobody known.
    fn apart(&self) -> Self {
        Self {
            dialer: self.dialer.clone(),
            http: self.http,
            pool: self.pool.apart(),
            shared: Mutex::default(),
            connect_timeout: self.connect_timeout,
            body_bytes_max: self.body_bytes_max,
        }
    }

    /// A connection that is kept as of `now`, or a new one.
    async fn connect(&self, request: &Request, now: Instant) -> Result<Way, Fault> {
        let planned = &request.planned;
        // A method that must not arrive twice is not sent over a connection that its server may be closing.
        let kept = if planned.is_idempotent() { self.pool.take(&planned.site, now) } else { None };
        if let Some(kept) = kept {
            return Ok(Way::Http1(kept));
        }
        let new = async {
            match (self.http, planned.site.scheme()) {
                (HttpVersion::Http1, _) | (HttpVersion::Negotiated, Scheme::Http) => {
                    self.dial_http1(&planned.site).await
                }
                (HttpVersion::Http2, _) | (HttpVersion::Negotiated, Scheme::Https) => {
                    self.share(&planned.site).await
                }
            }
        };
        tokio::time::timeout(self.connect_timeout, new)
            .await
            .map_err(|_| not_connected(self.connect_timeout))?
    }

    async fn dial_http1(&self, site: &Site) -> Result<Way, Fault> {
        let stream = self.dialer.dial(site, Offer::Http1).await?;
        Ok(Way::Http1(Http1::over(stream)))
    }

    /// Room on a connection that others use as well, or a new connection.
    async fn share(&self, site: &Site) -> Result<Way, Fault> {
        let shared = Arc::clone(
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).entry(site.clone()).or_default(),
        );
        let turn = shared.turn().await;
        let (streams_max, lifetime) = match shared.look() {
            Found::Room(stream) => return Ok(Way::Http2(stream)),
            Found::Http1 => {
                // As many as there are requests, and nobody waits for the others.
                drop(turn);
                return self.dial_http1(site).await;
            }
            Found::NoRoom { streams_max, lifetime } => (streams_max, lifetime),
        };
        let mut dial = pin!(self.dialer.dial(site, Offer::All));
        let alone = tokio::time::timeout(self.connect_timeout / ALONE, dial.as_mut()).await;
        let stream = if let Ok(stream) = alone {
            stream?
        } else {
            drop(turn);
            dial.await?
        };
        if self.http == HttpVersion::Negotiated && !stream.chose_http2() {
            shared.chose_http1();
            return Ok(Way::Http1(Http1::over(stream)));
        }
        let connection = Http2::over(stream, streams_max, lifetime).await?;
        shared.keep(connection).map(Way::Http2).ok_or_else(retired)
    }
}

/// Waits before a request goes out again that was refused so many times. The first time, the limit of the connection may have come later than the request; whoever refuses it again
/// has too much.
pub(super) async fn pause(refused: u32) {
    if let Some(doublings) = refused.checked_sub(2) {
        let most = PAUSE * 2_u32.pow(doublings.min(RETIRED_MAX));
        tokio::time::sleep(most.mul_f64(f64::midpoint(Random::new().unit(), 1.0))).await;
    }
}

/// What is said when nobody looks at a request.
pub(super) fn retired() -> Fault {
    let what =
        "the server closed the connection, or refused the request, before it looked at it, again and again";
    Fault::new(ErrorKind::Connect, what).before_the_request()
}
