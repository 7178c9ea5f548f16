use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use logretry_record::{Outcome, RECORD_BYTES_MAX, Record, RecordId, Retry};
use logretry_stage::lines::Lines;
use logretry_stage::{
    Context, Fatal, LineFile, RecordStream, Reopen, Result, Stage, refuse_what_others_hold,
};

use crate::log_file;

/// Keeps the records that did not recover and will not be sent again by this run, as NDJSON that `lr-refire` takes.
///
/// What was `skipped` is not among them: it was not to be sent. What stands in the file already, as the same run has left it before, is not added again: whoever
/// sends the dead letters would send it twice. All records pass. If the file cannot be written, a drain begins, and the error ends the run.
#[derive(Default)]
pub struct DeadLetters {
    letters: Option<Letters>,
    /// Whether what a stop has left unsent or in doubt is left out.
    without_unsent: bool,
    /// What else is left out.
    left_out: Option<Box<LeftOut>>,
}

type LeftOut = dyn Fn(&Record, &Retry) -> bool + Send + Sync;

/// The file.
#[derive(Debug)]
struct Letters {
    path: PathBuf,
    file: LineFile,
    opened: Timestamp,
    /// Whether nothing stood in it then.
    was_empty: bool,
    /// What stood in it, once that has been asked for: which record, and when it ended so.
    known: Option<HashSet<(RecordId, Timestamp)>>,
}

impl DeadLetters {
    /// Appends them to the file at `path`, which is made readable by its owner only, and opened anew when that is asked for. A last line that was torn by a full disk or a crash is ended,
    /// so that the next one stands on its own.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or if it holds anything but records.
    pub fn append_to(path: &Path, reopen: &Reopen) -> Result<Self> {
        let (file, was_empty) = refuse_what_others_hold(Record::BEGINNING, path)
            .or_else(|error| if begins_with_a_record(path) { Ok(()) } else { Err(error) })
            .and_then(|()| log_file::open(path))
            .map(|(file, is_new)| (LineFile::new(path, file, reopen), is_new))
            .map_err(|error| {
                Fatal::new(format!("open the file for dead letters `{}`: {error}", path.display()))
            })?;
        let (path, opened) = (path.to_owned(), Timestamp::now());
        let letters = Letters { path, file, opened, was_empty, known: None };
        Ok(Self { letters: Some(letters), ..Self::default() })
    }

    /// The same without what was not sent, or not sent again, or cut off, because the run was stopped, for whoever sends or settles that when the run goes on.
    #[must_use]
    pub fn without_unsent(mut self) -> Self {
        self.without_unsent = true;
        self
    }

    /// The same without those of which `left_out` says that somebody else sends or settles them.
    #[must_use]
    pub fn without(mut self, left_out: impl Fn(&Record, &Retry) -> bool + Send + Sync + 'static) -> Self {
        self.left_out = Some(Box::new(left_out));
        self
    }

    fn is_wanted(&self, record: &Record, retry: &Retry) -> bool {
        is_dead(retry, self.without_unsent)
            && !self.left_out.as_ref().is_some_and(|left_out| left_out(record, retry))
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("letters", &self.letters).finish_non_exhaustive()
    }
}

impl Stage for DeadLetters {
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        match self.letters {
            Some(_) => kept(self, input, cx).left_stream(),
            None => input.right_stream(),
        }
    }
}

/// The stage with a file.
fn kept(mut dead: DeadLetters, input: impl RecordStream, cx: &Context) -> impl RecordStream {
    let drain = cx.stops().drain.clone();
    async_stream::stream! {
        let mut letters = dead.letters.take();
        let mut failure = None;
        let mut input = pin!(input);
        let mut line = Vec::new();
        while let Some(item) = input.next().await {
            if let (Ok(record), Some(open)) = (&item, &mut letters)
                && let Some(retry) = record.retry().filter(|retry| dead.is_wanted(record, retry))
                && let Err(error) = open.keep(record, retry, &mut line)
            {
                drain.cancel();
                failure = Some(Fatal::new(format!("write the file for dead letters `{}`: {error}", open.path.display())));
                letters = None;
            }
            yield item;
        }
        if let Some(fatal) = failure {
            yield Err(fatal);
        }
    }
}

