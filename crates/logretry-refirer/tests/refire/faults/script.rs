//! A server that misbehaves by a script, step by step, and answers everything else well.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The body of a good answer tells whose it is: the request's own path.
pub(super) fn good_answer(path: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len())
}

/// One thing that the server does instead of a good answer. After the last one it closes the connection in good order.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Says this.
    Say(Cow<'static, [u8]>),
    /// Says this again and again, until the other side has gone.
    Forever(&'static [u8]),
    /// Says this again and again, with a pause between.
    Drip(&'static [u8]),
    /// Says nothing until the other side has gone.
    Silence,
    /// Closes the connection; under TLS without the farewell that would show that nothing is missing.
    Cut,
    /// Resets the connection.
    Reset,
    /// Goes on as if nothing had happened.
    Listen,
}

/// Between two drops of [`Step::Drip`].
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn say(text: &'static str) -> Step {
    Step::Say(Cow::Borrowed(text.as_bytes()))
}

pub(super) fn say_bytes(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Say(Cow::Owned(bytes.into()))
}

/// A connection, with or without TLS.
pub(super) trait Line: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Line for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Does what the script says; whether the connection can go on.
pub(super) async fn perform(line: &mut impl Line, script: &[Step]) -> bool {
    for step in script {
        let done = match step {
            Step::Say(bytes) => line.write_all(bytes).await.and(line.flush().await),
            Step::Forever(bytes) => loop {
                if let Err(gone) = line.write_all(bytes).await {
                    break Err(gone);
                }
            },
            Step::Drip(bytes) => loop {
                tokio::time::sleep(PAUSE).await;
                if let Err(gone) = line.write_all(bytes).await.and(line.flush().await) {
                    break Err(gone);
                }
            },
            Step::Silence => loop {
                if let Err(gone) = line.read_u8().await {
                    break Err(gone);
                }
            },
            Step::Cut => return false,
            Step::Reset => {
                line.tcp().set_zero_linger().expect("a socket");
                return false;
            }
            Step::Listen => return true,
        };
        if done.is_err() {
            return false;
        }
    }
    // The other side may have gone first.
    line.shutdown().await.unwrap_or(());
    false
}

/// It listens until it is dropped.
#[derive(Debug)]
pub(super) struct FaultServer {
    address: SocketAddr,
    tls: bool,
    heard: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl FaultServer {
    /// Follows `script` for each request of a path that begins with `/fault`.
    pub(super) async fn start(script: Vec<Step>, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (diary, with_tls, script) = (Arc::clone(&heard), tls.is_some(), Arc::<[Step]>::from(script));
        let listening = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (script, heard, tls) = (Arc::clone(&script), Arc::clone(&diary), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(tcp, &script, &heard).await,
                        Some(config) => {
                            let line = TlsAcceptor::from(config).accept(tcp).await.ok()?;
                            converse(line, &script, &heard).await
                        }
                    }
                });
            }
        });
        Self { address, tls: with_tls, heard, listening }
    }

    pub(super) fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// The first lines of all requests so far, sorted.
    pub(super) fn heard(&self) -> Vec<String> {
        let mut heard = self.heard.lock().expect("no panic").clone();
        heard.sort();
        heard
    }
}

async fn converse(mut line: impl Line, script: &[Step], diary: &Mutex<Vec<String>>) -> Option<()> {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(line.read_u8().await.ok()?);
        }
        let head = String::from_utf8_lossy(&head);
        let request = head.lines().next().unwrap_or_default().replacen(super::BEHIND_THE_PROXY, "", 1);
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        diary.lock().expect("no panic").push(request);
        if path.starts_with("/fault") {
            if !perform(&mut line, script).await {
                return Some(());
            }
        } else {
            line.write_all(good_answer(&path).as_bytes()).await.ok()?;
            line.flush().await.ok()?;
        }
    }
}
