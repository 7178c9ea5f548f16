//! The ends of a Unix pipe: records as newline-delimited JSON.
//!
//! These, and nothing else in logretry, touch standard input and standard output.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;

use bstr::BString;
use futures_util::{Stream, StreamExt as _};
use logretry_record::{DecodeError, Predicate, RECORD_BYTES_MAX, Record, Reject};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::bridge::{self, Break, Encoded, Feed, Spares, held_bytes};
use crate::gather::gathered;
use crate::lines::{Line, Lines};
use crate::outlet::{Buffer, Outlet};
use crate::{Context, Fatal, RecordStream, Result, Sink, Source};

mod listener;

/// Reads records from a pipe.
///
/// Blank lines are passed over, and so is a byte order mark before the first. A line that is no record is a reject; a record of another version ends the run, and so
/// does the end of an input of which no line is a record.
#[derive(Debug)]
pub struct Input<R = io::Stdin> {
    name: BString,
    reader: R,
    /// Whether a read certainly does not wait.
    is_ready: fn() -> bool,
    /// Whether somebody has to type it.
    is_typed: bool,
    screen: Option<Predicate>,
}

impl Input {
    /// Standard input.
    pub fn stdin() -> Self {
        widen(io::stdin());
        let is_typed = io::stdin().is_terminal();
        Self { is_ready: || is_ready(io::stdin()), is_typed, ..Self::new("-", io::stdin()) }
    }
}

impl<R: io::Read + Send + 'static> Input<R> {
    /// Any other reader, called `name` in messages.
    pub fn new(name: impl Into<BString>, reader: R) -> Self {
        Self { name: name.into(), reader, is_ready: || false, is_typed: false, screen: None }
    }

    /// The same input, which leaves out what `predicate` certainly will not select, without decoding it: such lines are screened.
    #[must_use]
    pub fn screened_by(mut self, predicate: Predicate) -> Self {
        self.screen = Some(predicate);
        self
    }
}

impl<R: io::Read + Send + 'static> Source for Input<R> {
    fn open(self, cx: &Context) -> impl RecordStream {
        bridge::from_thread(cx, "pipe-input", move |feed| decode_all(self, feed))
    }
}

fn decode_all<R: io::Read>(input: Input<R>, feed: &mut Feed) -> Result<(), Break> {
    let Input { name, reader, is_ready, is_typed, screen } = input;
    if is_typed {
        feed.notes().say(format_args!(
            "reading records from the terminal, until Ctrl-D; in a pipe, `lr-read LOG` gives those of a log"
        ));
    }
    let mut lines = Lines::new(reader, RECORD_BYTES_MAX);
    let (mut is_of_records, mut is_text, mut rejected) = (false, true, 0_u64);
    loop {
        // Asked before each read, for a record may come in parts, and the rest of it late.
        while lines.would_wait() {
            if is_ready() {
                feed.flush_gathered()?;
                if lines.fetch() {
                    continue;
                }
            } else if lines.is_behind() {
                feed.flush_items()?;
            } else {
                feed.flush()?;
            }
            break;
        }
        let line =
            lines.next().map_err(|error| Fatal::new(format!("read records from `{name}`: {error}")))?;
        let Some(line) = line else { break };
        let Line { number, offset, text, cut } = without_mark(line);
        let unwanted = !cut && screen.as_ref().is_some_and(|wanted| wanted.rules_out_line(text));
        is_of_records |= unwanted;
        if unwanted || text.trim_ascii().is_empty() {
            feed.screened();
            continue;
        }
        let record = if cut { Err(DecodeError::TooLong) } else { Record::decode(text) };
        match record {
            Ok(record) => {
                is_of_records = true;
                feed.record(record)?;
            }
            Err(error @ DecodeError::Version(_)) => {
                return Err(Fatal::new(format!("use line {number} of `{name}`: {error}")).into());
            }
            Err(error) => {
                let reject = Reject {
                    source: name.clone(),
                    line: number,
                    offset,
                    reason: error.to_string(),
                    text: text.into(),
                };
                rejected += 1;
                is_text &= std::str::from_utf8(text).is_ok();
                feed.reject(reject)?;
            }
        }
    }
    if is_of_records || rejected == 0 {
        return Ok(());
    }
    // Not one: that is another kind of input, and no work that is done.
    let advice = if is_text {
        "`lr-read` makes them from a log, and `jq` keeps each in one line with `-c`"
    } else {
        "it is no text in UTF-8: unpack it first, if it is compressed"
    };
    Err(Fatal::new(format!("read records from `{name}`: none of its lines is one; {advice}")).into())
}

