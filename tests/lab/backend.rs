use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{latin1, until};

/// An application behind a web server: while it is down it fails as the path says, afterwards it answers 200.
///
/// | path | down | up |
/// |---|---|---|
/// | `…/s/STATUS…` | `STATUS` | 200 |
/// | `/drop…` | closes the connection: a proxy answers 502 | 200 |
/// | `/slow…` | never answers: a proxy answers 504 | 200 |
/// | `/later…` | answers 200 once it is up | 200 |
/// | `/always/STATUS…` | `STATUS` | `STATUS` |
/// | `/always/drop…` | closes the connection | closes the connection |
/// | any other | 200 | 200 |
///
/// Every answer with a body says [`Backend::BODY`].
pub(crate) struct Backend {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    up: AtomicBool,
    seen: Mutex<Vec<String>>,
    heard: Mutex<Vec<(String, String)>>,
}

impl Backend {
    /// What it answers with: three bytes.
    pub(crate) const BODY: &str = "ok\n";

    /// A back end in its outage.
    pub(crate) fn down() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // Whoever hangs up early is no failure of the test.
                thread::spawn(move || serve(&stream, &state).ok());
            }
        });
        Self { address, state }
    }

    /// A back end that is well.
    pub(crate) fn up() -> Self {
        let backend = Self::down();
        backend.recover();
        backend
    }

    /// Ends the outage.
    pub(crate) fn recover(&self) {
        self.state.up.store(true, Ordering::SeqCst);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that reached it, in order, as `METHOD TARGET`; one character a byte.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.seen.lock().expect("no thread panics").clone()
    }

    /// The whole heads of these requests.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heard().into_iter().map(|(head, _)| head).collect()
    }

    /// Heads and bodies of the requests that reached it, in order; one character a byte.
    pub(crate) fn heard(&self) -> Vec<(String, String)> {
        self.state.heard.lock().expect("no thread panics").clone()
    }

    /// Forgets what it has seen, once that is `number` requests.
    pub(crate) fn forget(&self, number: usize) -> Vec<String> {
        until("the back end to see all requests", || {
            let mut seen = self.state.seen.lock().expect("no thread panics");
            (seen.len() == number).then(|| std::mem::take(&mut *seen))
        })
    }
}

fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
    }
    let head = latin1(&head);
    let request = head.lines().next().unwrap_or_default();
    let (method_and_target, _) = request.rsplit_once(' ').unwrap_or((request, ""));
    let (method, target) = method_and_target.split_once(' ').unwrap_or((method_and_target, ""));
    let mut body = Vec::new();
    reader.by_ref().take(content_length(&head)).read_to_end(&mut body)?;
    state.heard.lock().expect("no thread panics").push((head.clone(), latin1(&body)));
    state.seen.lock().expect("no thread panics").push(method_and_target.to_owned());

    match answer_to(target, state.up.load(Ordering::SeqCst)) {
        Answer::Status(status) => write_answer(stream, method, status),
        Answer::Later => {
            until("the end of the outage", || state.up.load(Ordering::SeqCst).then_some(()));
            write_answer(stream, method, 200)
        }
        Answer::Nothing => Ok(()),
        // Until the other side gives up.
        Answer::Never => std::io::copy(&mut reader, &mut std::io::sink()).map(|_| ()),
    }
}

fn content_length(head: &str) -> u64 {
    let value = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    head.lines().find_map(value).unwrap_or(0)
}

enum Answer {
    Status(u16),
    Later,
    Nothing,
    Never,
}

fn answer_to(target: &str, up: bool) -> Answer {
    let status = |text: &str| {
        text.get(..3).and_then(|digits| digits.parse().ok()).map_or(Answer::Nothing, Answer::Status)
    };
    if let Some(status_or_drop) = target.strip_prefix("/always/") {
        return status(status_or_drop);
    }
    match target.split_once("/s/") {
        _ if up => Answer::Status(200),
        Some((_, rest)) => status(rest),
        None if target.starts_with("/drop") => Answer::Nothing,
        None if target.starts_with("/later") => Answer::Later,
        None if target.starts_with("/slow") => Answer::Never,
        None => Answer::Status(200),
    }
}

fn write_answer(mut stream: &TcpStream, method: &str, status: u16) -> std::io::Result<()> {
    let body = Backend::BODY;
    let shown = if method == "HEAD" { "" } else { body };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} Lab\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{shown}")
}
