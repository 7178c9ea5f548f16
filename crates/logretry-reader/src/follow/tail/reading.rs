//! Reading on in the files of a log that are open, and what becomes of one that was truncated.

use std::io;
use std::time::Duration;

use logretry_stage::bridge::Break;

use super::super::files::{Files, ReadAt, Stat};
use super::super::rotated::{self, Opened, Which};
use super::super::volume::{Beginning, Body, Seen, Taker, Volume};
use super::Tail;

impl<S: Files> Tail<S> {
    /// Reads on in the files that are not at the path any more, one after the other; says whether there is more at once.
    pub(super) fn read_retired(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<bool, Break> {
        let mut place = 0;
        while place < self.retired.len() {
            if self.retired[place].beginning == Beginning::Doubtful {
                match self.is_copy(place) {
                    None => place += 1,
                    Some(false) => self.retired[place].beginning = Beginning::Any,
                    Some(true) => {
                        self.retired.remove(place).into_iter().for_each(|copy| taker.closed(copy.number));
                    }
                }
                continue;
            }
            let volume = &mut self.retired[place];
            let seen = volume.read_on(now, block, taker)?;
            tell_of_hole(volume, taker);
            match seen {
                Seen::More => return Ok(true),
                Seen::Still | Seen::Grown if volume.is_final() => {
                    // At once, and not with the others: what unpacks it takes memory.
                    if let Some(mut volume) = self.retired.remove(place) {
                        self.close(&mut volume, taker)?;
                    }
                }
                Seen::Still | Seen::Grown => place += 1,
                // Only what is at the path is truncated behind a copy.
                Seen::Changed => volume.beginning = Beginning::Any,
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

    pub(super) fn read_current(
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
            Seen::Changed => {
                self.searched = false;
                Ok(true)
            }
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
        if self.copy_of(&volume, |_| true).is_some_and(|copy| self.continue_in(&mut volume, &copy).is_ok()) {
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

    /// Lets `volume` go on in a copy that has more, if its own file has been removed: rsync puts a copy in its place, which may be rotated before anybody looks.
    pub(super) fn goes_on_in_a_copy(&self, volume: &mut Volume<S::File>) -> bool {
        if volume.fingerprint.is_none() || !volume.is_replaced() {
            return false;
        }
        // A compressed one would have to be unpacked for that, and nearly all have nothing more.
        let has_more = |copy: &Opened<S::File>| !copy.is_packed && copy.stat.bytes > volume.read_to;
        let Some(copy) = self.copy_of(volume, has_more) else { return false };
        copy.body().is_ok_and(|body| {
            volume.moved_to(body, copy.stat.identity);
            true
        })
    }

    /// The youngest file, of those that `may` be it, that holds what has been read of `volume`.
    fn copy_of(
        &self,
        volume: &Volume<S::File>,
        may: impl Fn(&Opened<S::File>) -> bool,
    ) -> Option<Opened<S::File>> {
        let (offset, marker) = volume.read_end();
        let is_copy = |opened: &Opened<S::File>| {
            let has_print = || {
                volume.fingerprint.is_none()
                    || opened.fingerprint().is_ok_and(|print| print == volume.fingerprint)
            };
            may(opened) && has_print() && opened.has(offset, marker).unwrap_or(false)
        };
        let among = |which| {
            let copy = rotated::among(&self.files, &self.path, which, |files| {
                files.map(|(_, opened)| opened).find(is_copy)
            });
            copy.ok().flatten()
        };
        among(Which::Dated).or_else(|| among(Which::Alike))
    }

    /// Lets `volume` go on in its copy.
    fn continue_in(&mut self, volume: &mut Volume<S::File>, copy: &Opened<S::File>) -> io::Result<()> {
        let print = copy.fingerprint()?;
        volume.continue_in(copy.body()?, copy.stat.identity)?;
        // It may have begun with a line that had no end then.
        volume.fingerprint = volume.fingerprint.or(print);
        self.known.learn(print);
        Ok(())
    }
}

/// Says how many NUL bytes were passed over.
fn tell_of_hole<F: ReadAt>(volume: &mut Volume<F>, taker: &mut impl Taker) {
    let bytes = std::mem::take(&mut volume.hole_bytes);
    if bytes > 0 {
        taker.say(format_args!("passed over {bytes} NUL bytes: a hole that truncating it has left"));
    }
}
