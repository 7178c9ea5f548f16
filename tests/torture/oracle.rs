use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that knows what it has executed, whatever becomes of whoever asked: the truth outside the process under test.
///
/// A request counts as executed when it is here whole; its answer, 200, comes a moment later, so that there are always some between the two.
pub(crate) struct Oracle {
    address: SocketAddr,
    book: Arc<Book>,
}

/// How often each `METHOD TARGET` was executed.
#[derive(Default)]
struct Book {
    executed: Mutex<HashMap<String, u32>>,
    more: Condvar,
}

impl Book {
    fn executed(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.executed.lock().expect("no task panics")
    }

    fn execute(&self, request: String) {
        *self.executed().entry(request).or_default() += 1;
        self.more.notify_all();
    }
}

/// How long an answer takes.
const ANSWER_TIME: Duration = Duration::from_millis(1);

impl Oracle {
    pub(crate) fn start() -> Self {
        let book = Arc::<Book>::default();
        let shared = Arc::clone(&book);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        listener.set_nonblocking(true).expect("a socket can be polled");
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("within a runtime");
                loop {
                    // A process that is killed takes its connections along; that is no failure here.
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { address, book }
    }

    /// Its root as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often it has executed each `METHOD TARGET`.
    pub(crate) fn executed(&self) -> HashMap<String, u32> {
        self.book.executed().clone()
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.book.executed().clear();
    }

    /// How many requests it has executed.
    pub(crate) fn count(&self) -> u32 {
        self.book.executed().values().sum()
    }

    /// Waits until it has executed `count` requests, for `time` at most.
    pub(crate) fn wait_for(&self, count: u32, time: Duration) {
        let few = |executed: &mut HashMap<String, u32>| executed.values().sum::<u32>() < count;
        drop(self.book.more.wait_timeout_while(self.book.executed(), time, few).expect("no task panics"));
    }
}

async fn serve(mut stream: TcpStream, book: Arc<Book>) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some((request, length)) = whole(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        book.execute(request);
        buffer.drain(..length);
        tokio::time::sleep(ANSWER_TIME).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").await?;
    }
}

/// `METHOD TARGET` of the request that is whole at the beginning of `bytes`, and its length with its body.
fn whole(bytes: &[u8]) -> Option<(String, usize)> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = head + length.unwrap_or(0);
    let (request, _) = text.lines().next()?.rsplit_once(' ')?;
    (bytes.len() >= length).then(|| (request.to_owned(), length))
}
