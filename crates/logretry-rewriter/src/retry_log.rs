//! The retry log as a *projection*: its lines stand somewhere else for good (a ledger), and here is where they are copied to.
//!
//! So whatever a crash has done to the end of the file can be mended by comparing it with the lines that belong there. Nothing in it is ever cut
//! off or written anew: it is the user's file, and other programs may write into it too.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use logretry_stage::{begin_file, hand_over, is_removed};

use crate::LogFileError;
use crate::log_file::{appending, end_the_last_line};
use crate::log_mark::LogMark;

/// A retry log whose end is kept account of.
#[derive(Debug)]
pub struct RetryLog {
    path: PathBuf,
    file: File,
}

/// What was found, and done, at the end of a retry log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Completed {
    /// Lines that were there.
    pub found: usize,
    /// Lines that were appended, whole or in part.
    pub appended: usize,
    /// Whether the last of those that were there had been torn.
    pub was_torn: bool,
    /// Bytes that are not from here: of another program, or of a disk that lost what it had.
    pub foreign_bytes: u64,
}

impl RetryLog {
    /// Opens the retry log at `path`; see [`open_log`](crate::open_log). Changes nothing in it.
    pub fn open(path: &Path) -> Result<Self, LogFileError> {
        let file = appending(path).map_err(|error| LogFileError { path: path.to_owned(), error })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the log hold each of `lines` once (they end in a line end). They belong after `mark`, which may have been rotated away with them; without one, nothing of the file is theirs.
    ///
    /// A torn line of theirs is completed, a torn line of somebody else is ended, and what is missing is appended.
    pub fn complete(&mut self, mark: Option<LogMark>, lines: &[Vec<u8>]) -> io::Result<Completed> {
        let metadata = self.file.metadata()?;
        if !metadata.is_file() {
            self.append(&lines.concat())?;
            return Ok(Completed { appended: lines.len(), ..Completed::default() });
        }
        let len = metadata.len();
        let mut missing = Missing::new(lines);
        let mut done = Completed::default();
        let (from, is_here) = match mark {
            None => (len, false),
            Some(mark) if mark.stands_in(&self.file)? => (mark.bytes, true),
            Some(mark) => {
                // Its lines were rotated away since. What this file holds of them is looked for in all of it, for it may have been made anew before the end.
                if let Some(old) = mark.rotated(&self.path) {
                    read_tail(&File::open(old)?, mark.bytes, &mut missing, &mut done)?;
                    done.foreign_bytes = 0;
                }
                (0, false)
            }
        };
        // Not what is at the path now: logrotate may have come since the file was opened that is appended to.
        let torn = read_tail(&self.file, from, &mut missing, &mut done)?;
        // In what was moved away, they have been looked for already: a second time, a line that is there once would count for two equal ones.
        let mark_of_missing = mark.filter(|_| is_here && missing.rest().next().is_some());
        if let Some(copy) = mark_of_missing.and_then(|mark| mark.copied(&self.path)) {
            let foreign_bytes = done.foreign_bytes;
            read_tail(&File::open(copy)?, 0, &mut missing, &mut done)?;
            done.foreign_bytes = foreign_bytes;
        }
        let rest = missing.complete(&torn);
        if let Some(rest) = rest {
            done.was_torn = true;
            done.appended += 1;
            self.append(rest)?;
        } else {
            done.foreign_bytes += torn.len() as u64;
            end_the_last_line(&mut self.file, len)?;
        }
        let rest: Vec<&[u8]> = missing.rest().collect();
        done.appended += rest.len();
        self.append(&rest.concat())?;
        if mark.is_some() && from == 0 {
            // Most of it is what was there before.
            done.foreign_bytes = 0;
        }
        Ok(done)
    }

    /// Begins it with `head` if nothing is in it, and `lines`, which come next, do not begin it themselves; see [`begin_file`].
    pub fn begin(&mut self, head: &[u8], lines: &[u8]) -> io::Result<()> {
        begin_file(&self.file, head, lines)
    }

    /// Appends whole lines.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)
    }

    /// The same for so many of them, and how many are in the file then: where that fails, fewer.
    pub fn append_counted(&mut self, lines: &[u8], number: u64) -> (u64, io::Result<()>) {
        hand_over(lines, number, &mut self.file)
    }

    /// Makes durable what is in the log, and says how far it is; none if it is a pipe or a terminal, where there is no such thing.
    pub fn sync(&mut self) -> io::Result<Option<LogMark>> {
        let metadata = self.file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        self.file.sync_data()?;
        // Where the last line ends that was appended here; other programs may have appended since.
        let position = self.file.stream_position()?;
        let bytes = if position == 0 { metadata.len() } else { position };
        LogMark::behind(&self.file, &metadata, bytes).map(Some)
    }

    /// Whether its file was removed, so that nobody would find what is appended to it.
    pub fn is_removed(&self) -> io::Result<bool> {
        is_removed(&self.file)
    }

    /// Goes on in a new file, if the one that it had was moved away (`logrotate`).
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file = appending(&self.path)?;
        Ok(())
    }
}

/// Takes from `missing` the whole lines of `file` after `from`, and returns the beginning of a line after them.
fn read_tail(file: &File, from: u64, missing: &mut Missing<'_>, done: &mut Completed) -> io::Result<Vec<u8>> {
    let mut tail = BufReader::new(file);
    tail.seek(SeekFrom::Start(from))?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if tail.read_until(b'\n', &mut line)? == 0 || !line.ends_with(b"\n") {
            return Ok(line);
        }
        if missing.take(&line) {
            done.found += 1;
        } else {
            done.foreign_bytes += line.len() as u64;
        }
    }
}

/// Lines of which it is not known whether they are in the log.
struct Missing<'a> {
    lines: Vec<&'a [u8]>,
    /// Which of them is missing.
    wanted: Vec<bool>,
    /// The places of equal lines, the first one last.
    places: HashMap<&'a [u8], Vec<usize>>,
}

impl<'a> Missing<'a> {
    fn new(lines: &'a [Vec<u8>]) -> Self {
        // A record of another program may hold a line end where it should not; in the file these are two lines.
        let lines: Vec<&[u8]> =
            lines.iter().flat_map(|line| line.split_inclusive(|byte| *byte == b'\n')).collect();
        let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (place, line) in lines.iter().enumerate().rev() {
            places.entry(line).or_default().push(place);
        }
        Self { wanted: vec![true; lines.len()], lines, places }
    }

    /// Whether `line` was missing; it is not any more.
    fn take(&mut self, line: &[u8]) -> bool {
        let place = self.places.get_mut(line).and_then(Vec::pop);
        if let Some(place) = place {
            self.wanted[place] = false;
        }
        place.is_some()
    }

    /// The rest of the first missing line that begins with `torn`.
    fn complete(&mut self, torn: &[u8]) -> Option<&'a [u8]> {
        let fits = |place: &usize| self.wanted[*place] && self.lines[*place].starts_with(torn);
        let place = (0..self.lines.len()).find(fits).filter(|_| !torn.is_empty())?;
        self.wanted[place] = false;
        Some(&self.lines[place][torn.len()..])
    }

    fn rest(&self) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().zip(&self.wanted).filter(|(_, missing)| **missing).map(|(line, _)| *line)
    }
}

#[cfg(test)]
mod tests;
