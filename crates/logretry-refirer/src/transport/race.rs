//! Several addresses of one host, of which some may be dead.
//!
//! An address behind which nobody is any more answers to nothing, and to wait for it until there is no time left would lose a request that the next address takes. So the next one gets its turn
//! after a head start, while the first is still waited for (RFC 8305 §5, "Happy Eyeballs"). Only a connection is tried twice: the request goes over the one that came first.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep;

/// How much earlier than the next address each one is tried (RFC 8305 §8).
const HEAD_START: Duration = Duration::from_millis(250);

/// The first connection that `connect` makes to one of `addresses`; the last error, if it makes none.
pub(super) async fn first<S, F>(addresses: &[SocketAddr], connect: impl Fn(SocketAddr) -> F) -> io::Result<S>
where
    F: Future<Output = io::Result<S>>,
{
    if let [only] = addresses {
        return connect(*only).await;
    }
    let mut left = addresses.iter();
    let mut under_way = FuturesUnordered::new();
    let mut why = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        under_way.extend(left.next().map(|address| connect(*address)));
        tokio::select! {
            biased;
            end = under_way.next() => match end {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => why = error,
                None => return Err(why),
            },
            () = sleep(HEAD_START), if left.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const DEAD: u16 = 1;
    const SLOW: u16 = 2;
    const REFUSES: u16 = 3;
    const GOOD: u16 = 4;

    async fn connect(address: SocketAddr) -> io::Result<u16> {
        match address.port() {
            DEAD => std::future::pending().await,
            SLOW => sleep(HEAD_START * 2).await,
            REFUSES => return Err(io::ErrorKind::ConnectionRefused.into()),
            _ => {}
        }
        Ok(address.port())
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_costs_its_head_start_and_not_the_connection() {
        for (ports, taken, head_starts) in [
            (&[GOOD][..], Some(GOOD), 0),
            (&[GOOD, DEAD], Some(GOOD), 0),
            (&[DEAD, GOOD], Some(GOOD), 1),
            (&[DEAD, DEAD, GOOD], Some(GOOD), 2),
            (&[SLOW, DEAD], Some(SLOW), 2),
            (&[REFUSES, GOOD], Some(GOOD), 0),
            (&[DEAD, REFUSES, GOOD], Some(GOOD), 1),
            (&[REFUSES, REFUSES], None, 0),
            (&[SLOW, REFUSES], Some(SLOW), 2),
            (&[], None, 0),
        ] {
            let addresses: Vec<_> =
                ports.iter().map(|&port| SocketAddr::from(([10, 0, 0, 7], port))).collect();
            let start = Instant::now();
            assert_eq!(first(&addresses, connect).await.ok(), taken, "{ports:?}");
            assert_eq!(start.elapsed().as_millis(), (HEAD_START * head_starts).as_millis(), "{ports:?}");
        }
    }
}
