use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::open_own;

/// Asks whoever writes a [`LineFile`] to open it anew. Cloning it gives another handle to the same.
#[derive(Debug, Clone, Default)]
pub struct Reopen(Arc<AtomicU64>);

impl Reopen {
    /// Files are opened anew before their next line.
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// How often it was asked for: a number that changes says that it was.
    pub fn asked(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A file to which lines are appended, and which may be renamed meanwhile: when it is [asked](Reopen::ask) for, the line that is being written is ended in the
/// old file, and the next one goes to the file that then has the name. So it does, unasked, when the old file is [removed](is_removed).
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    file: File,
    reopen: Reopen,
    seen: u64,
    /// What an empty file begins with.
    head: Vec<u8>,
    is_in_line: bool,
    /// Whether nobody else may write to it.
    is_locked: bool,
    /// Whether what is in it goes before the first line comes.
    is_to_be_emptied: bool,
}

impl LineFile {
    /// `file`, which has just been opened at `path`.
    pub fn new(path: &Path, file: File, reopen: &Reopen) -> Self {
        let (reopen, seen) = (reopen.clone(), reopen.asked());
        Self {
            path: path.to_owned(),
            file,
            reopen,
            seen,
            head: Vec::new(),
            is_in_line: false,
            is_locked: false,
            is_to_be_emptied: false,
        }
    }

    /// The same, where a file that is empty before a line begins with `head`: a new one, or one whose lines were copied and cut off (logrotate's `copytruncate`).
    #[must_use]
    pub fn beginning_with(mut self, head: Vec<u8>) -> Self {
        self.head = head;
        self
    }

    /// The same, where each file is [locked](lock) as long as it is written to. The first one is already.
    #[must_use]
    pub(crate) fn locked(mut self) -> Self {
        self.is_locked = true;
        self
    }

    /// The same, which is emptied before its first line, or when it is [begun](Self::begin).
    #[must_use]
    pub(crate) fn replacing(mut self) -> Self {
        self.is_to_be_emptied = true;
        self
    }

    /// Takes away what an earlier run has left in it, if that is still there.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if self.is_to_be_emptied { self.find_place() } else { Ok(()) }
    }

    /// Makes sure that the next line goes where it belongs.
    fn find_place(&mut self) -> io::Result<()> {
        let asked = self.reopen.asked();
        if asked != self.seen || is_removed(&self.file)? {
            self.open_anew()?;
            self.seen = asked;
        }
        if self.is_to_be_emptied {
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            self.is_to_be_emptied = false;
        }
        Ok(())
    }

    fn open_anew(&mut self) -> io::Result<()> {
        let file = open(&self.path)?;
        if self.is_locked {
            // It may be the same file still.
            self.file.unlock()?;
            lock(&file)?;
        }
        self.file = file;
        Ok(())
    }
}

/// Keeps other programs from writing to `file` as long as it is open, as far as they ask. What is no regular file takes the lines of all. Where there are no locks, nobody has one.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(io::Error::other("another program is writing it; give each a file of its own"));
    }
    Ok(())
}

/// Begins `file` with `head` if nothing is in it, any more (`copytruncate`) or yet, and `bytes`, which come next, do not begin it themselves. A pipe or a terminal has no beginning.
pub fn begin_file(mut file: &File, head: &[u8], bytes: &[u8]) -> io::Result<()> {
    if head.is_empty() || bytes.starts_with(head) {
        return Ok(());
    }
    let is_empty = || file.metadata().map(|metadata| metadata.is_file() && metadata.len() == 0);
    if !is_empty()? {
        return Ok(());
    }
    // Others may begin it at this moment. It is held for no longer than that, and by a lock that nobody else takes (`flock retry.csv lr-write …` takes another one); where there are no locks, nobody
    // has one. It is asked for again if a signal comes.
    while rustix::fs::fcntl_lock(file, FlockOperation::LockExclusive) == Err(Errno::INTR) {}
    let end = is_empty().and_then(|is_empty| if is_empty { file.write_all(head) } else { Ok(()) });
    let _ = rustix::fs::fcntl_lock(file, FlockOperation::Unlock);
    end
}

