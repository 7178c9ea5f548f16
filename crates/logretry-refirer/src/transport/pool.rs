//! Connections that rest until they are needed again.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::http1::Http1;
use crate::Site;
use crate::site::SiteMap;

/// How long a connection rests. Servers close theirs after whole seconds: 5 (Apache, Node), 2 (gunicorn), and 1 at least. Whoever lets go of it well before
/// the first of them never sends a request into a connection that is just being closed, also not one request a second.
pub(super) const REST: Duration = Duration::from_millis(750);

/// HTTP/1.1 connections by their sites; as many as requests may be under way.
#[derive(Debug)]
pub(super) struct Pool {
    resting: Mutex<Resting>,
    connections_max: usize,
}

#[derive(Debug, Default)]
struct Resting {
    /// Those of a site in the order in which they came.
    connections: SiteMap<Vec<(Instant, Http1)>>,
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

    /// Puts a connection to `site` in, which rests from `now` on.
    pub(super) fn put(&self, site: &Site, connection: Http1, now: Instant) {
        let mut resting = self.resting();
        let closed = (resting.count >= self.connections_max).then(|| resting.pop_oldest()).flatten();
        resting.push(site, (now, connection));
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

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::transport::stream::Stream;

    #[tokio::test]
    async fn a_connection_is_not_used_once_a_server_may_be_closing_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let site: Site = format!("http://{address}").parse().expect("a site");
        for (rested_ms, is_used) in [(0, true), (700, true), (750, false), (999, false), (5000, false)] {
            let pool = Pool::new(1);
            let stream = TcpStream::connect(address).await.expect("a connection");
            let (_server, _) = listener.accept().await.expect("a connection");
            let before = Instant::now();
            pool.put(&site, Http1::over(Stream::Plain(stream)), before);
            let rested = Duration::from_millis(rested_ms);
            // A busy machine takes its time to put it in, which only makes its rest shorter.
            let now = if is_used { before + rested } else { Instant::now() + rested };
            assert_eq!(pool.take(&site, now).is_some(), is_used, "{rested:?}");
        }
    }
}
