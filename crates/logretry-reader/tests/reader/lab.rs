use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use logretry_format::Format;
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::Record;
use logretry_stage::{Accounts, Context, Notes, Rejects, Source as _};

/// What came of reading a log.
pub(crate) struct Read {
    pub(crate) records: Vec<Record>,
    pub(crate) accounts: Accounts,
    /// Sentences for the person who watches, except those about rejects.
    pub(crate) notes: Vec<String>,
    /// Number, reason and text of each rejected line.
    pub(crate) rejects: Vec<(u64, String, String)>,
    pub(crate) fatal: Option<String>,
}

impl Read {
    pub(crate) fn ids(&self) -> Vec<String> {
        self.records.iter().map(|record| record.id().to_string()).collect()
    }

    pub(crate) fn targets(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.original().target.as_deref().unwrap_or("-")).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.records.iter().map(|record| record.origin().text.to_string()).collect()
    }

    /// Number and offset of each record.
    pub(crate) fn places(&self) -> Vec<(u64, u64)> {
        self.records.iter().map(|record| (record.origin().line, record.origin().offset)).collect()
    }

    pub(crate) fn failed(&self) -> usize {
        let status = |record: &Record| record.original().status;
        self.records.iter().filter(|record| matches!(status(record), Some(500..=599))).count()
    }

    /// Records, rejected and screened.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.accounts.records, self.accounts.rejected, self.accounts.screened)
    }
}

pub(crate) fn options(formats: &[&str]) -> ReaderOptions {
    let formats = formats.iter().map(|spec| Format::compile(spec).expect("a format")).collect();
    ReaderOptions { formats, ..ReaderOptions::default() }
}

/// Reads a log of these bytes, called `access.log`.
pub(crate) fn read(bytes: impl AsRef<[u8]>, options: ReaderOptions) -> Read {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("access.log");
    fs::write(&path, bytes).expect("a file");
    read_file(&path, options)
}

pub(crate) fn read_file(path: &Path, options: ReaderOptions) -> Read {
    read_files(&[path], options)
}

/// Reads several logs, one after the other.
pub(crate) fn read_files(paths: &[&Path], options: ReaderOptions) -> Read {
    read_files_after(paths, options, || ())
}

/// The same, where something happens between naming the logs and reading them.
pub(crate) fn read_files_after(paths: &[&Path], options: ReaderOptions, happens: impl FnOnce()) -> Read {
    let dir = tempfile::tempdir().expect("a directory");
    let rejects = dir.path().join("rejects.ndjson");
    let (notes, said) = notes(paths);
    let cx = Context::new(Rejects::to_file(&rejects).expect("a file"), notes);
    let reader = Reader::new(inputs(paths).expect("the logs"), options);
    happens();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let items: Vec<_> = runtime.block_on(reader.open(&cx).collect());
    cx.flush_rejects().expect("the rejects are written");
    let mut fatal = None;
    let mut records = Vec::new();
    for item in items {
        match item {
            Ok(record) => records.push(record),
            Err(error) => fatal = Some(error.to_string()),
        }
    }
    let accounts = cx.tally().accounts();
    assert_eq!(accounts.check(), Ok(()));
    assert_eq!(accounts.records, records.len() as u64);
    let rejects: Vec<_> = fs::read_to_string(rejects).expect("the rejects").lines().map(reject).collect();
    assert_eq!(accounts.rejected, rejects.len() as u64);
    let notes = said.lock().expect("no panic").clone();
    Read { records, accounts, notes, rejects, fatal }
}

fn notes(paths: &[&Path]) -> (Notes, Arc<Mutex<Vec<String>>>) {
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let listener = Arc::clone(&said);
    let name = |path: &Path| path.file_name().and_then(OsStr::to_str).expect("a name").to_owned();
    let names: Vec<_> = paths.iter().map(|path| (path.display().to_string(), name(path))).collect();
    let notes = Notes::to(move |sentence| {
        let sentence =
            names.iter().fold(sentence.to_string(), |text, (place, name)| text.replace(place, name));
        if !sentence.contains("cannot use the line") && !sentence.contains("cannot be used") {
            listener.lock().expect("no panic").push(sentence);
        }
    });
    (notes, said)
}

fn reject(line: &str) -> (u64, String, String) {
    let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    (json["line"].as_u64().expect("a number"), text("reason"), text("text"))
}

/// A file or folder of the corpora, if they are there.
pub(crate) fn corpus(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("LOGRETRY_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"), PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
    {
        eprintln!("skipped: {} absent; set LOGRETRY_CORPORA", path.display());
    }
    None
}

/// A line of nginx, without its end.
pub(crate) fn line(target: &str, status: u16) -> String {
    format!(
        r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET {target} HTTP/1.1" {status} 157 "-" "curl/8.9""#
    )
}

/// The same in docker's JSON; `text` is escaped as docker does it, and needs its line end, if it has one.
pub(crate) fn docker(text: &str) -> String {
    let text = serde_json::to_string(text).expect("a string");
    let text = text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    format!("{{\"log\":{text},\"stream\":\"stdout\",\"time\":\"2026-11-22T06:41:41.000000001Z\"}}\n")
}

pub(crate) fn cri(stream: &str, tag: char, text: &str) -> String {
    format!("2026-11-22T06:41:41.000000001Z {stream} {tag} {text}\n")
}
