//! A site that may speak HTTP/2, where requests share connections.
//!
//! Nobody knows before the first connection is there how many are needed, so one makes it, and the others wait for it. Not for long: behind a load balancer there may be a server that
//! takes connections and is not back yet, and those who wait would all have none when the time of the one is over. So whoever has waited for a while makes another one, and a
//! connection that does not come costs the request that asked for it, and others only where as many in a row do not come as parts of the connect timeout pass.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::http2::{self, Http2, Http2Stream, Lifetime};

/// The part of the connect timeout for which nobody else makes a connection.
pub(super) const ALONE: u32 = 5;

/// What is known of a site, and whose turn it is to make a connection to it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    connections: Vec<Arc<Http2>>,
    /// Streams that a connection carries at once, as the last one has told.
    streams_max: usize,
    lifetime: Lifetime,
    /// It chose HTTP/1.1, the last time that it was asked.
    chose_http1: bool,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            connections: Vec::new(),
            streams_max: http2::STREAMS_MAX,
            lifetime: Lifetime::default(),
            chose_http1: false,
        }
    }
}

/// What a request finds.
pub(super) enum Found {
    /// Room on a connection.
    Room(Http2Stream),
    /// No connection with room; what to expect of a new one.
    NoRoom { streams_max: usize, lifetime: Lifetime },
    /// The site speaks HTTP/1.1.
    Http1,
}

impl Shared {
    /// Waits for the turn to look, and to make a connection.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    pub(super) fn look(&self) -> Found {
        let mut known = self.known();
        if let Some(last) = known.connections.last() {
            known.streams_max = last.streams_max();
        }
        known.connections.retain(|connection| connection.is_open());
        if let Some(stream) = known.connections.iter().find_map(Http2::stream) {
            Found::Room(stream)
        } else if known.chose_http1 {
            Found::Http1
        } else {
            Found::NoRoom { streams_max: known.streams_max, lifetime: known.lifetime.clone() }
        }
    }

    /// The site chose HTTP/1.1.
    pub(super) fn chose_http1(&self) {
        self.known().chose_http1 = true;
    }

    /// Keeps a new connection for others, and gives the first room on it.
    pub(super) fn keep(&self, connection: Arc<Http2>) -> Option<Http2Stream> {
        let mut known = self.known();
        let stream = connection.stream();
        known.connections.push(connection);
        stream
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
