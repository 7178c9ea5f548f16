use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;

use super::install::INSTALL;
use super::{latin1, until};

/// A web server that runs in one process, with a folder and an address of its own, until it is dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts `program` with the configuration that `configure` makes of its folder and address; `arguments` come before the
    /// configuration's name.
    pub(super) fn start(
        program: &str,
        arguments: &[&str],
        configure: impl FnOnce(&Path, SocketAddr) -> String,
    ) -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let address = address_of_its_own();
        let configuration = folder.path().join("server.conf");
        fs::write(&configuration, configure(folder.path(), address)).expect("the folder can be written");
        let output = fs::File::create(folder.path().join("output")).expect("the folder can be written");
        let process = Command::new(program)
            .args(arguments)
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program} ({error}); {INSTALL}"));
        let mut server = Self { process, address, folder };
        server.wait_until_it_listens();
        server
    }

    fn wait_until_it_listens(&mut self) {
        until("the server to listen", || {
            if let Ok(Some(status)) = self.process.try_wait() {
                panic!("the server ended ({status}): {}", self.complaints());
            }
            TcpStream::connect(self.address).ok()
        });
    }

    fn complaints(&self) -> String {
        ["output", "error.log"]
            .iter()
            .filter_map(|name| fs::read_to_string(self.folder.path().join(name)).ok())
            .collect()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it the signal `name` (`USR1`).
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot signal process {id}");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its access log.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// The lines of its access log, as soon as there are `number` of them (a server writes its line after its answer).
    pub(crate) fn logged(&self, number: usize) -> Vec<String> {
        until("the access log", || {
            let text = latin1(&fs::read(self.log()).unwrap_or_default());
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            (text.ends_with('\n') && lines.len() >= number).then_some(lines)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is one process, so killing it stops all of it.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A loopback address that no other test has: Linux answers on all of 127.0.0.0/8. It is made of the process id and a
/// counter, so the time between finding the port free and the server taking it is nobody else's chance.
fn address_of_its_own() -> SocketAddr {
    static COUNTER: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, high, low, COUNTER.fetch_add(1, Ordering::Relaxed));
    let listener = TcpListener::bind((ip, 0)).expect("a free loopback port");
    listener.local_addr().expect("it has an address")
}
