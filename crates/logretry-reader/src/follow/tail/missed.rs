//! The files beside the path: those that came and went unseen, and those in which reading ended.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::files::{Files, Identity};
use super::super::places::Place;
use super::super::print::Fingerprint;
use super::super::rotated::{self, Opened, Sequence, TRIES_MAX, Which};
use super::super::volume::{Beginning, Body, Taker, Volume};
use super::Tail;

/// A file that came and was rotated away unseen.
struct Missed<F> {
    path: PathBuf,
    opened: Opened<F>,
    print: Option<Fingerprint>,
}

impl<S: Files> Tail<S> {
    /// Looks for files that came and were rotated away since the last look: younger than every rotated file that is known.
    pub(super) fn find_missed(&mut self, now: Duration, taker: &mut impl Taker) -> bool {
        (0..TRIES_MAX).find_map(|_| self.try_to_find_missed(now, taker)).unwrap_or(false)
    }

    /// The same; none, if the log has been rotated meanwhile.
    fn try_to_find_missed(&mut self, now: Duration, taker: &mut impl Taker) -> Option<bool> {
        // Asked before the names are listed: if it is renamed in between, it is among them.
        let current = self.current.as_ref().map(|volume| volume.identity);
        let is_at_path = self.files.stat(&self.path).is_ok_and(|stat| current == Some(stat.identity));
        // So are the heads: whatever came before one of them and has gone is among the names.
        let heads = self.heads();
        // What is still to be read from the path may be truncated before it is, and a copy be all that is left of it.
        let begun = self.current.iter().filter(|volume| volume.read_to > 0);
        self.known.learn(self.retired.iter().chain(begun).filter_map(|volume| volume.fingerprint));
        let Ok(mut missed) = rotated::among(&self.files, &self.path, Which::Dated, |files| {
            self.missed_among(files, current, &heads)
        }) else {
            return Some(false);
        };
        self.searched = true;
        // What was taken for the copy of what is still to be read may be all that is left of that.
        if self.heads() != heads {
            return None;
        }
        let mut found = false;
        if !is_at_path && !missed.is_empty() && missed.iter().all(Option::is_some) {
            missed.push(None);
        }
        for file in missed.into_iter().rev() {
            let Some(Missed { path, opened, print }) = file else {
                // The current file has been renamed itself, or removed, and those that follow are younger.
                self.retire();
                continue;
            };
            let Ok(body) = opened.body() else { continue };
            if print.is_some() {
                taker.say(format_args!("reading {} first, which was rotated away unread", Named(&path)));
            }
            let mut volume = self.volume(body, opened.stat);
            // It is known from now on, and not read yet.
            (volume.fingerprint, volume.grown_at, volume.ends_whole) = (print, now, false);
            // A compressed one is there when it is whole.
            if print.is_none() && volume.file().is_some() {
                volume.beginning = Beginning::Doubtful;
            }
            self.known.learn(print);
            self.retired.push_back(volume);
            found = true;
        }
        Some(found)
    }

    /// Which of `files`, that come from the youngest on, were missed; none where the `current` file stands, under another name.
    fn missed_among(
        &self,
        files: &mut dyn Iterator<Item = (PathBuf, Opened<S::File>)>,
        current: Option<Identity>,
        heads: &[Fingerprint],
    ) -> Vec<Option<Missed<S::File>>> {
        let mut missed: Vec<Option<Missed<S::File>>> = Vec::new();
        for (path, opened) in files {
            let (Ok(print), identity) = (opened.fingerprint(), opened.stat.identity) else { continue };
            if current == Some(identity) {
                missed.push(None);
                continue;
            }
            let is_retired = |is_fresh: bool| {
                let mut volumes = self.retired.iter().filter(|volume| (volume.read_to == 0) == is_fresh);
                volumes.any(|volume| volume.identity == identity)
            };
            if print.is_some_and(|print| heads.contains(&print)) || is_retired(true) {
                continue;
            }
            if print.is_some_and(|print| self.known.knows(&print)) || is_retired(false) {
                break;
            }
            // One without a line may still get some.
            let is_blank = print.is_none() && self.blank.contains(&identity);
            let is_twice = print.is_some() && missed.iter().flatten().any(|other| other.print == print);
            if !is_blank && !is_twice {
                missed.push(Some(Missed { path, opened, print }));
            }
        }
        missed
    }

    /// The first lines of what is still to be read, which may have been copied already, and of what is at the path. The current file is read only if it begins as it does now.
    fn heads(&mut self) -> Vec<Fingerprint> {
        let mut heads: Vec<_> = self.retired.iter().filter_map(Volume::head).collect();
        if let Some(volume) =
            self.current.as_mut().filter(|volume| volume.read_to == 0 && volume.file().is_some())
        {
            heads.extend(volume.see_head());
        }
        let at_path = Opened::at(&self.files, &self.path).and_then(|opened| opened.fingerprint());
        heads.extend(at_path.ok().flatten());
        heads
    }

    /// Whether the retired file at `place`, of which nothing was to be seen when it was found, is being copied from one that is known; none as long as it has no line.
    pub(super) fn is_copy(&mut self, place: usize) -> Option<bool> {
        let file = self.retired[place].file().cloned()?;
        let print = Fingerprint::of(Sequence { file, offset: 0 }).ok().flatten()?;
        let number = self.retired[place].number;
        let others = self.retired.iter().chain(&self.current).filter(|volume| volume.number != number);
        let mut heads = others.filter_map(|volume| volume.fingerprint.or_else(|| volume.head()));
        let is_copy = heads.any(|head| head == print) || self.known.knows(&print);
        if !is_copy {
            self.retired[place].fingerprint = Some(print);
            self.known.learn(Some(print));
        }
        Some(is_copy)
    }

    /// Goes on where it ended.
    pub(super) fn resume(&mut self, places: &[Place], taker: &mut impl Taker) -> io::Result<()> {
        self.known.learn(places.iter().map(|place| place.fingerprint));
        let mut open: Vec<&Place> = places.iter().filter(|place| !place.is_read()).collect();
        let with_print = |(path, opened): (PathBuf, Opened<S::File>)| {
            let print = opened.fingerprint().ok().flatten()?;
            open.iter().any(|place| place.fingerprint == print).then_some((path, opened, print))
        };
        // Before the others: if it is renamed in between, it is among them too.
        let at_path = Opened::at(&self.files, &self.path).ok().map(|opened| (self.path.clone(), opened));
        let at_path = at_path.and_then(with_print);
        let files = rotated::among(&self.files, &self.path, Which::Dated, |files| {
            files.filter_map(with_print).collect::<Vec<_>>()
        })?;
        // From the youngest on: a file that is being copied is there twice.
        for (path, opened, print) in at_path.into_iter().chain(files) {
            // Two, where the file had just been replaced by a copy of itself.
            let own = open.extract_if(.., |place| {
                place.fingerprint == print && place.stands_in(&opened, path != self.path)
            });
            let Some(place) = own.min_by_key(|place| place.settled) else { continue };
            let (body, stat) = (opened.body()?, opened.stat);
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
}

/// A path for a person.
struct Named<'a>(&'a Path);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::os::unix::ffi::OsStrExt as _;
        logretry_record::Shown(self.0.as_os_str().as_bytes()).fmt(f)
    }
}