impl Letters {
    /// Appends the record, which ended so, if it does not stand there.
    fn keep(&mut self, record: &Record, retry: &Retry, line: &mut Vec<u8>) -> io::Result<()> {
        // What has just ended cannot stand there. Where something did, its time does not tell: the clock may have been set back since.
        let has_just_ended = self.was_empty && retry.time >= self.opened;
        if !has_just_ended && !self.known()?.insert((record.id(), retry.time)) {
            return Ok(());
        }
        line.clear();
        record.encode(line);
        self.file.write_all(line)
    }

    fn known(&mut self) -> io::Result<&mut HashSet<(RecordId, Timestamp)>> {
        let known = match self.known.take() {
            Some(known) => known,
            None => read(&self.path)?,
        };
        Ok(self.known.insert(known))
    }
}

/// Whether the first line of the file at `path` is a record, however it is spelled: what came through another program is kept as that has written it.
fn begins_with_a_record(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| {
        let mut lines = Lines::new(file, RECORD_BYTES_MAX);
        let first = lines.next();
        first.is_ok_and(|line| line.is_some_and(|line| Record::decode(line.text).is_ok()))
    })
}

/// The dead letters in the file at `path`; none in a pipe, or where the file has been moved away.
fn read(path: &Path) -> io::Result<HashSet<(RecordId, Timestamp)>> {
    let mut known = HashSet::new();
    if !path.is_file() {
        return Ok(known);
    }
    let mut lines = Lines::new(File::open(path)?, RECORD_BYTES_MAX);
    while let Some(line) = lines.next()? {
        // A line that is no record may be one that was torn.
        if let Ok(record) = Record::decode(line.text)
            && let Some(retry) = record.retry()
        {
            known.insert((record.id(), retry.time));
        }
    }
    Ok(known)
}

fn is_dead(retry: &Retry, without_unsent: bool) -> bool {
    match retry.outcome {
        Outcome::Recovered | Outcome::Skipped => false,
        Outcome::InDoubt => !without_unsent,
        _ => !(without_unsent && retry.goes_on()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use logretry_record::{Exchange, Origin, Reason};

    use super::*;

    /// What had ended before the clock was set back was taken for what had just ended, and added by each run until it was that late again.
    #[test]
    fn what_stands_there_is_not_added_again_when_the_clock_has_been_set_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("dead.ndjson");
        let text = b"GET /a 502";
        let origin = Origin::new("access.log", 1, 0, "combined", text);
        let record = Record::new(RecordId::of_line(text, 0), origin, Exchange::default());
        let in_an_hour = Timestamp::now() + SignedDuration::from_hours(1);
        for hours in [0, 0, 1, 1] {
            let time = in_an_hour + SignedDuration::from_hours(hours);
            let retry = Retry { outcome: Outcome::Failing, ..Retry::not_sent(time, Reason::Stopped) };
            let dead = DeadLetters::append_to(&path, &Reopen::default()).expect("a file");
            let mut letters = dead.letters.expect("there is a file");
            let record = record.clone().with_retry(retry.clone());
            letters.keep(&record, &retry, &mut Vec::new()).expect("it can be written");
        }
        let dead = std::fs::read_to_string(&path).expect("dead letters");
        assert_eq!(dead.lines().count(), 2, "{dead}");
    }

    /// Those that had come through Python (`{"v": 1, …`) were taken for somebody else's when the next ones were to be added.
    #[test]
    fn records_that_another_program_has_spelled_are_added_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("dead.ndjson");
        let origin = Origin::new("access.log", 1, 0, "combined", "GET /a 502");
        let mut line = Vec::new();
        Record::new(RecordId::of_line(b"GET /a 502", 0), origin, Exchange::default()).encode(&mut line);
        let ours = String::from_utf8(line).expect("UTF-8");
        for (text, is_ours) in [
            (ours.replace("\":", "\": ").replace(",\"", ", \""), true),
            (ours.replacen("\"v\":1,", "", 1).replace("}\n", ",\"v\":1}\n"), true),
            (ours[..20].to_owned(), true),
            ("{\"v\": 1}\n".to_owned(), false),
            ("GET /a\n".to_owned(), false),
        ] {
            std::fs::write(&path, &text).expect("a file");
            assert_eq!(DeadLetters::append_to(&path, &Reopen::default()).is_ok(), is_ours, "{text}");
        }
    }
}
