use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::oracle::Oracle;
use crate::trace;

/// A log of failed requests, a tenth of them POST, and the command that sends them again.
pub(crate) struct Job {
    folder: TempDir,
    requests: u32,
    concurrency: u32,
    arguments: Vec<&'static str>,
}

/// Requests under way at most, if a test does not say otherwise.
const CONCURRENCY: u32 = 16;

impl Job {
    /// A job of so many requests, each with a URL of its own.
    pub(crate) fn of(requests: u32) -> Self {
        let folder = TempDir::new().expect("a scratch folder");
        let (mut log, mut bodies) = (String::new(), String::new());
        for n in 0..requests {
            let (method, time) = (method(n), n % 60);
            writeln!(
                log,
                r#"{{"time":"2026-11-22T06:22:{time:02}Z","request_id":"r{n}","method":"{method}","uri":"/{n}","status":503}}"#
            )
            .expect("a text takes everything");
            if method == "POST" {
                writeln!(bodies, r#"{{"request_id":"r{n}","body":"order {n}"}}"#)
                    .expect("a text takes everything");
            }
        }
        fs::write(folder.path().join("access.log"), log).expect("the folder can be written");
        fs::write(folder.path().join("bodies.ndjson"), bodies).expect("the folder can be written");
        Self { folder, requests, concurrency: CONCURRENCY, arguments: Vec::new() }
    }

    /// The same job with more arguments.
    pub(crate) fn with(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend(arguments);
        self
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests
    }

    pub(crate) fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// The path of a file of the job.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, to be run by `before` (`strace …`) if that is not empty.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, oracle: &Oracle, before: &[A]) -> Command {
        let logretry = OsStr::new(env!("CARGO_BIN_EXE_logretry"));
        let mut words = before.iter().map(AsRef::as_ref).chain([logretry]);
        let mut command = Command::new(words.next().expect("there is a program"));
        command
            .args(words)
            .args(["run", "access.log", "--output", "retry.log", "--bodies", "bodies.ndjson"])
            .args(["--methods", "GET,POST", "--yes", "--pace", "fixed", "--base-url", &oracle.url()])
            .args(["--concurrency", &self.concurrency.to_string()])
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, oracle: &Oracle) -> Child {
        self.command::<&str>(oracle, &[]).spawn().expect("logretry can be run")
    }

    /// Runs the command to its end, which must be one that it comes to by itself.
    pub(crate) fn finish(&self, oracle: &Oracle) -> Output {
        let output = self.command::<&str>(oracle, &[]).output().expect("logretry can be run");
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs `logretry` with these arguments in the folder of the job.
    pub(crate) fn logretry(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logretry"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.output().expect("logretry can be run")
    }

    /// The record id of each request.
    pub(crate) fn ids(&self) -> BTreeMap<u32, [u8; 16]> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lr-read"));
        let output = command.arg("access.log").current_dir(self.folder.path()).output();
        let text = String::from_utf8(output.expect("lr-read can be run").stdout).expect("it is text");
        let ids = text.lines().map(|line| {
            let record: Value = serde_json::from_str(line).expect("it is NDJSON");
            let n = record["original"]["target"].as_str().and_then(|target| target[1..].parse().ok());
            let id = record["id"].as_str().and_then(|id| trace::id(id.as_bytes()));
            (n.expect("it is one of ours"), id.expect("it has an id"))
        });
        ids.collect()
    }

    /// How many lines of the retry log each request has. Lines that a power cut has left holes in, and nothing else that is broken, are passed over.
    pub(crate) fn lines(&self) -> BTreeMap<u32, u32> {
        lines_of(&self.path("retry.log"))
    }
}

fn lines_of(retry_log: &Path) -> BTreeMap<u32, u32> {
    let text = fs::read_to_string(retry_log).unwrap_or_default();
    let mut lines = BTreeMap::new();
    for line in text.lines().filter(|line| !line.contains('\0')) {
        let line: Value = serde_json::from_str(line).expect("each line of the retry log is whole");
        let uri = line["uri"].as_str().expect("it has a URL");
        let n = uri.strip_prefix('/').and_then(|uri| uri.strip_suffix("?retry=True"));
        *lines.entry(n.and_then(|n| n.parse().ok()).expect("it is one of ours, marked")).or_default() += 1;
    }
    lines
}

/// A record id as it is written: 32 hexadecimal digits.
pub(crate) fn digits(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

/// The method of the request `n`.
pub(crate) fn method(n: u32) -> &'static str {
    if n % 10 == 9 { "POST" } else { "GET" }
}