/// The line without the byte order mark of UTF-8, which programs of Windows write at the very beginning. RFC 8259 §8.1 lets a parser pass over it.
fn without_mark(line: Line<'_>) -> Line<'_> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    match line.text.strip_prefix(MARK) {
        Some(text) if line.offset == 0 => Line { offset: MARK.len() as u64, text, ..line },
        _ => line,
    }
}

/// Whether reading from `end` does not wait: bytes are there, or its end.
fn is_ready(end: impl AsFd) -> bool {
    let now = Timespec::default();
    matches!(poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&now)), Ok(1..))
}

/// Lets the pipe hold more, so that its two ends wait for each other less often: what a program may ask of Linux without privileges. If it is no pipe, or the system has
/// no room for that, it stays as it is.
#[cfg(target_os = "linux")]
fn widen(end: impl AsFd) {
    const PIPE_BYTES: usize = 1 << 20;
    let _ = rustix::pipe::fcntl_setpipe_size(end, PIPE_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn widen(_: impl AsFd) {}

/// Writes records to a pipe, in the order in which they come, and at once when no more are ready; where many come, up to 5 ms later.
///
/// When the reader of the pipe has gone, a drain begins, so that whoever sends requests sends no more; what still comes is let go. That is no error here: `head` ends this way. Of standard
/// output it is noticed at once, of another writer when something is written.
#[derive(Debug)]
pub struct Output<W = io::Stdout> {
    writer: W,
    is_stdout: bool,
}

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        widen(io::stdout());
        Self { writer: io::stdout(), is_stdout: true }
    }
}

impl<W: Write + Send + 'static> Output<W> {
    /// Any other writer.
    pub fn new(writer: W) -> Self {
        Self { writer, is_stdout: false }
    }

    /// What [`Sink::drain`] does, with records that are encoded already.
    pub async fn drain_encoded(
        self,
        input: impl Stream<Item = Result<Encoded>> + Send,
        cx: &Context,
    ) -> Result<()> {
        let parcels = input.map(|item| match item {
            Ok(encoded) => (encoded, Ok(())),
            Err(fatal) => (Encoded::default(), Err(fatal)),
        });
        let _watching = self.is_stdout.then(|| watch_stdout(cx));
        let mut last: Option<Spares> = None;
        let unpack = move |Encoded { bytes, records, spares }, written: Buffer| {
            if let Some(spares) = std::mem::replace(&mut last, spares) {
                spares.put(written.bytes);
            }
            Buffer { bytes, lines: records }
        };
        let outlet = Outlet::new(self.writer, unpack, |_| ()).map_err(|error| Fatal::no_thread(&error))?;
        write_parcels(parcels, outlet, "to standard output", cx).await
    }
}

/// Standard output without the buffer of the standard library, which takes lines that a full disk then does not: what this has taken has gone out.
pub fn direct_stdout() -> Box<dyn Write + Send> {
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(stdout) => Box::new(File::from(stdout)),
        Err(_) => Box::new(io::stdout()),
    }
}

/// Begins a drain as soon as nobody reads standard output any more, until what it returns is dropped.
pub fn watch_stdout(cx: &Context) -> impl Send + use<> {
    listener::watch(io::stdout(), cx)
}

/// Whether nobody reads standard output any more.
pub fn is_stdout_closed() -> bool {
    listener::has_gone(io::stdout(), &Timespec::default()) == Ok(true)
}

/// Records that are written with one call at most.
const CHUNK_RECORDS_MAX: usize = 512;

impl<W: Write + Send + 'static> Sink for Output<W> {
    async fn drain(self, input: impl RecordStream, cx: &Context) -> Result<()> {
        let _watching = self.is_stdout.then(|| watch_stdout(cx));
        let encode = |record: &Record, bytes: &mut Vec<u8>| record.encode(bytes);
        write_lines(input, self.writer, "to standard output", cx, encode, |_| ()).await
    }
}

