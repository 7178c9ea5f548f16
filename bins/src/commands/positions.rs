use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logretry_reader::Progress;
use logretry_record::{Outcome, Record};
use logretry_stage::{Context, Fatal, RecordStream, Result, Stage, Watch, open_own};

/// How far followed logs are settled, in a file.
pub(super) struct Positions {
    pub(super) progress: Progress,
    kept: Arc<Mutex<Kept>>,
}

/// The file with what it was last written by this run, or as this run has found it.
struct Kept {
    path: PathBuf,
    /// It is locked: of two runs that write it, each would forget how far the other's logs are.
    held: Option<File>,
    /// Whether it is known where reading begins. Until then some of the logs have no place yet, and the next run would take them for logs that have come since.
    has_begun: bool,
}

/// How often it is written, if it has changed.
const EVERY: Duration = Duration::from_millis(250);

impl Positions {
    /// Goes on from what is in the file at `path`, if it is there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (kept, progress) = Kept::open(path)?;
        Ok(Self { progress, kept: Arc::new(Mutex::new(kept)) })
    }

    /// Runs `work`, and writes down where reading begins, before the first record is read: a run that is killed at once begins there again; then how far it is, and at the end how far it got.
    pub(super) async fn keep<W: Future<Output = Result<()>>>(
        self,
        work: impl FnOnce() -> W,
        cx: &Context,
    ) -> Result<()> {
        let first = self.kept.clone();
        self.progress.on_beginning(move |text| lock(&first).begin(text));
        // Only now: the reader begins in its thread as soon as the stages are linked.
        let mut work = std::pin::pin!(work());
        // What was settled a tick ago: its lines are in the retry log by now.
        let (mut kept, mut next) = (String::new(), String::new());
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                () = tokio::time::sleep(EVERY) => {
                    if !next.is_empty() && next != kept {
                        let written = lock(&self.kept).write(&next);
                        if let Err(error) = written {
                            cx.stops().drain.cancel();
                            break work.await.and(Err(error));
                        }
                        kept = std::mem::take(&mut next);
                    }
                    if lock(&self.kept).has_begun {
                        next = self.progress.save();
                    }
                }
            }
        };
        ended?;
        let mut last = lock(&self.kept);
        if last.has_begun { last.write(&self.progress.save()) } else { Ok(()) }
    }
}

impl Kept {
    fn open(path: &Path) -> Result<(Self, Progress)> {
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
        Ok((Self { path: path.to_owned(), held, has_begun: false }, progress.unwrap_or_default()))
    }

    /// Puts where reading begins, `text`, into the place of what is there.
    fn begin(&mut self, text: &str) -> Result<()> {
        self.has_begun = true;
        self.write(text)
    }

    /// Puts `text` into the place of what is there, in one step.
    fn write(&mut self, text: &str) -> Result<()> {
        let written = self.refuse_that_of_others().and_then(|()| self.replace(text));
        written.map_err(|error| Fatal::new(format!("write the positions `{}`: {error}", self.path.display())))
    }

    fn replace(&mut self, text: &str) -> io::Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        // Another run may be writing into it this very moment: it is emptied only when it is ours.
        let mut file = open_own(OpenOptions::new().write(true).create(true).truncate(false), &new)?;
        if is_locked(&file) || !has_name(&file, &new) {
            return Err(io::Error::other(IN_USE));
        }
        file.set_len(0)?;
        writeln!(file, "{text}")?;
        file.sync_data()?;
        // As late as can be: that took its time.
        self.refuse_that_of_others()?;
        std::fs::rename(new, &self.path)?;
        self.held = Some(file);
        Ok(())
    }

    fn refuse_that_of_others(&self) -> io::Result<()> {
        let is_ours = self.held.as_ref().is_some_and(|file| has_name(file, &self.path));
        if is_ours || !self.path.exists() { Ok(()) } else { Err(io::Error::other(REPLACED)) }
    }
}

const IN_USE: &str = "another run is using them; wait for it, or, for other logs, give another --positions";
const REPLACED: &str =
    "another file is there by now, of another run perhaps; end that, or give another --positions";

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use logretry_reader::{Following, Reader, ReaderOptions};
    use logretry_stage::Source as _;

    use super::*;

    /// It had begun sometimes before anybody listened, and then no positions were ever written.
    #[tokio::test]
    async fn where_reading_begins_is_written_down_however_soon_the_reader_begins() {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, path) = (folder.path().join("access.log"), folder.path().join("at"));
        std::fs::write(&log, "").expect("a log");
        let (cx, positions) = (Context::default(), Positions::open(&path).expect("nobody uses them"));
        let following = Following::new(&[&log]).expect("a log");
        let reader = Reader::following(following, ReaderOptions::default());
        let reader = reader.telling(positions.progress.clone());
        let work = || {
            let records = reader.open(&cx);
            let patience = Instant::now() + Duration::from_secs(60);
            while !path.exists() && Instant::now() < patience {
                std::thread::yield_now();
            }
            drop(records);
            std::future::ready(Ok(()))
        };
        positions.keep(work, &cx).await.expect("positions");
        assert!(std::fs::read_to_string(&path).expect("positions").contains("access.log"));
    }

    #[test]
    fn of_two_runs_that_begin_together_only_one_keeps_its_positions() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("at");
        let new = folder.path().join("at.new");
        let open = || Kept::open(&path).expect("nobody uses them").0;
        let (mut first, mut second) = (open(), open());
        // The first is in the middle of writing.
        let being_written = File::create(&new).expect("a file");
        assert!(!is_locked(&being_written));
        std::fs::write(&new, "of the first").expect("a file");
        let refused = |written: Result<()>| written.expect_err("it is refused").to_string();
        let told = refused(second.write("of the second"));
        assert!(
            told.ends_with(
                "another run is using them; wait for it, or, for other logs, give another --positions"
            ),
            "{told}"
        );
        assert_eq!(std::fs::read_to_string(&new).ok().as_deref(), Some("of the first"));
        drop(being_written);
        // What a run that was killed has left there is no hindrance.
        first.write("{}").expect("it is the first's");
        assert!(refused(second.write("of the second")).contains("another file is there by now"));
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), Some("{}\n"));
        assert!(
            Kept::open(&path).is_err_and(|error| error.to_string().contains("another run is using them"))
        );
    }
}
