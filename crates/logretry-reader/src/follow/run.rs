use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logretry_record::Shown;
use logretry_stage::bridge::{Break, Feed};
use logretry_stage::{Fatal, folder};

use super::files::{Disk, Files as _, Stat};
use super::listed::Listed;
use super::log::Log;
use super::members::{Following, Found, log_name, name};
use super::progress::Progress;
use super::rotated::{Opened, are_all_in};
use super::tail::{Start, Tail, block};
use super::wake::Wake;
use crate::copies::leave_out_copies;
use crate::named::Named;
use crate::reader::read;
use crate::rotation::age;
use crate::{Input, ReaderError, ReaderOptions};

/// How long a renamed file is looked at after it has last grown: its writer opens the new one a little later.
const ROTATE_WAIT: Duration = Duration::from_secs(5);

/// A log that is followed.
struct Followed<'a> {
    tail: Tail<Listed>,
    log: Log<'a>,
}

/// Follows until a drain begins.
pub(crate) fn run(following: &Following, options: &ReaderOptions, feed: &mut Feed) -> Result<(), Break> {
    let cx = feed.context().clone();
    let mut wake = Wake::new(&cx).map_err(|error| Fatal::new(format!("start a runtime: {error}")))?;
    following.folders().iter().for_each(|folder| wake.watch(folder, &cx));
    let Found { logs: paths, written, rotated, troubles } = following.found();
    let files = Listed::default();
    let mut told = Told::default();
    told.tell_of(&troubles, feed);
    told.tell_of_written(&written, feed);
    let come_since = following.progress.as_ref().map(|progress| following.come_since(progress));
    let come_since = come_since.filter(|_| !following.from_start).unwrap_or_default();
    let (mut followed, mut taken, mut whole) = (Vec::new(), HashSet::new(), Vec::new());
    // Those that have come since are begun below, as if they came now.
    for path in paths.into_iter().filter(|path| !come_since.contains(path)) {
        watch_target(&path, &mut wake, feed);
        let start = match (following.from_start, &following.progress) {
            (false, _) => Start::End,
            // A follower reads all that it does not know.
            (true, Some(_)) if are_all_in(&rotated, &files, &path).unwrap_or(false) => Start::Rotated,
            (true, _) => Start::Beginning,
        };
        if matches!(start, Start::Rotated) {
            whole.push(path.clone());
        }
        taken.insert(path.clone());
        followed.push(begin(&files, path, start, following, options, feed)?);
    }
    if let Some(progress) = &following.progress {
        progress.begins()?;
    }
    if following.from_start {
        let rotated = Named::all(rotated_apart(following, &followed, &whole));
        rotated.iter().try_for_each(|named| read(named, options, feed))?;
    }
    let mut others = Others::default();
    let (began, mut block) = (Instant::now(), block());
    if following.from_start && following.progress.is_some() {
        // One log after the other: each may have hundreds of rotated files, which are open until they are read.
        for Followed { tail, log } in &mut followed {
            while log.look_at(tail, began.elapsed(), &mut block, feed)? {}
        }
    }
    loop {
        let now = began.elapsed();
        let mut more = false;
        for Followed { tail, log } in &mut followed {
            more |= log.look_at(tail, now, &mut block, feed)?;
        }
        feed.flush()?;
        if more {
            continue;
        }
        if following.exit_on_delete && !followed.is_empty() && followed.iter().all(|one| one.tail.is_gone()) {
            return followed.iter_mut().try_for_each(|one| one.log.end(feed));
        }
        if following.may_grow() {
            let Found { logs: found, written, mut troubles, .. } = following.found();
            told.tell_of_written(&written, feed);
            others.0.retain(|path, _| found.contains(path));
            for path in found {
                if taken.contains(&path) {
                    continue;
                }
                match others.has_log(&files, &path, &followed, following.progress.as_ref()) {
                    Ok(true) => {
                        watch_target(&path, &mut wake, feed);
                        taken.insert(path.clone());
                        followed.push(begin(&files, path, Start::Beginning, following, options, feed)?);
                        more = true;
                    }
                    Ok(false) => {}
                    Err(error) => troubles.push(ReaderError::Open { path, error }),
                }
            }
            told.tell_of(&troubles, feed);
        }
        if !more {
            let due = followed.iter().filter_map(|one| one.tail.due()).filter(|due| *due > now).min();
            wake.wait(due.map(|due| due.saturating_sub(now)), &cx)?;
        }
    }
}

