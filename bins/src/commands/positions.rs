use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logretry_reader::Progress;
use logretry_record::{Outcome, Record};
use logretry_stage::{Context, Fatal, RecordStream, Result, Stage, Watch, open_own};

/// How far followed logs are settled, in a file.
pub(super) struct Positions {
    path: PathBuf,
    pub(super) progress: Progress,
    /// The file as this run has read or written it. It is locked: of two runs that write it, each would forget how far the other's logs are.
    held: Option<File>,
}

/// How often it is written, if it has changed.
const EVERY: Duration = Duration::from_millis(250);

impl Positions {
    /// Goes on from what is in the file at `path`, if it is there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let fail = |why: String| {
            Fatal::new(format!(
                "use the positions in `{}`: {why}; remove the file to begin with what comes from now on",
                path.display()
            ))
        };
        let mut held = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error.to_string())),
        };
        if held.as_ref().is_some_and(|file| is_locked(file) || !has_name(file, path)) {
            return Err(Fatal::new(format!("use the positions in `{}`: {IN_USE}", path.display())));
        }
        let mut text = String::new();
        let read = held.as_mut().map(|file| file.read_to_string(&mut text)).transpose();
        read.map_err(|error| fail(error.to_string()))?;
        let progress = held.as_ref().map(|_| Progress::load(&text)).transpose().map_err(fail)?;
        Ok(Self { path: path.to_owned(), progress: progress.unwrap_or_default(), held })
    }

    /// Runs `work`, and writes down how far it is; at the end, how far it got.
    pub(super) async fn keep(mut self, work: impl Future<Output = Result<()>>, cx: &Context) -> Result<()> {
        let mut work = std::pin::pin!(work);
        // What was settled a tick ago: its lines are in the retry log by now.
        let (mut kept, mut next) = (String::new(), String::new());
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                () = tokio::time::sleep(EVERY) => {
                    if !next.is_empty() && next != kept {
                        if let Err(error) = self.write(&next) {
                            cx.stops().drain.cancel();
                            break work.await.and(Err(error));
                        }
                        kept = next;
                    }
                    next = self.progress.save();
                }
            }
        };
        ended?;
        let last = self.progress.save();
        self.write(&last)
    }

    /// Puts `text` into the place of what is there, in one step.
    fn write(&mut self, text: &str) -> Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        let is_ours = match &self.held {
            Some(file) => has_name(file, &self.path) || !self.path.exists(),
            None => !self.path.exists(),
        };
        let written = if is_ours { self.replace(&new, text) } else { Err(io::Error::other(IN_USE)) };
        written.map_err(|error| Fatal::new(format!("write the positions `{}`: {error}", self.path.display())))
    }

    fn replace(&mut self, new: &Path, text: &str) -> io::Result<()> {
        let mut file = open_own(OpenOptions::new().write(true).create(true).truncate(true), new)?;
        writeln!(file, "{text}")?;
        file.sync_data()?;
        if is_locked(&file) {
            return Err(io::Error::other(IN_USE));
        }
        std::fs::rename(new, &self.path)?;
        self.held = Some(file);
        Ok(())
    }
}

const IN_USE: &str = "another run is using them; give each run a file of its own";

/// Locks `file`, for as long as it is open, and says whether somebody else has done so. Where there are no locks, nobody has.
fn is_locked(file: &File) -> bool {
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// Whether it is `file` that has the name `path` now.
fn has_name(file: &File, path: &Path) -> bool {
    let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(identity).ok() == path.metadata().map(identity).ok()
}

/// One stage after the other.
pub(super) struct Then<A, B>(pub(super) A, pub(super) B);

impl<A: Stage, B: Stage> Stage for Then<A, B> {
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        self.1.apply(self.0.apply(input, cx), cx)
    }
}

/// Tells `progress` of each record that has passed the filter.
pub(super) fn selected(progress: Progress) -> impl Stage {
    Watch(move |record: &Record| progress.selected(&record.id()))
}

/// Tells `progress` of each record for which nothing more is to be done. What a stop has left unsent, before its next attempt or in doubt is to be read again: only with its line
/// it is sent, or written down as settled.
pub(super) fn settled(progress: Progress) -> impl Stage {
    Watch(move |record: &Record| {
        if record.retry().is_some_and(|retry| !retry.goes_on() && retry.outcome != Outcome::InDoubt) {
            progress.settled(&record.id());
        }
    })
}
