use std::io::Read;

use bstr::BString;
use logretry_format::{Format, Spans};
use logretry_record::{LineCounter, Origin, Predicate, Record, Reject};
use logretry_stage::bridge::{self, Break, Feed};
use logretry_stage::lines::{Line, Lines};
use logretry_stage::{Context, RecordStream, Source};

use crate::sample::{self, Opened};
use crate::{Input, ReaderError};

/// How logs are read.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// The formats to try on each line, in this order; none: find out for each log.
    pub formats: Vec<Format>,
    /// The longest line, in bytes without its line end; a longer one is a reject. 1 MiB by default.
    pub line_bytes_max: usize,
    /// What the filter behind will select: lines that it certainly will not are screened. None: every line becomes a record.
    pub predicate: Option<Predicate>,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { formats: Vec::new(), line_bytes_max: 1 << 20, predicate: None }
    }
}

/// The source that reads logs. See the [crate's front page](crate).
#[derive(Debug)]
pub struct Reader {
    inputs: Vec<Input>,
    options: ReaderOptions,
}

impl Reader {
    /// A reader of `inputs`, one after the other.
    pub fn new(inputs: Vec<Input>, options: ReaderOptions) -> Self {
        Self { inputs, options }
    }
}

impl Source for Reader {
    fn open(self, cx: &Context) -> impl RecordStream {
        let sizes = self.inputs.iter().filter_map(Input::size);
        cx.tally().expect_bytes(sizes.sum());
        bridge::from_thread(cx, "reader", move |feed| {
            self.inputs.iter().try_for_each(|input| read(input, &self.options, feed))
        })
    }
}

fn read(input: &Input, options: &ReaderOptions, feed: &mut Feed) -> Result<(), Break> {
    let cx = feed.context().clone();
    let count = move |bytes| cx.tally().read_bytes(bytes);
    let Opened { mut lines, name, .. } = sample::open(input, options.line_bytes_max, count)?;
    let sampled = sample::take(&mut lines, &name)?;
    let formats = if options.formats.is_empty() {
        if sampled.is_empty() {
            return Ok(());
        }
        vec![sample::format_of(&sampled, &name, feed.context().notes())?]
    } else {
        options.formats.clone()
    };

    let mut desk = Desk { name, formats, options, counter: LineCounter::default(), spans: Spans::default() };
    for line in &sampled {
        desk.take(&line.as_line(), feed)?;
    }
    read_on(&mut lines, &mut desk, feed)
}

fn read_on(lines: &mut Lines<impl Read>, desk: &mut Desk<'_>, feed: &mut Feed) -> Result<(), Break> {
    let mut last = 0;
    loop {
        if lines.would_wait() {
            feed.flush()?;
        }
        match lines.next() {
            Ok(Some(line)) => {
                last = line.number;
                desk.take(&line, feed)?;
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                return Err(ReaderError::Read { name: desk.name.to_string(), line: last, error }.into());
            }
        }
    }
}

/// Where each line of one log is decided on.
struct Desk<'a> {
    name: BString,
    formats: Vec<Format>,
    options: &'a ReaderOptions,
    counter: LineCounter,
    spans: Spans,
}

impl Desk<'_> {
    fn take(&mut self, line: &Line<'_>, feed: &mut Feed) -> Result<(), Break> {
        if line.text.iter().all(u8::is_ascii_whitespace) {
            feed.screened();
            return Ok(());
        }
        if line.cut {
            let reason = format!("it is longer than {} bytes (--line-limit)", self.options.line_bytes_max);
            return self.reject(line, reason, feed);
        }
        let mut reason = None;
        for format in &self.formats {
            let parsed = match format.parse(line.text, &mut self.spans) {
                Ok(parsed) => parsed,
                Err(error) => {
                    reason.get_or_insert_with(|| format!("not `{}`: {error}", format.name()));
                    continue;
                }
            };
            if let Some(predicate) = &self.options.predicate
                && predicate.rules_out(parsed.status(), parsed.time())
            {
                feed.screened();
                return Ok(());
            }
            let id = self.counter.next_id(line.text);
            let origin = Origin::new(self.name.clone(), line.number, line.offset, format.name(), line.text);
            return Ok(feed.record(Record::new(id, origin, parsed.exchange()))?);
        }
        // A `#` begins the header and the comments of logs, and no request.
        if line.text.starts_with(b"#") {
            feed.screened();
            return Ok(());
        }
        self.reject(line, reason.unwrap_or_default(), feed)
    }

    fn reject(&self, line: &Line<'_>, reason: String, feed: &mut Feed) -> Result<(), Break> {
        let Line { number, offset, text, .. } = *line;
        let reject = Reject { source: self.name.clone(), line: number, offset, reason, text: text.into() };
        feed.context().reject(&reject)?;
        feed.rejected();
        Ok(())
    }
}
