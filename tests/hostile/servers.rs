//! The server that the operator named, and the one that nobody did.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::lab::{latin1, until};

/// The operator's own: it remembers what it was asked, and can answer with a redirect.
pub(super) struct Shop {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    redirect: Mutex<Option<String>>,
    heard: Mutex<Vec<String>>,
    hosts: Mutex<Vec<String>>,
}

impl Shop {
    pub(super) fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(&stream, &state).ok());
            }
        });
        Self { address, state }
    }

    /// Answers everything with a redirect to `url` from now on.
    pub(super) fn redirect_to(&self, url: &str) {
        *self.state.redirect.lock().expect("no thread panics") = Some(url.to_owned());
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `METHOD TARGET` of all requests, sorted.
    pub(super) fn heard(&self) -> Vec<String> {
        let mut heard = self.state.heard.lock().expect("no thread panics").clone();
        heard.sort();
        heard
    }

    /// The hosts by which it was called, each once.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut hosts = self.state.hosts.lock().expect("no thread panics").clone();
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 {
                return Ok(());
            }
        }
        let head = latin1(&head);
        let request = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        let hosts = head.lines().filter(|line| line.to_ascii_lowercase().starts_with("host:"));
        state.hosts.lock().expect("no thread panics").extend(hosts.map(|line| line[5..].trim().to_owned()));
        state.heard.lock().expect("no thread panics").push(request);
        let answer = match &*state.redirect.lock().expect("no thread panics") {
            None => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
            Some(url) => format!(
                "HTTP/1.1 302 Found\r\nLocation: {url}\r\nRefresh: 0; url={url}\r\nContent-Length: 0\r\n\r\n"
            ),
        };
        let mut writer = stream;
        writer.write_all(answer.as_bytes())?;
    }
}

/// It listens on every address of this machine, and remembers whoever connects.
pub(super) struct Witness {
    address: SocketAddr,
    /// The ports that connections came from.
    heard: Arc<Mutex<Vec<u16>>>,
}

impl Witness {
    pub(super) fn open() -> Self {
        // With IPv6 both families, where the machine has it.
        let listener = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0"));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("it has an address").port();
        let heard = Arc::<Mutex<Vec<u16>>>::default();
        let diary = Arc::clone(&heard);
        thread::spawn(move || {
            while let Ok((_, peer)) = listener.accept() {
                diary.lock().expect("no thread panics").push(peer.port());
            }
        });
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), heard }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has had. Connections are taken in their order, so when it has heard one of our own, it has heard all before.
    pub(super) fn heard(&self) -> usize {
        let own = TcpStream::connect(self.address).expect("it listens");
        let own = own.local_addr().expect("it has an address").port();
        until("the witness to hear us", || {
            let mut heard = self.heard.lock().expect("no thread panics");
            let place = heard.iter().position(|&port| port == own)?;
            heard.remove(place);
            Some(heard.len())
        })
    }
}