/// Writes the lines that `render` makes of records to `writer`, as soon as no more are ready or, where many come, up to 5 ms later; `render` may make none of a record. It is called in
/// the thread that writes.
/// `written` is told how many lines were handed to the system.
///
/// If the other end of a pipe has gone, or writing fails (`cannot write WHAT: …`), a drain begins, and what still comes is let go: whoever sends
/// requests sends no more, and what is under way ends.
pub async fn write_lines(
    input: impl RecordStream,
    writer: impl Write + Send + 'static,
    what: &str,
    cx: &Context,
    mut render: impl FnMut(&Record, &mut Vec<u8>) + Send + 'static,
    written: impl Fn(u64) + Send + 'static,
) -> Result<()> {
    let bytes = |item: &Result<Record>| item.as_ref().map_or(0, held_bytes);
    let parcels = gathered(input, CHUNK_RECORDS_MAX, bytes).map(|chunk| {
        let mut end = Ok(());
        let records: Vec<Record> =
            chunk.into_iter().filter_map(|item| item.map_err(|fatal| end = Err(fatal)).ok()).collect();
        (records, end)
    });
    let unpack = move |records: Vec<Record>, mut buffer: Buffer| {
        for record in records {
            let before = buffer.bytes.len();
            render(&record, &mut buffer.bytes);
            buffer.lines += u64::from(buffer.bytes.len() > before);
        }
        buffer
    };
    let outlet = Outlet::new(writer, unpack, written).map_err(|error| Fatal::no_thread(&error))?;
    write_parcels(parcels, outlet, what, cx).await
}

/// Writes parcels, each with the error behind it if there was one.
async fn write_parcels<T: Send + 'static>(
    parcels: impl Stream<Item = (T, Result<()>)>,
    outlet: Outlet<T>,
    what: &str,
    cx: &Context,
) -> Result<()> {
    let mut outlet = Some(outlet);
    let mut end = Ok(());
    let fail = |error: &io::Error| {
        cx.stops().drain.cancel();
        if error.kind() == io::ErrorKind::BrokenPipe {
            Ok(())
        } else {
            Err(Fatal::new(format!("write {what}: {error}")))
        }
    };
    let mut parcels = std::pin::pin!(parcels);
    loop {
        let next = tokio::select! {
            biased;
            // Not only with the next parcel: the request that it tells of would be sent first.
            error = failed(&mut outlet) => {
                outlet = None;
                end = end.and(fail(&error));
                continue;
            }
            next = parcels.next() => next,
        };
        let Some((parcel, ended)) = next else { break };
        if ended.is_err() {
            end = ended;
        }
        let Some(open) = &mut outlet else { continue };
        if let Err(error) = open.write(parcel).await {
            outlet = None;
            end = end.and(fail(&error));
        }
    }
    if let Some(outlet) = outlet
        && let Err(error) = outlet.finish().await
    {
        end = end.and(fail(&error));
    }
    end
}

