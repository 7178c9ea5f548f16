//! One log, followed through everything that is done to logs.
//!
//! The rules, of which each is a row of the table in the [module's documentation](super): a file is read to its end before the next one is begun; one that has
//! been renamed is looked at until nobody writes into it any more; bytes that were read once are read again with every new read, so that a file that is
//! not what it was is noticed; and before the first byte of a file is read, files are looked for that came and were rotated away in between.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logretry_stage::bridge::Break;

use super::files::{Files, Identity, ReadAt as _, Stat};
use super::members;
use super::places::Place;
use super::print::{Fingerprint, Known};
use super::rotated::{self, Opened, Which};
use super::volume::{BLOCK_BYTES, Beginning, Body, Taker, Volume};

mod missed;
mod reading;

/// Where following begins.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// With what is written from now on.
    End,
    /// With the first line of the file that is there.
    Beginning,
    /// With the first line of the oldest rotated file that is there.
    Rotated,
    /// Where it ended: what had become of each file.
    Places(Vec<Place>),
}

/// Follows the log at one path.
pub(crate) struct Tail<S: Files> {
    files: S,
    pub(crate) path: PathBuf,
    line_bytes_max: usize,
    rotate_wait: Duration,
    current: Option<Volume<S::File>>,
    /// Files that are not at the path any more, the oldest first.
    retired: VecDeque<Volume<S::File>>,
    /// What files have been read, or were there before.
    pub(crate) known: Known,
    /// What became of files that were closed since it was last told.
    closed: Vec<(u64, Place)>,
    /// Files without a whole line that have been closed.
    blank: Vec<Identity>,
    volumes: u64,
    /// Whether it has been looked what came before the current file.
    searched: bool,
    /// What was last wrong with the path, so that it is said once.
    trouble: Option<io::ErrorKind>,
    /// The last volume that could not be read.
    failed: u64,
}

/// Renamed files that are kept open; of more, the oldest is closed.
const RETIRED_MAX: usize = 16;
/// Files without a whole line that are remembered.
const BLANK_MAX: usize = 64;

impl<S: Files> Tail<S> {
    pub(crate) fn new(files: S, path: PathBuf, line_bytes_max: usize, rotate_wait: Duration) -> Self {
        Self {
            files,
            path,
            line_bytes_max,
            rotate_wait,
            current: None,
            retired: VecDeque::new(),
            known: Known::default(),
            closed: Vec::new(),
            blank: Vec::new(),
            volumes: 0,
            searched: false,
            trouble: None,
            failed: 0,
        }
    }

    /// Opens what is there. To be called once, before the first look.
    pub(crate) fn begin(&mut self, from: Start, taker: &mut impl Taker) -> io::Result<()> {
        match from {
            Start::Places(places) => self.resume(&places, taker),
            // It is told of only when the rotated files are known, for they are older.
            Start::Rotated => {
                let opened = self.open()?;
                self.current = opened.map(|(body, stat)| self.volume(body, stat));
                Ok(())
            }
            Start::Beginning => {
                self.learn_rotated()?;
                // It is read also if it has been rotated away since.
                let opened = self.open()?;
                self.current = opened.map(|(body, stat)| self.volume(body, stat).known());
                Ok(())
            }
            Start::End => {
                // It is past also if it is rotated away now.
                let opened = self.open()?;
                self.learn_rotated()?;
                self.current = opened.map(|(body, stat)| {
                    let past = match body {
                        Body::Packed(_) if stat.bytes > 0 => u64::MAX,
                        _ => stat.bytes,
                    };
                    self.volume(body, stat).past(past).known()
                });
                Ok(())
            }
        }
    }

    /// Takes the rotated files that are there for read.
    fn learn_rotated(&mut self) -> io::Result<()> {
        let prints = rotated::among(&self.files, &self.path, Which::Dated, |files| {
            files.filter_map(|(_, opened)| opened.fingerprint().ok().flatten()).collect::<Vec<_>>()
        })?;
        self.known.learn(prints.into_iter().rev());
        Ok(())
    }

