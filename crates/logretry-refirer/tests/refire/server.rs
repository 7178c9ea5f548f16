//! A server that does what it is told, and remembers what it heard.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::StreamExt as _;
use logretry_record::{Exchange, Origin, Record, RecordId, Retry, Scheme};
use logretry_refirer::{Options, Refirer};
use logretry_stage::{Context, Stage as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What is done once a request has been heard.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Says this, and listens for another request.
    Answer(&'static str),
    /// Says this, and closes the connection.
    Close(&'static str),
    /// Resets the connection.
    Reset,
    /// Says this, and nothing more until the other side has gone.
    Hang(&'static str),
    /// Says this, and then `x` until the other side has gone.
    Endless(&'static str),
}

#[derive(Debug, Default)]
struct Diary {
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
    connections: usize,
    closed: usize,
}

/// It runs in the test's own runtime, and ends with it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    diary: Arc<Mutex<Diary>>,
}

impl Server {
    /// A server on the loopback address that does `act` for each request.
    pub(crate) async fn start(act: Act) -> Self {
        Self::start_with(None, move |_| act).await
    }

    /// A server that chooses what to do by the head of the request.
    pub(crate) async fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        act: impl Fn(&str) -> Act + Send + Clone + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Self { address, diary: Arc::default() };
        let diary = Arc::clone(&server.diary);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                diary.lock().expect("no panic").connections += 1;
                let (diary, tls, act) = (Arc::clone(&diary), tls.clone(), act.clone());
                tokio::spawn(async move {
                    serve(tcp, tls, act, &diary).await;
                    diary.lock().expect("no panic").closed += 1;
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Heads of the requests heard so far, in their order.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.diary.lock().expect("no panic").heads.clone()
    }

    /// Bodies of the requests heard so far, in their order; empty for those without one.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.diary.lock().expect("no panic").bodies.clone()
    }

    /// First lines of the requests heard so far, in their order.
    pub(crate) fn request_lines(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.diary.lock().expect("no panic").connections
    }

    /// Connections that it has closed.
    pub(crate) fn closed(&self) -> usize {
        self.diary.lock().expect("no panic").closed
    }
}

async fn serve(
    mut tcp: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    act: impl Fn(&str) -> Act,
    diary: &Mutex<Diary>,
) {
    if let Some(config) = tls {
        if let Ok(mut stream) = TlsAcceptor::from(config).accept(tcp).await {
            converse(&mut stream, act, diary).await;
            let _ = stream.shutdown().await;
        }
    } else if matches!(converse(&mut tcp, act, diary).await, Some(Act::Reset)) {
        tcp.set_zero_linger().expect("a socket");
    }
}

/// Hears requests and acts, until an act ends it.
async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    act: impl Fn(&str) -> Act,
    diary: &Mutex<Diary>,
) -> Option<Act> {
    let mut bytes = Vec::new();
    loop {
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(std::mem::take(&mut bytes)).expect("requests are ASCII");
        let lower = head.to_ascii_lowercase();
        let length = lower.split_once("\r\ncontent-length: ").and_then(|(_, rest)| rest.lines().next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        stream.read_exact(&mut body).await.ok()?;
        let act = act(&head);
        {
            let mut diary = diary.lock().expect("no panic");
            diary.heads.push(head);
            diary.bodies.push(body);
        }
        match act {
            Act::Answer(text) => stream.write_all(text.as_bytes()).await.ok()?,
            Act::Close(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return Some(act);
            }
            Act::Reset => return Some(act),
            Act::Hang(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                while stream.read_u8().await.is_ok() {}
                return Some(act);
            }
            Act::Endless(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                return Some(act);
            }
        }
    }
}

/// How many connections there may have been since `start` where so many are `needed`, and as many requests are under way as `at_once` says. On a busy machine a
/// connection may rest for so long that it is not used again, which takes three quarters of a second.
pub(crate) fn connections_for(needed: usize, at_once: usize, start: Instant) -> RangeInclusive<usize> {
    let let_go = usize::try_from(start.elapsed().as_millis() / 750).expect("not that long");
    needed..=needed + at_once * let_go
}

/// The record of a log line.
pub(crate) fn record(method: &str, target: &str) -> Record {
    let text = format!("{method} {target}");
    let original =
        Exchange { method: Some(method.to_owned()), target: Some(target.to_owned()), ..Exchange::default() };
    let id = RecordId::of_line(text.as_bytes(), 0);
    Record::new(id, Origin::new("access.log", 1, 0, "combined", text), original)
}

/// The record of a GET of `target` that a line logged for the site `url`.
pub(crate) fn record_of(url: &str, target: &str) -> Record {
    let plain = record("GET", target);
    let (scheme, host) = url.split_once("://").expect("a URL");
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let original = Exchange { host: Some(host.into()), scheme: Some(scheme), ..plain.original().clone() };
    Record::new(plain.id(), plain.origin().clone(), original)
}

/// Options that send everything to `base_url`.
pub(crate) fn options(base_url: &str) -> Options {
    let mut options = Options::default();
    options.destination.base_url = Some(base_url.parse().expect("a base URL"));
    options
}

/// Puts `records` through a refirer, and checks that all came out and that the numbers add up.
pub(crate) async fn refire_all(options: Options, records: Vec<Record>) -> Vec<Record> {
    let count = records.len();
    let cx = Context::default();
    let refirer = Refirer::new(options).expect("a refirer");
    let input = futures_util::stream::iter(records.into_iter().map(Ok));
    let output: Vec<_> = refirer.apply(input, &cx).map(|item| item.expect("a record")).collect().await;
    assert_eq!(output.len(), count);
    let accounts = cx.tally().accounts();
    assert_eq!((accounts.taken, accounts.in_flight), (count as u64, 0));
    assert_eq!(accounts.check(), Ok(()));
    output
}

/// Refires a GET of `target`.
pub(crate) async fn refire(options: Options, target: &str) -> Retry {
    let output = refire_all(options, vec![record("GET", target)]).await;
    output[0].retry().expect("a refire").clone()
}
