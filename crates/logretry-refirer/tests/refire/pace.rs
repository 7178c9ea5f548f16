//! The adaptive pace against a real server that works on a few requests at once and turns away what its queue does not hold.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use logretry_record::Outcome;
use logretry_refirer::{Options, Pace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::server::{Act, OK, Server, options, record, refire_all};

const WORKERS: usize = 4;
const QUEUE: usize = 24;
/// What a request takes to work on.
const WORK: Duration = Duration::from_millis(5);
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

#[derive(Debug)]
struct Shop {
    workers: Semaphore,
    inside: AtomicUsize,
    inside_most: AtomicUsize,
}

impl Shop {
    async fn open() -> (String, Arc<Self>) {
        let shop = Arc::new(Self {
            workers: Semaphore::new(WORKERS),
            inside: AtomicUsize::new(0),
            inside_most: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let here = Arc::clone(&shop);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&here).serve(tcp));
            }
        });
        (url, shop)
    }

    async fn serve(self: Arc<Self>, mut tcp: TcpStream) -> Option<()> {
        let mut head = Vec::new();
        loop {
            head.clear();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.ok()?);
            }
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            self.inside_most.fetch_max(inside, Ordering::SeqCst);
            let answer = if inside > WORKERS + QUEUE {
                BUSY
            } else {
                let _worker = self.workers.acquire().await.ok()?;
                tokio::time::sleep(WORK).await;
                OK
            };
            self.inside.fetch_sub(1, Ordering::SeqCst);
            tcp.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

/// How many of 600 requests recovered, and how many were in the shop at once.
async fn visit(pace: Pace) -> (usize, usize) {
    let (url, shop) = Shop::open().await;
    let options = Options { pace, trips: 0, ..options(&url) };
    let records = (0..600).map(|number| record("GET", &format!("/{number}"))).collect();
    let output = refire_all(options, records).await;
    let recovered = |outcome| outcome == Some(Outcome::Recovered);
    let good = output.iter().filter(|record| recovered(record.retry().map(|retry| retry.outcome))).count();
    (good, shop.inside_most.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_server_is_not_sent_more_than_it_bears() {
    let (good, inside_most) = visit(Pace::Adaptive).await;
    assert!(good >= 594, "{good} of 600, {inside_most} at once");
    assert!((2..=WORKERS + QUEUE).contains(&inside_most), "{inside_most} at once");
    let (good, inside_most) = visit(Pace::Fixed).await;
    assert!(
        good < 594 && inside_most > WORKERS + QUEUE,
        "{good} of 600, {inside_most} at once: it bears all"
    );
}

#[tokio::test]
async fn a_servers_retry_after_is_heard() {
    const LATER: &str = "HTTP/1.1 503 Later\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n";
    let hold = Duration::from_millis(150);
    let server = Server::start(Act::Answer(LATER)).await;
    let options = Options { max_retry_after: hold, concurrency: NonZeroUsize::MIN, ..options(&server.url()) };
    let start = Instant::now();
    refire_all(options, vec![record("GET", "/a"), record("HEAD", "/a")]).await;
    assert!(start.elapsed() >= hold);
}