/// Whether the last name of `file` has been taken away, so that nobody would find what is written to it.
pub fn is_removed(file: &File) -> io::Result<bool> {
    file.metadata().map(|metadata| metadata.is_file() && metadata.nlink() == 0)
}

fn open(path: &Path) -> io::Result<File> {
    open_own(OpenOptions::new().append(true).create(true), path)
}

impl Write for LineFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_in_line {
            self.find_place()?;
            begin_file(&self.file, &self.head, bytes)?;
        }
        let asked = self.reopen.asked();
        // A line must not end in another file than it began in.
        let bytes = match memchr::memchr(b'\n', bytes) {
            Some(end) if asked != self.seen => &bytes[..=end],
            _ => bytes,
        };
        let written = self.file.write(bytes)?;
        self.is_in_line = written > 0 && bytes[written - 1] != b'\n' || (written == 0 && self.is_in_line);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_opens_a_locked_file_anew_locks_that_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, old) = (dir.path().join("rejects"), dir.path().join("rejects.1"));
        let reopen = Reopen::default();
        let mut file = opened(&path, &reopen).locked();
        lock(&file.file).expect("it is nobody's");
        for _ in 0..2 {
            reopen.ask();
            file.write_all(b"a\n").expect("it is the same file");
        }
        std::fs::rename(&path, &old).expect("a rename");
        reopen.ask();
        file.write_all(b"b\n").expect("a new file");
        lock(&open(&old).expect("a file")).expect("nobody writes it any more");
        let told = lock(&open(&path).expect("a file")).expect_err("it is being written");
        assert!(told.to_string().starts_with("another program is writing it"));
    }

    fn opened(path: &Path, reopen: &Reopen) -> LineFile {
        LineFile::new(path, open(path).expect("a file"), reopen)
    }

    #[test]
    fn a_line_is_ended_where_it_was_begun_and_the_next_goes_to_the_new_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, old) = (dir.path().join("retry.log"), dir.path().join("retry.log.1"));
        let reopen = Reopen::default();
        let mut file = opened(&path, &reopen).beginning_with(b"head\n".to_vec());
        file.write_all(b"one\ntw").expect("a line");
        std::fs::rename(&path, &old).expect("a file");
        reopen.ask();
        file.write_all(b"o\nthree\n").expect("lines");
        file.write_all(b"four\n").expect("a line");
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
        assert_eq!((read(&old).as_str(), read(&path).as_str()), ("head\none\ntwo\n", "head\nthree\nfour\n"));
        reopen.ask();
        file.write_all(b"five\n").expect("a line");
        assert_eq!(read(&path), "head\nthree\nfour\nfive\n");
    }

    #[test]
    fn what_comes_after_a_file_was_removed_goes_to_a_new_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("retry.log");
        let mut file = opened(&path, &Reopen::default());
        file.write_all(b"one\ntw").expect("lines");
        std::fs::remove_file(&path).expect("a file");
        file.write_all(b"o\n").expect("the line ends where it was begun");
        assert!(!path.exists());
        file.write_all(b"three\n").expect("a line");
        file.write_all(b"four\n").expect("a line");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "three\nfour\n");
    }

    #[test]
    fn a_file_that_was_cut_off_begins_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("retry.log");
        let file = opened(&path, &Reopen::default());
        let mut file = file.beginning_with(b"head\n".to_vec());
        file.write_all(b"head\none\n").expect("lines");
        File::options().write(true).open(&path).and_then(|file| file.set_len(0)).expect("a cut");
        file.write_all(b"two\n").expect("a line");
        file.write_all(b"three\n").expect("a line");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), "head\ntwo\nthree\n");
    }
}
