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

use super::files::{Files, ReadAt as _, Stat};
use super::places::Place;
use super::print::{Fingerprint, Known};
use super::rotated::{self, Sequence};
use super::volume::{BLOCK_BYTES, Body, Seen, Taker, Volume};

/// Where following begins.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// With what is written from now on.
    End,
    /// With the first line that is there.
    Beginning,
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
    /// Files without a line that have been closed.
    blank: Vec<(u64, u64)>,
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
/// Files without a line that are remembered.
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
            Start::End | Start::Beginning => {
                for path in rotated::rotated(&self.files, &self.path)? {
                    self.known
                        .learn(rotated::fingerprint(&self.files, &path).ok().and_then(|(print, _)| print));
                }
                let Some((body, stat)) = self.open()? else { return Ok(()) };
                let past = if matches!(from, Start::End) { stat.bytes } else { 0 };
                let is_packed = matches!(body, Body::Packed(_));
                let past = if is_packed && past > 0 { u64::MAX } else { past };
                self.current = Some(self.volume(body, stat).past(past));
                Ok(())
            }
        }
    }

    /// Reads what is new, and says whether there is more at once. `now` is a time that only goes forward; `block` is room to read into.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<bool, Break> {
        let found = self.files.stat(&self.path);
        self.tell_of(&found, taker);
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
            self.retired.extend(self.current.take().map(|mut volume| {
                volume.grown_at = now;
                volume
            }));
        }
        if self.read_retired(now, block, taker)? {
            return Ok(true);
        }
        if self.current.is_none() && found.is_ok() {
            // It may have gone again since; then the next look sees that.
            self.current = match self.open() {
                Ok(opened) => opened.map(|(body, stat)| self.volume(body, stat)),
                Err(error) => {
                    self.tell_of(&Err(error), taker);
                    None
                }
            };
        }
        let is_fresh = self.current.as_ref().is_some_and(|volume| volume.read_to == 0);
        let file = self.current.as_ref().and_then(Volume::file);
        let has_come = file.and_then(|file| file.stat().ok()).is_none_or(|stat| stat.bytes > 0);
        if is_fresh && (has_come || !self.searched) && self.find_missed(now, taker) {
            return Ok(true);
        }
        let more = self.read_current(now, block, taker)?;
        self.close_retired(now, taker)?;
        Ok(more)
    }

    /// When something is to be done although nothing happens.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.retired.iter().map(|volume| volume.grown_at + self.rotate_wait).min()
    }

    /// Whether there is nothing at the path, and nothing left of what was.
    pub(crate) fn is_gone(&self) -> bool {
        self.trouble == Some(io::ErrorKind::NotFound) && self.retired.is_empty()
    }

    /// How far the open files have been read, by their numbers.
    pub(crate) fn open_places(&self) -> Vec<(u64, Place)> {
        let open = self.retired.iter().chain(&self.current);
        open.filter_map(|volume| Some((volume.number, volume.place()?))).collect()
    }

    /// The files that need not be read any more.
    pub(crate) fn read_places(&self) -> Vec<Place> {
        let open = self.retired.iter().chain(&self.current);
        let is_open = |print: &Fingerprint| open.clone().any(|volume| volume.fingerprint == Some(*print));
        self.known.iter().filter(|print| !is_open(print)).map(|print| Place::read(*print)).collect()
    }

    fn open(&self) -> io::Result<Option<(Body<S::File>, Stat)>> {
        match rotated::open(&self.files, &self.path) {
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

    /// Reads on in the files that are not at the path any more, one after the other; says whether there is more at once.
    fn read_retired(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<bool, Break> {
        let mut place = 0;
        while let Some(volume) = self.retired.get_mut(place) {
            let seen = volume.read_on(now, block, taker)?;
            tell_of_hole(volume, taker);
            match seen {
                Seen::More => return Ok(true),
                Seen::Still | Seen::Grown => place += 1,
                Seen::Cut => {
                    let Some(volume) = self.retired.remove(place) else { continue };
                    let volumes = self.begin_anew(volume, now, taker)?;
                    for volume in volumes.into_iter().flatten().rev() {
                        self.retired.insert(place, volume);
                    }
                    self.find_missed(now, taker);
                }
                Seen::Failed(error) => {
                    let line = volume.lines();
                    taker.say(format_args!(
                        "a file that was rotated away cannot be read beyond line {line}: {error}"
                    ));
                    if let Some(mut volume) = self.retired.remove(place) {
                        volume.ends_whole = false;
                        self.close(&mut volume, taker)?;
                    }
                }
            }
        }
        Ok(false)
    }

    fn read_current(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<bool, Break> {
        let Some(volume) = &mut self.current else { return Ok(false) };
        let seen = volume.read_on(now, block, taker)?;
        tell_of_hole(volume, taker);
        match seen {
            Seen::Still | Seen::Grown => Ok(false),
            Seen::More => Ok(true),
            Seen::Cut => {
                if let Some(volume) = self.current.take() {
                    let [rest, anew] = self.begin_anew(volume, now, taker)?;
                    self.retired.extend(rest);
                    self.current = anew;
                }
                Ok(true)
            }
            Seen::Failed(error) => {
                // A network file system may want the file opened anew (ESTALE).
                if volume.file().is_some()
                    && let Ok(file) = self.files.open(&self.path)
                    && file.stat().is_ok_and(|stat| stat.identity == volume.identity)
                {
                    volume.reopened(file);
                }
                if self.failed != volume.number {
                    self.failed = volume.number;
                    taker.say(format_args!(
                        "cannot read beyond line {}: {error}; trying again",
                        volume.lines()
                    ));
                }
                Ok(false)
            }
        }
    }

    /// The file has been truncated. What had not been read of it is in the copy that was made before, if there is one; then the file is
    /// read from its beginning.
    fn begin_anew(
        &mut self,
        mut volume: Volume<S::File>,
        now: Duration,
        taker: &mut impl Taker,
    ) -> Result<[Option<Volume<S::File>>; 2], Break> {
        let file = volume.file().cloned();
        let stat = Stat { identity: volume.identity, bytes: 0 };
        let anew = file.map(|file| {
            let mut anew = self.volume(Body::Plain(file), stat);
            anew.grown_at = now;
            anew
        });
        self.known.learn(volume.fingerprint);
        volume.grown_at = now;
        if self.copy_of(&volume).is_some_and(|path| self.continue_in(&mut volume, &path).is_ok()) {
            return Ok([Some(volume), anew]);
        }
        taker.say(format_args!(
            "it was truncated; lines behind line {} are lost, if any had been written since the last look",
            volume.lines()
        ));
        volume.ends_whole = false;
        self.close(&mut volume, taker)?;
        Ok([None, anew])
    }

    /// The youngest rotated file that holds what has been read of `volume`.
    fn copy_of(&self, volume: &Volume<S::File>) -> Option<PathBuf> {
        let (offset, marker) = volume.read_end();
        rotated::rotated(&self.files, &self.path).ok()?.into_iter().rev().find(|path| {
            let has_print = volume.fingerprint.is_none()
                || rotated::fingerprint(&self.files, path)
                    .is_ok_and(|(print, _)| print == volume.fingerprint);
            has_print && rotated::has(&self.files, path, offset, marker).unwrap_or(false)
        })
    }

    /// Lets `volume` go on in the copy at `path`.
    fn continue_in(&mut self, volume: &mut Volume<S::File>, path: &Path) -> io::Result<()> {
        let (print, _) = rotated::fingerprint(&self.files, path)?;
        let (body, stat) = rotated::open(&self.files, path)?;
        self.known.learn(print);
        volume.continue_in(body, stat.identity)
    }

    /// Looks for files that came and were rotated away since the last look: younger than every rotated file that is known.
    fn find_missed(&mut self, now: Duration, taker: &mut impl Taker) -> bool {
        // Asked before the names are listed: if it is renamed in between, it is among them.
        let current = self.current.as_ref().map(|volume| volume.identity);
        let is_at_path = self.files.stat(&self.path).is_ok_and(|stat| current == Some(stat.identity));
        let Ok(paths) = rotated::rotated(&self.files, &self.path) else { return false };
        self.searched = true;
        let open = self.retired.iter().chain(&self.current);
        self.known.learn(open.filter_map(|volume| volume.fingerprint));
        // What is still to be read may have been copied already.
        let fresh = self.retired.iter().chain(&self.current).filter(|volume| volume.read_to == 0);
        let files = fresh.filter_map(Volume::file).cloned();
        let mut heads: Vec<_> =
            files.filter_map(|file| Fingerprint::of(Sequence { file, offset: 0 }).ok().flatten()).collect();
        heads.extend(rotated::fingerprint(&self.files, &self.path).ok().and_then(|(print, _)| print));
        let identities = |is_fresh: bool| {
            let volumes = self.retired.iter().filter(move |volume| (volume.read_to == 0) == is_fresh);
            volumes.map(|volume| volume.identity).collect::<Vec<_>>()
        };
        let (unread, read) = (identities(true), identities(false));
        let mut missed: Vec<(Option<Fingerprint>, Option<&PathBuf>)> = Vec::new();
        for path in paths.iter().rev() {
            let Ok((print, stat)) = rotated::fingerprint(&self.files, path) else { continue };
            if current == Some(stat.identity) {
                missed.push((None, None));
                continue;
            }
            if print.is_some_and(|print| heads.contains(&print)) || unread.contains(&stat.identity) {
                continue;
            }
            if print.is_some_and(|print| self.known.knows(&print)) || read.contains(&stat.identity) {
                break;
            }
            // One without a line may still get some.
            let is_blank = print.is_none() && self.blank.contains(&stat.identity);
            if !is_blank && !missed.iter().any(|(other, _)| print.is_some() && *other == print) {
                missed.push((print, Some(path)));
            }
        }
        let mut found = false;
        if !is_at_path && !missed.is_empty() && missed.iter().all(|(_, path)| path.is_some()) {
            missed.push((None, None));
        }
        for (print, path) in missed.into_iter().rev() {
            let Some(path) = path else {
                // The current file has been renamed itself, or removed, and those that follow are younger.
                self.retired.extend(self.current.take());
                continue;
            };
            let Ok((body, stat)) = rotated::open(&self.files, path) else { continue };
            if print.is_some() {
                taker.say(format_args!("reading {} first, which was rotated away unread", Named(path)));
            }
            let mut volume = self.volume(body, stat);
            (volume.grown_at, volume.ends_whole) = (now, false);
            self.known.learn(print);
            self.retired.push_back(volume);
            found = true;
        }
        found
    }

    /// Goes on where it ended.
    fn resume(&mut self, places: &[Place], taker: &mut impl Taker) -> io::Result<()> {
        self.known.learn(places.iter().map(|place| place.fingerprint));
        let mut paths = rotated::rotated(&self.files, &self.path)?;
        paths.push(self.path.clone());
        let mut open: Vec<&Place> = places.iter().filter(|place| !place.is_read()).collect();
        // From the youngest on: a file that is being copied is there twice.
        for path in paths.into_iter().rev() {
            let Ok((Some(print), _)) = rotated::fingerprint(&self.files, &path) else { continue };
            let Some(index) = open.iter().position(|place| {
                place.fingerprint == print && place.stands_in(&self.files, &path, path != self.path)
            }) else {
                continue;
            };
            let place = open.swap_remove(index);
            let (body, stat) = rotated::open(&self.files, &path)?;
            // A copy, compressed, may have got the inode of what it was made of.
            let is_plain = matches!(body, Body::Plain(_));
            let mut volume = self.volume(body, stat).resumed(*place);
            volume.ends_whole = is_plain && stat.identity == place.identity;
            if path == self.path {
                self.current = Some(volume);
            } else {
                self.retired.push_front(volume);
            }
        }
        if !open.is_empty() {
            taker.say(format_args!(
                "the file in which reading ended is gone; what had not been read of it is lost"
            ));
        }
        Ok(())
    }

    /// Closes the files that nobody writes into any more.
    fn close_retired(&mut self, now: Duration, taker: &mut impl Taker) -> Result<(), Break> {
        while let Some(place) = (0..self.retired.len()).find(|&place| self.is_over(place, now)) {
            if let Some(mut volume) = self.retired.remove(place) {
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
        volume.close(taker)?;
        self.known.learn(volume.fingerprint);
        if volume.fingerprint.is_none() {
            self.blank.push(volume.identity);
            self.blank.drain(..self.blank.len().saturating_sub(BLANK_MAX));
        }
        Ok(())
    }
}

/// Says how many NUL bytes were passed over.
fn tell_of_hole<F: super::files::ReadAt>(volume: &mut Volume<F>, taker: &mut impl Taker) {
    let bytes = std::mem::take(&mut volume.hole_bytes);
    if bytes > 0 {
        taker.say(format_args!("passed over {bytes} NUL bytes: a hole that truncating it has left"));
    }
}

/// Room to read into.
pub(crate) fn block() -> Vec<u8> {
    vec![0; BLOCK_BYTES]
}

/// A path for a person.
struct Named<'a>(&'a Path);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::os::unix::ffi::OsStrExt as _;
        logretry_record::Shown(self.0.as_os_str().as_bytes()).fmt(f)
    }
}