/// Waits until `outlet` has failed; for ever if there is none.
async fn failed<T: Send + 'static>(outlet: &mut Option<Outlet<T>>) -> io::Error {
    match outlet {
        Some(outlet) => outlet.failed().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;
    use logretry_record::{Exchange, Origin, RecordId};

    use super::*;
    use crate::Watch;
    use crate::grammar::Stage as _;

    fn lines(count: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in 0..count {
            let origin = Origin::new("access.log", line, 0, "combined", "text");
            Record::new(RecordId::of_line(b"", line), origin, Exchange::default()).encode(&mut bytes);
        }
        bytes
    }

    /// A writer that another thread can look into.
    #[derive(Clone, Default)]
    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A pipe that is full until the other end goes.
    struct ClosedLater(std::sync::mpsc::Receiver<()>);

    impl Write for ClosedLater {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_or(Err(io::ErrorKind::BrokenPipe.into()), |()| Ok(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn records_pass_through_byte_for_byte() {
        let mut text = lines(1);
        text.pop();
        text.insert_str_at(1, b" \"later\" : [1, null] ,");
        text.push(b'\n');
        let (cx, output) = (Context::default(), Shared::default());
        let input = Input::new("-", io::Cursor::new(text.clone())).open(&cx);
        Output::new(output.clone()).drain(input, &cx).await.expect("a run");
        assert_eq!(*output.0.lock().expect("no panic"), text);
    }

    trait InsertAt {
        fn insert_str_at(&mut self, at: usize, bytes: &[u8]);
    }

    impl InsertAt for Vec<u8> {
        fn insert_str_at(&mut self, at: usize, bytes: &[u8]) {
            self.splice(at..at, bytes.iter().copied());
        }
    }

    #[tokio::test]
    async fn a_line_that_is_no_record_is_counted_and_the_others_pass() {
        let mut text = lines(2);
        text.extend_from_slice(b"{\"v\":1}\n\nnot json\n");
        text.extend(lines(1));
        let cx = Context::default();
        let records: Vec<_> = Input::new("-", io::Cursor::new(text)).open(&cx).collect().await;
        assert_eq!(records.iter().filter(|item| item.is_ok()).count(), 3);
        let accounts = cx.tally().accounts();
        assert_eq!((accounts.lines, accounts.records, accounts.rejected, accounts.screened), (6, 3, 2, 1));
        assert_eq!(accounts.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over_at_the_very_beginning_alone() {
        let mark = b"\xef\xbb\xbf";
        for (text, accounts) in [
            ([mark, lines(2).as_slice()].concat(), (2, 2, 0, 0)),
            ([mark, b"\n".as_slice(), &lines(1)].concat(), (2, 1, 0, 1)),
            ([lines(1).as_slice(), mark, &lines(1)].concat(), (2, 1, 1, 0)),
            ([mark, mark, lines(1).as_slice()].concat(), (1, 0, 1, 0)),
        ] {
            let cx = Context::default();
            let input = Input::new("-", io::Cursor::new(text))
                .screened_by(Predicate { status: None, ..Predicate::default() });
            let _: Vec<_> = input.open(&cx).collect().await;
            let counted = cx.tally().accounts();
            assert_eq!((counted.lines, counted.records, counted.rejected, counted.screened), accounts);
        }
    }

    #[test]
    fn a_read_does_not_wait_where_bytes_or_the_end_are_here() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        assert!(!is_ready(&reader));
        writer.write_all(b"a").expect("room in the pipe");
        assert!(is_ready(&reader));
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(writer);
        assert!(is_ready(&reader) && is_ready(tempfile::tempfile().expect("a file")));
    }

    #[tokio::test]
    async fn a_record_of_another_version_ends_the_run() {
        let text = b"{\"v\":2,\"id\":7}\n";
        let records: Vec<_> = Input::new("-", text.as_slice()).open(&Context::default()).collect().await;
        let [Err(fatal)] = &records[..] else { panic!("{records:?}") };
        assert!(fatal.to_string().contains("version 2"), "{fatal}");
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_begins_a_drain() {
        let cx = Context::default();
        let input = Input::new("-", io::Cursor::new(lines(5000))).open(&cx);
        let watched = Watch(|_: &Record| ()).apply(input, &cx);
        Output::new(Closed).drain(watched, &cx).await.expect("no error");
        assert!(cx.is_draining());
    }

    /// The fifth parcel fills the queue behind a writer that waits; the last one brings the error, and finds it closed.
    #[tokio::test]
    async fn an_error_ends_the_run_also_where_the_pipe_closes_at_the_same_time() {
        let (close, closed) = std::sync::mpsc::channel::<()>();
        let parcel = || Encoded { bytes: lines(1), records: 1, spares: None };
        let last = stream::once(async move {
            drop(close);
            Err(Fatal::new("go on"))
        });
        let parcels = stream::iter(0..5).map(|_| Ok(parcel())).chain(last);
        let cx = Context::default();
        let end = Output::new(ClosedLater(closed)).drain_encoded(parcels, &cx).await;
        assert_eq!(end.expect_err("an error").to_string(), "go on");
        assert!(cx.is_draining());
    }

    /// It was learnt with the next record: one more request had been sent, however late.
    #[tokio::test]
    async fn a_closed_pipe_drains_the_run_without_waiting_for_one_more_record() {
        let cx = Context::default();
        let drain = cx.stops().drain.clone();
        let records = async_stream::stream! {
            yield Ok(Record::decode(&lines(1)).expect("a record"));
            drain.cancelled().await;
        };
        let drained = Output::new(Closed).drain(records, &cx);
        let drained = tokio::time::timeout(Duration::from_secs(10), drained).await;
        drained.expect("it waits for one more").expect("no error");
    }
}
