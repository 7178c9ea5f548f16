use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use logretry_reader::Progress;
use logretry_record::{Outcome, Record};
use logretry_stage::{Context, Fatal, RecordStream, Result, Stage, Watch, open_own};

/// How far followed logs are settled, in a file.
pub(super) struct Positions {
    path: PathBuf,
    pub(super) progress: Progress,
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
        let progress = match std::fs::read_to_string(path) {
            Ok(text) => Progress::load(&text).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Progress::default(),
            Err(error) => return Err(fail(error.to_string())),
        };
        Ok(Self { path: path.to_owned(), progress })
    }

    /// Runs `work`, and writes down how far it is; at the end, how far it got.
    pub(super) async fn keep(self, work: impl Future<Output = Result<()>>, cx: &Context) -> Result<()> {
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
        ended.and_then(|()| self.write(&self.progress.save()))
    }

    /// Puts `text` into the place of what is there, in one step.
    fn write(&self, text: &str) -> Result<()> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        let written = open_own(std::fs::OpenOptions::new().write(true).create(true).truncate(true), &new)
            .and_then(|mut file| {
                writeln!(file, "{text}")?;
                file.sync_data()
            })
            .and_then(|()| std::fs::rename(&new, &self.path));
        written.map_err(|error| Fatal::new(format!("write the positions `{}`: {error}", self.path.display())))
    }
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
