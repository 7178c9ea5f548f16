use std::io::{self, Write};
use std::path::Path;

use logretry_record::{Mark, Record, Shown};
use logretry_stage::{Context, LineFile, RecordStream, Reopen, Result, Sink, pipe};

use crate::table;
use crate::{Form, LogFileError, Renderer, open_log};

/// The sink that writes the retry log.
///
/// Lines are handed to the system as soon as no more records are ready, or up to 5 ms later where many come, in the order in which the refires ended. If the log cannot be written any
/// more (a full disk), a drain begins: no further request is sent, those under way end, and the error ends the run.
#[derive(Debug)]
pub struct Rewriter<W> {
    renderer: Renderer,
    name: String,
    log: W,
    is_stdout: bool,
}

impl<W: Write + Send + 'static> Rewriter<W> {
    /// A writer of `log`, called `name` in messages.
    pub fn new(renderer: Renderer, name: impl Into<String>, log: W) -> Self {
        Self { renderer, name: name.into(), log, is_stdout: false }
    }
}

impl Rewriter<Box<dyn Write + Send>> {
    /// A writer that appends to the retry log at `path`; see [`open_log`]. When it is asked to, it opens that anew between two lines.
    pub fn append_to(path: &Path, form: Form, mark: Mark, reopen: &Reopen) -> Result<Self, LogFileError> {
        form.refuse_another(path)?;
        let (log, is_new) = open_log(path)?;
        let is_pipe = log.metadata().is_ok_and(|found| !found.is_file());
        let head = if form == Form::Csv { table::header() } else { Vec::new() };
        let log = LineFile::new(path, log, reopen).beginning_with(head);
        let renderer = Renderer::new(form, mark);
        // A file is begun by whoever writes its first line, which may be another program.
        let renderer = if is_new && is_pipe { renderer.headed() } else { renderer };
        Ok(Self::new(renderer, path.display().to_string(), Box::new(log)))
    }

    /// A writer to standard output.
    pub fn to_stdout(form: Form, mark: Mark) -> Self {
        let rewriter = Self::new(Renderer::new(form, mark).headed(), "-", pipe::direct_stdout());
        Self { is_stdout: true, ..rewriter }
    }

    /// A writer that forgets what it is given, for whoever wants the refires and not the log.
    pub fn to_nowhere() -> Self {
        Self::new(Renderer::new(Form::Url, Mark::default()), "-", Box::new(io::sink()))
    }
}

impl<W: Write + Send + 'static> Sink for Rewriter<W> {
    async fn drain(self, input: impl RecordStream, cx: &Context) -> Result<()> {
        let Self { mut renderer, name, log, is_stdout } = self;
        let _watching = is_stdout.then(|| pipe::watch_stdout(cx));
        let mut told = false;
        let notes = cx.clone();
        let render = move |record: &Record, line: &mut Vec<u8>| {
            let Some(fallback) = renderer.render(record, line) else { return };
            if !told {
                told = true;
                let why = Shown(fallback.why.as_bytes());
                notes
                    .notes()
                    .say(format_args!("record {} is written in combined format: {why}", record.id()));
            }
        };
        let tally = cx.clone();
        let written = move |lines| tally.tally().write(lines);
        let what =
            if is_stdout { "the retry log to standard output" } else { &format!("the retry log `{name}`") };
        pipe::write_lines(input, log, what, cx, render, written).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use logretry_record::{Exchange, Origin, Outcome, Reason, RecordId, Retry};

    use super::*;

    /// Each of them had found it empty.
    #[tokio::test]
    async fn a_table_that_several_begin_at_once_has_one_header() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.csv");
        let text = "GET /a 502";
        let retry = Retry {
            outcome: Outcome::Recovered,
            reason: None,
            ..Retry::not_sent(jiff::Timestamp::now(), Reason::Stopped)
        };
        let record = Record::new(
            RecordId::of_line(text.as_bytes(), 0),
            Origin::new("-", 1, 0, "combined", text),
            Exchange::default(),
        );
        let record = record.with_retry(retry);
        let begin = || Rewriter::append_to(&path, Form::Csv, Mark::default(), &Reopen::default());
        for rewriter in [begin(), begin(), begin()] {
            let records = stream::iter([Ok(record.clone())]);
            rewriter.expect("a file").drain(records, &Context::default()).await.expect("a row");
        }
        let table = std::fs::read_to_string(&path).expect("a table");
        assert_eq!((table.matches("time,method").count(), table.lines().count()), (1, 4), "{table}");
    }
}
