//! Connections that rest until they are needed again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::http1::Http1;
use crate::Site;

/// How long a connection rests. Servers keep theirs for 5 s (Apache) and more; whoever closes first never sends
/// a request into a connection that is just being closed.
pub(super) const REST: Duration = Duration::from_secs(3);

/// HTTP/1.1 connections by their sites; as many as requests may be under way.
#[derive(Debug)]
pub(super) struct Pool {
    resting: Mutex<Resting>,
    connections_max: usize,
}

#[derive(Debug, Default)]
struct Resting {
    /// Those of a site in the order in which they came.
    connections: HashMap<Site, Vec<(Instant, Http1)>>,
    count: usize,
}

impl Pool {
    pub(super) fn new(connections_max: usize) -> Self {
        Self { resting: Mutex::default(), connections_max }
    }

    /// An empty one of the same size.
    pub(super) fn apart(&self) -> Self {
        Self::new(self.connections_max)
    }

    /// Takes out the connection to `site` that was used last and is still open as of `now`. The longer one rests, the likelier it is that its server
    /// closes it, so when there are more than are needed the same few go on being used.
    pub(super) fn take(&self, site: &Site, now: Instant) -> Option<Http1> {
        loop {
            // Not held while a connection is looked at.
            let (since, mut connection) = self.resting().pop(site)?;
            if now.saturating_duration_since(since) < REST && connection.is_open() {
                return Some(connection);
            }
        }
    }

    /// Puts a connection to `site` in.
    pub(super) fn put(&self, site: &Site, connection: Http1) {
        let mut resting = self.resting();
        let closed = (resting.count >= self.connections_max).then(|| resting.pop_oldest()).flatten();
        resting.push(site, (Instant::now(), connection));
        drop(resting);
        drop(closed);
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Resting {
    fn pop(&mut self, site: &Site) -> Option<(Instant, Http1)> {
        let connection = self.connections.get_mut(site)?.pop()?;
        self.count -= 1;
        Some(connection)
    }

    fn push(&mut self, site: &Site, connection: (Instant, Http1)) {
        self.count += 1;
        match self.connections.get_mut(site) {
            Some(connections) => connections.push(connection),
            None => drop(self.connections.insert(site.clone(), vec![connection])),
        }
    }

    fn pop_oldest(&mut self) -> Option<Http1> {
        let since = |connections: &Vec<(Instant, Http1)>| connections.first().map(|(since, _)| *since);
        let oldest = self.connections.values_mut().filter(|connections| !connections.is_empty());
        let (_, connection) = oldest.min_by_key(|connections| since(connections))?.remove(0);
        self.count -= 1;
        Some(connection)
    }
}
