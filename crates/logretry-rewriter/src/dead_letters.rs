use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures_util::StreamExt as _;
use logretry_record::{Outcome, Record};
use logretry_stage::{
    Context, Fatal, LineFile, RecordStream, Reopen, Result, Stage, refuse_what_others_hold,
};

/// Keeps the records that did not recover and will not be sent again by this run, as NDJSON that `lr-refire` takes.
///
/// What was `skipped` is not among them: it was not to be sent. All records pass. If the file cannot be written, a drain begins, and the error ends the run.
#[derive(Debug, Default)]
pub struct DeadLetters {
    file: Option<(PathBuf, LineFile)>,
    /// Whether what was not sent because the run was stopped is left out.
    without_unsent: bool,
}

impl DeadLetters {
    /// Appends them to the file at `path`, which is made readable by its owner only, and opened anew when that is asked for.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or if it holds anything but records.
    pub fn append_to(path: &Path, reopen: &Reopen) -> Result<Self> {
        let file = refuse_what_others_hold(Record::BEGINNING, path)
            .and_then(|()| LineFile::append_to(path, reopen))
            .map_err(|error| {
                Fatal::new(format!("open the file for dead letters `{}`: {error}", path.display()))
            })?;
        Ok(Self { file: Some((path.to_owned(), file)), without_unsent: false })
    }

    /// The same without what was not sent, or not sent again, because the run was stopped, for whoever sends that when the run goes on.
    #[must_use]
    pub fn without_unsent(mut self) -> Self {
        self.without_unsent = true;
        self
    }
}

impl Stage for DeadLetters {
    fn apply(self, input: impl RecordStream, cx: &Context) -> impl RecordStream {
        match self.file {
            Some((path, file)) => kept(path, file, self.without_unsent, input, cx).left_stream(),
            None => input.right_stream(),
        }
    }
}

/// The stage with a file.
fn kept(
    path: PathBuf,
    file: LineFile,
    without_unsent: bool,
    input: impl RecordStream,
    cx: &Context,
) -> impl RecordStream {
    let drain = cx.stops().drain.clone();
    async_stream::stream! {
        let mut file = Some(file);
        let mut failure = None;
        let mut input = pin!(input);
        let mut line = Vec::new();
        while let Some(item) = input.next().await {
            if let (Ok(record), Some(open)) = (&item, &mut file)
                && is_dead(record, without_unsent)
            {
                line.clear();
                record.encode(&mut line);
                if let Err(error) = open.write_all(&line) {
                    drain.cancel();
                    failure = Some(Fatal::new(format!("write the file for dead letters `{}`: {error}", path.display())));
                    file = None;
                }
            }
            yield item;
        }
        if let Some(fatal) = failure {
            yield Err(fatal);
        }
    }
}

fn is_dead(record: &Record, without_unsent: bool) -> bool {
    record.retry().is_some_and(|retry| match retry.outcome {
        Outcome::Recovered | Outcome::Skipped => false,
        _ => !(without_unsent && retry.goes_on()),
    })
}
