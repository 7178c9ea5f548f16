use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use logretry_ledger::{Durability, Ledger, LedgerError, Projection};
use logretry_record::{Outcome, Reason, RecordId, Retry};
use tempfile::TempDir;

/// A folder with a ledger in it.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        // Memory, where there is such a folder: what is asked here is what stands in the files, and not how long a disk takes.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self(folder.expect("a scratch folder"))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.open(Durability::Grouped).expect("a ledger")
    }

    pub(crate) fn open(&self, durability: Durability) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.path(), "http://shop.example", durability)
    }

    /// What a machine that loses power now would find: the files as they are, without the process that writes them.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self::new();
        for suffix in ["", "-wal"] {
            let from = with_suffix(&self.path(), suffix);
            if from.exists() {
                fs::copy(from, with_suffix(&copy.path(), suffix)).expect("a copy");
            }
        }
        copy
    }

    pub(crate) fn wal(&self) -> PathBuf {
        with_suffix(&self.path(), "-wal")
    }

    /// Where those who have the ledger open share memory.
    pub(crate) fn shm(&self) -> PathBuf {
        with_suffix(&self.path(), "-shm")
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Ends well.
pub(crate) fn close(ledger: Ledger) {
    ledger.close().wait().expect("all is on the disk");
    drop(ledger);
}

/// So many, or with `LOGRETRY_THOROUGH` in the environment, all that there are.
pub(crate) fn at_most(quick: usize) -> usize {
    if std::env::var_os("LOGRETRY_THOROUGH").is_some() { usize::MAX } else { quick }
}

pub(crate) fn id(number: u64) -> RecordId {
    RecordId::of_line(b"a line", number)
}

/// A request that was answered with `status`.
pub(crate) fn ended(method: &str, status: u16) -> Retry {
    Retry {
        method: Some(method.to_owned()),
        url: Some("http://shop.example/a".to_owned()),
        attempts: 1,
        outcome: Outcome::of_status(status),
        status: Some(status),
        reason: None,
        ..Retry::not_sent(Timestamp::from_second(1_800_000_000).expect("a time"), Reason::Stopped)
    }
}

pub(crate) fn line(number: u64) -> Vec<u8> {
    format!("line {number}\n").into_bytes()
}

/// A retry log in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) text: Vec<u8>,
    pub(crate) resumed: Vec<Vec<u8>>,
    pub(crate) mark: Option<String>,
    pub(crate) is_full: bool,
    pub(crate) reopened: u32,
}

impl Paper {
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut Written) -> T) -> T {
        look(&mut self.0.lock().expect("no panic"))
    }

    pub(crate) fn text(&self) -> String {
        self.look(|written| String::from_utf8(written.text.clone()).expect("text"))
    }

    pub(crate) fn boxed(&self) -> Box<dyn Projection> {
        Box::new(self.clone())
    }
}

impl Projection for Paper {
    fn name(&self) -> String {
        "the retry log `paper`".to_owned()
    }

    fn resume(&mut self, mark: Option<&str>, lines: Vec<Vec<u8>>) -> std::io::Result<()> {
        self.look(|written| {
            if written.is_full {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            written.mark = mark.map(str::to_owned);
            written.text.extend(lines.concat());
            written.resumed = lines;
            Ok(())
        })
    }

    fn append(&mut self, lines: &[u8], _: u64) -> std::io::Result<()> {
        self.look(|written| {
            if written.is_full {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            written.text.extend_from_slice(lines);
            Ok(())
        })
    }

    fn sync(&mut self) -> std::io::Result<Option<String>> {
        Ok(Some(self.look(|written| written.text.len().to_string())))
    }

    fn reopen(&mut self) -> std::io::Result<()> {
        self.look(|written| written.reopened += 1);
        Ok(())
    }
}
