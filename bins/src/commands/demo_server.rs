use std::sync::{Arc, Mutex, PoisonError};

use logretry_stage::{Fatal, Result};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The flaky server of `logretry demo`: it answers GET and HEAD with 200, and one page with 503.
pub(crate) struct DemoServer {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl DemoServer {
    /// Starts on a free port of the loopback address. `broken` is the page that still fails.
    pub(crate) async fn start(broken: &'static str) -> Result<Self> {
        let error = |error| Fatal::new(format!("start the demo's server: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(error)?;
        let url = format!("http://{}", listener.local_addr().map_err(error)?);
        let asked = Arc::default();
        let accepting = tokio::spawn(accept(listener, broken, Arc::clone(&asked)));
        Ok(Self { url, asked, accepting })
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Method and target of each request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, broken: &'static str, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection that breaks off ends alone.
        tokio::spawn(serve(stream, broken, Arc::clone(&asked)));
    }
}

async fn serve(
    stream: TcpStream,
    broken: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(request) = lines.next_line().await? {
        while lines.next_line().await?.is_some_and(|header| !header.is_empty()) {}
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
        let (status, body) =
            if target == broken { ("503 Service Unavailable", "not yet\n") } else { ("200 OK", "hello\n") };
        let length = body.len();
        let body = if method == "HEAD" { "" } else { body };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
