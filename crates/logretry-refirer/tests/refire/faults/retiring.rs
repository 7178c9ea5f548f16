//! A server that retires its connections early, as nginx does after `keepalive_requests`: what was sent meanwhile it ignores, and says so. Or it does not: it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::frames::{END_HEADERS, END_STREAM, HEADERS, NO_FLAGS, RST_STREAM, frame, goaway};
use super::http2::{next_frame, preface};
use super::{LONG, SHORT, fixed, over_http2};
use crate::server::{record, refire_all};

/// RFC 9113 §7.
const NO_ERROR: u32 = 0;
/// HPACK: `:status: 204`.
const STATUS_204: &[u8] = &[0x89];
/// RFC 9113 §6.5.2.
const MAX_CONCURRENT_STREAMS: u8 = 3;
const REFUSED_STREAM: &[u8] = &[0, 0, 0, 7];

/// What a server has counted.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    answered: AtomicUsize,
    ignored: AtomicUsize,
}

/// A server that gives `serve` its connections.
async fn server<F: Future<Output = Option<()>> + Send + 'static>(
    serve: impl Fn(TcpStream, Arc<Counts>) -> F + Send + 'static,
) -> (String, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let counts = Arc::<Counts>::default();
    let own = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            own.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(tcp, Arc::clone(&own)));
        }
    });
    (url, counts)
}

fn answer(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_204)
}

/// Answers this many requests of a connection.
const CARRIED: u32 = 10;

async fn retire(mut tcp: TcpStream, counts: Arc<Counts>) -> Option<()> {
    preface(&mut tcp, &[]).await?;
    let mut streams = 0;
    loop {
        if next_frame(&mut tcp).await? != HEADERS {
            continue;
        }
        streams += 1;
        if streams > CARRIED {
            counts.ignored.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        counts.answered.fetch_add(1, Ordering::Relaxed);
        let id = 2 * streams - 1;
        let retired = if streams == CARRIED { goaway(id, NO_ERROR) } else { Vec::new() };
        tcp.write_all(&[retired, answer(id)].concat()).await.ok()?;
    }
}

/// Sends `count` requests, 64 at once, and asserts that each is answered at the first attempt.
async fn all_recover(url: &str, count: usize) {
    let records = (0..count).map(|n| record("GET", &format!("/{n}"))).collect();
    for record in refire_all(over_http2(fixed(url, 64, LONG)), records).await {
        let retry = record.retry().expect("a refire");
        assert_eq!((retry.status, retry.attempts), (Some(204), 1), "{retry:?}");
    }
}

#[tokio::test]
async fn a_connection_gets_no_more_requests_than_its_server_lets_it_carry() {
    let (url, counts) = server(retire).await;
    all_recover(&url, 640).await;
    assert_eq!(counts.answered.load(Ordering::Relaxed), 640, "each once");
    assert!(counts.ignored.load(Ordering::Relaxed) < 128, "{counts:?}");
    assert!(counts.connections.load(Ordering::Relaxed) < 70, "{counts:?}");
}

/// Its first `SETTINGS` come too late for the first requests.
async fn refuse_the_third(mut tcp: TcpStream, counts: Arc<Counts>) -> Option<()> {
    preface(&mut tcp, &[0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 2]).await?;
    let mut streams = 0;
    loop {
        if next_frame(&mut tcp).await? != HEADERS {
            continue;
        }
        streams += 1;
        let id = 2 * streams - 1;
        let (tally, frame) = if counts.ignored.load(Ordering::Relaxed) < 20 && streams > 2 {
            (&counts.ignored, frame(RST_STREAM, NO_FLAGS, id, REFUSED_STREAM))
        } else {
            (&counts.answered, answer(id))
        };
        tally.fetch_add(1, Ordering::Relaxed);
        tcp.write_all(&frame).await.ok()?;
    }
}

#[tokio::test]
async fn what_a_server_refuses_because_it_is_full_is_sent_when_there_is_room() {
    let (url, counts) = server(refuse_the_third).await;
    all_recover(&url, 200).await;
    assert_eq!(counts.answered.load(Ordering::Relaxed), 200, "each once");
}

/// The first connection is dead after one answer, and nobody says so.
async fn vanish(mut tcp: TcpStream, counts: Arc<Counts>) -> Option<()> {
    let is_first = counts.connections.load(Ordering::Relaxed) == 1;
    preface(&mut tcp, &[]).await?;
    for id in (1..).step_by(2) {
        while next_frame(&mut tcp).await? != HEADERS {}
        if is_first && id > 1 {
            counts.ignored.fetch_add(1, Ordering::Relaxed);
        } else {
            counts.answered.fetch_add(1, Ordering::Relaxed);
            tcp.write_all(&answer(id)).await.ok()?;
        }
    }
    Some(())
}

/// It was used until the system noticed, which takes a quarter of an hour: a server that was back long ago was given up.
#[tokio::test]
async fn a_connection_that_has_died_costs_one_request_and_not_all_that_follow() {
    let (url, counts) = server(vanish).await;
    let records = (0..5).map(|n| record("GET", &format!("/{n}"))).collect();
    let refired = refire_all(over_http2(fixed(&url, 1, SHORT)), records).await;
    let statuses: Vec<_> = refired.iter().map(|record| record.retry().expect("a refire").status).collect();
    assert_eq!(statuses, [Some(204), None, Some(204), Some(204), Some(204)]);
    assert_eq!(counts.connections.load(Ordering::Relaxed), 2, "{counts:?}");
}