    /// Reads what is new, and says whether there is more at once. `now` is a time that only goes forward; `block` is room to read into.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<bool, Break> {
        let found = self.files.stat(&self.path);
        // What is there, and still to be opened, may be as it was: whether it opens is what counts.
        if found.is_err() || self.current.is_some() {
            self.tell_of(&found, taker);
        }
        // What is read is known, also under another name.
        if self.read_retired(now, block, taker)? {
            return Ok(true);
        }
        if let (Ok(stat), Some(volume)) = (&found, &self.current)
            && volume.identity != stat.identity
        {
            if volume.read_to == 0 {
                self.find_missed(now, taker);
            }
            if let Some(volume) = &mut self.current {
                volume.grown_at = now;
            }
            self.retire();
        }
        if self.read_retired(now, block, taker)? {
            return Ok(true);
        }
        if self.current.is_none() && found.is_ok() {
            match self.open() {
                Ok(Some((body, stat))) => {
                    self.tell_of(&Ok(stat), taker);
                    let volume = self.volume(body, stat);
                    self.current = Some(volume.continuing(self.retired.iter_mut().rev()));
                }
                // It has gone again since; the next look sees that.
                Ok(None) => {}
                Err(error) => self.tell_of(&Err(error), taker),
            }
        }
        let is_fresh = self.current.as_ref().is_some_and(|volume| volume.read_to == 0);
        let file = self.current.as_ref().and_then(Volume::file);
        let has_come = file.and_then(|file| file.stat().ok()).is_none_or(|stat| stat.bytes > 0);
        if is_fresh && (has_come || !self.searched) && self.find_missed(now, taker) {
            return Ok(true);
        }
        let more = self.read_current(now, block, taker)?;
        self.close_retired(now, block, taker)?;
        Ok(more)
    }

    /// What was at the path is not there any more. Whatever is written into it now was not copied before.
    fn retire(&mut self) {
        self.retired.extend(self.current.take().map(|mut volume| {
            volume.beginning = Beginning::Any;
            // Where to go on must tell of it even if it has not been read yet: what is younger may be known sooner.
            volume.known()
        }));
    }

    /// When something is to be done although nothing happens.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.retired.iter().map(|volume| volume.grown_at + self.rotate_wait).min()
    }

    /// Whether there is nothing at the path, and nothing left of what was.
    pub(crate) fn is_gone(&self) -> bool {
        self.trouble == Some(io::ErrorKind::NotFound) && self.retired.is_empty()
    }

    /// Whether the file at `path`, which begins so, is one that this log has had: its name begins as that of the log, and it is open, or begins as one that has been read.
    pub(crate) fn has_had(&self, path: &Path, identity: Identity, print: Fingerprint) -> bool {
        let mut open = self.retired.iter().chain(&self.current);
        members::may_be_rotated(path, &self.path)
            && (self.known.knows(&print)
                || open.any(|volume| volume.identity == identity || volume.fingerprint == Some(print)))
    }

    /// Which file is read as the one at the path.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.current.as_ref().map(|volume| volume.identity)
    }

    /// How far the open files have been read, by their numbers, and those that were closed since that was last [told](Tail::told): their lines may still be on their way.
    pub(crate) fn open_places(&self) -> Vec<(u64, Place)> {
        let open = self.retired.iter().chain(&self.current);
        let open = open.filter_map(|volume| Some((volume.number, volume.place()?)));
        self.closed.iter().copied().chain(open).collect()
    }

    /// The files that need not be read any more.
    pub(crate) fn read_places(&self) -> Vec<Place> {
        let open = self.open_places();
        let is_open = |print: &Fingerprint| open.iter().any(|(_, place)| place.fingerprint == *print);
        self.known.iter().filter(|print| !is_open(print)).map(|print| Place::read(*print)).collect()
    }

    /// The places have been told.
    pub(crate) fn told(&mut self) {
        self.closed.clear();
    }

    fn open(&self) -> io::Result<Option<(Body<S::File>, Stat)>> {
        match Opened::at(&self.files, &self.path).and_then(|opened| Ok((opened.body()?, opened.stat))) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn volume(&mut self, body: Body<S::File>, stat: Stat) -> Volume<S::File> {
        self.volumes += 1;
        self.searched = false;
        Volume::new(self.volumes, body, stat.identity, self.line_bytes_max)
    }

    /// Says once what is wrong with the path.
    fn tell_of(&mut self, found: &io::Result<Stat>, taker: &mut impl Taker) {
        let trouble = found.as_ref().err().map(io::Error::kind);
        if trouble != self.trouble {
            match (found, self.trouble) {
                (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                    taker.say(format_args!("it is not there; waiting for it"));
                }
                (Err(error), _) => taker.say(format_args!("cannot look at it: {error}; trying again")),
                (Ok(_), _) => {}
            }
            self.trouble = trouble;
        }
    }

    /// Closes the files that nobody writes into any more.
    fn close_retired(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<(), Break> {
        while let Some(place) = (0..self.retired.len()).find(|&place| self.is_over(place, now)) {
            if let Some(mut volume) = self.retired.remove(place) {
                if volume.beginning == Beginning::Doubtful {
                    // It never got a whole line.
                    volume.read_on(now, block, taker)?;
                }
                if self.goes_on_in_a_copy(&mut volume) {
                    volume.grown_at = now;
                    self.retired.insert(place, volume);
                    // The next look reads it, and closes what else is over: were there too many of them, it would be closed unread.
                    break;
                }
                self.close(&mut volume, taker)?;
            }
        }
        Ok(())
    }

    /// Whether nothing more will come in a retired file. As long as the file at the path is empty, or missing, the writer has not moved on.
    fn is_over(&self, place: usize, now: Duration) -> bool {
        let volume = &self.retired[place];
        let has_moved_on =
            self.trouble.is_none() && self.current.as_ref().is_some_and(|volume| volume.read_to > 0);
        volume.is_final()
            || self.retired.len() > RETIRED_MAX
            || (has_moved_on && now >= volume.grown_at + self.rotate_wait)
    }

    fn close(&mut self, volume: &mut Volume<S::File>, taker: &mut impl Taker) -> Result<(), Break> {
        // What it ends with may be taken for a line now, by which nobody would know it again.
        let is_blank = volume.fingerprint.is_none();
        volume.close(taker)?;
        self.known.learn(volume.fingerprint);
        self.closed.extend(volume.place().map(|place| (volume.number, place)));
        if is_blank {
            self.blank.push(volume.identity);
            self.blank.drain(..self.blank.len().saturating_sub(BLANK_MAX));
        }
        Ok(())
    }
}

/// Room to read into.
pub(crate) fn block() -> Vec<u8> {
    vec![0; BLOCK_BYTES]
}