/// What has been said, so that it is said once.
#[derive(Default)]
struct Told {
    /// Of folders and files that may not be looked at.
    troubles: BTreeSet<String>,
    /// Of files that are left out.
    left_out: bool,
}

impl Told {
    fn tell_of(&mut self, troubles: &[ReaderError], feed: &Feed) {
        let troubles: BTreeSet<String> = troubles.iter().map(ToString::to_string).collect();
        for trouble in troubles.difference(&self.troubles) {
            feed.notes().say(format_args!("cannot {trouble}; trying again"));
        }
        self.troubles = troubles;
    }

    fn tell_of_written(&mut self, written: &[PathBuf], feed: &Feed) {
        if let [first, ..] = written
            && !std::mem::replace(&mut self.left_out, true)
        {
            feed.notes().say(format_args!("{}: left out, for it is written here", Shown(&log_name(first))));
        }
    }
}

/// The rotated files that are to be read for themselves, now that all logs have begun: not those of the logs that are read as a `whole`, so that it is known how far they are settled. What has been
/// rotated away since the logs were found is known to its log as read, unless the log has it open.
fn rotated_apart(following: &Following, followed: &[Followed<'_>], whole: &[PathBuf]) -> Vec<Input> {
    let mut rotated = following.found().rotated;
    for path in whole {
        let log = name(path);
        rotated.retain(|other| folder(other) != folder(path) || age(&log, &name(other)).is_none());
    }
    let open: HashSet<_> = followed.iter().filter_map(|one| one.tail.identity()).collect();
    rotated.retain(|path| !Disk.stat(path).is_ok_and(|stat| open.contains(&stat.identity)));
    let mut rotated = rotated.into_iter().map(Input::File).collect();
    leave_out_copies(&mut rotated);
    rotated
}

/// Files among the logs that are none: rotated ones, whatever they are called.
#[derive(Default)]
struct Others(HashMap<PathBuf, Stat>);

impl Others {
    /// Whether a log of its own has come at `path`. As long as it has no line, that is not known, and nothing is missed. An error, if it cannot be opened.
    fn has_log(
        &mut self,
        files: &Listed,
        path: &Path,
        followed: &[Followed<'_>],
        progress: Option<&Progress>,
    ) -> io::Result<bool> {
        if files.stat(path).is_ok_and(|stat| self.0.get(path) == Some(&stat)) {
            return Ok(false);
        }
        let opened = match Opened::at(files, path) {
            // It has gone again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        let Ok(Some(print)) = opened.fingerprint() else { return Ok(false) };
        let is_other = followed.iter().any(|one| one.tail.has_had(path, opened.stat.identity, print))
            || progress.is_some_and(|progress| progress.has_had(path, print));
        if is_other {
            self.0.insert(path.to_owned(), opened.stat);
        }
        Ok(!is_other)
    }
}

fn begin<'a>(
    files: &Listed,
    path: PathBuf,
    start: Start,
    following: &Following,
    options: &'a ReaderOptions,
    feed: &mut Feed,
) -> Result<Followed<'a>, Break> {
    let name = log_name(&path);
    let progress = following.progress.clone();
    let saved = progress.as_ref().and_then(|progress| progress.places(&name));
    let start = saved.map_or(start, Start::Places);
    let mut log = Log::new(name, options, progress);
    let mut tail = Tail::new(files.clone(), path.clone(), options.line_bytes_max, ROTATE_WAIT);
    tail.begin(start, &mut log.feeding(feed)).map_err(|error| ReaderError::Open { path, error })?;
    log.tell_progress(&mut tail);
    Ok(Followed { tail, log })
}

/// A log may be a link into another folder, as those of containers are.
fn watch_target(path: &Path, wake: &mut Wake, feed: &Feed) {
    if path.is_symlink()
        && let Ok(target) = path.canonicalize()
    {
        wake.watch(folder(&target), feed.context());
    }
}
