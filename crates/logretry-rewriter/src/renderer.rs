use std::collections::HashMap;
use std::fmt::Write as _;

use bstr::ByteSlice as _;
use logretry_format::{Change, Draft, Format, Spans};
use logretry_record::{Mark, Record, Retry};

use crate::{Form, combined, table};

/// Turns records into lines of the retry log.
///
/// ```
/// use logretry_record::{Exchange, Mark, Origin, Outcome, Reason, Record, RecordId, Retry};
/// use logretry_rewriter::{Form, Renderer};
///
/// let text = r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a?b=c HTTP/1.1" 502 157 "-" "curl/8.9""#;
/// let record = Record::new(
///     RecordId::of_line(text.as_bytes(), 0),
///     Origin::new("access.log", 1, 0, "combined", text),
///     Exchange::default(),
/// );
/// let time = "2026-11-22T06:25:01.112Z".parse()?;
/// let retry = Retry {
///     outcome: Outcome::Recovered,
///     status: Some(200),
///     bytes: Some(512),
///     reason: None,
///     ..Retry::not_sent(time, Reason::Stopped)
/// };
/// let mut line = Vec::new();
/// Renderer::new(Form::Same, Mark::default()).render(&record.with_retry(retry), &mut line);
/// assert_eq!(
///     String::from_utf8(line)?,
///     "203.0.113.9 - - [22/Nov/2026:06:25:01 +0000] \"GET /a?b=c&retry=True HTTP/1.1\" 200 512 \"-\" \"curl/8.9\"\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Renderer {
    form: Form,
    mark: Mark,
    /// The formats of the records so far; none for a specification that does not compile.
    formats: HashMap<String, Option<Format>>,
    /// That of the last record, which the next one nearly always has.
    last: Option<(String, Format)>,
    draft: Draft,
    spans: Spans,
    header_due: bool,
}

/// A line that could not be written in its own format, and was written in combined format instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Why.
    pub why: String,
}

impl Renderer {
    /// A renderer of lines in `form`, whose URLs carry `mark`.
    pub fn new(form: Form, mark: Mark) -> Self {
        Self {
            form,
            mark,
            formats: HashMap::new(),
            last: None,
            draft: Draft::default(),
            spans: Spans::new(),
            header_due: false,
        }
    }

    /// The same renderer, which puts what stands at the head of a new retry log before its first line: column names, if it is a table.
    #[must_use]
    pub fn headed(mut self) -> Self {
        self.header_due = self.form == Form::Csv;
        self
    }

    /// Appends the line of `record`, with its line end. A record that was not sent, or is to be sent again by the next run, has none; nor has one in the form [`Form::Url`]
    /// whose URL another program has taken away.
    ///
    /// In the form [`Form::Same`] a record whose format is not known, or whose line is not in that format, has a line end within, or asks for something else (records can
    /// come from other programs), is written in combined format; that is what comes back then.
    pub fn render(&mut self, record: &Record, out: &mut Vec<u8>) -> Option<Fallback> {
        self.render_as(record, record.retry()?, out)
    }

    /// The same for a record whose refire has ended as `retry` says, whatever the record says.
    pub fn render_as(&mut self, record: &Record, retry: &Retry, out: &mut Vec<u8>) -> Option<Fallback> {
        if !retry.outcome.is_sent() || retry.goes_on() {
            return None;
        }
        if std::mem::take(&mut self.header_due) {
            out.extend(table::header());
        }
        let mut fallback = None;
        match self.form {
            Form::Same => {
                if let Err(why) = self.same(record, retry, out) {
                    combined::render(record, retry, &self.mark, out);
                    fallback = Some(Fallback { why });
                }
            }
            Form::Url => out.extend(marked_url(retry, &self.mark)?.bytes()),
            Form::Combined => combined::render(record, retry, &self.mark, out),
            Form::Csv => table::render(record, retry, &self.mark, out),
            Form::Json => {
                let url = retry.url.as_ref().map(|url| self.mark.put_on(url));
                record.clone().with_retry(Retry { url, ..retry.clone() }).encode(out);
                return None;
            }
        }
        out.push(b'\n');
        fallback
    }

    fn same(&mut self, record: &Record, retry: &Retry, out: &mut Vec<u8>) -> Result<(), String> {
        // Behind it would stand what looks like a line of another request.
        if record.text().find_byte(b'\n').is_some() {
            return Err("its line has a line end within".to_owned());
        }
        let name = &record.origin().format;
        let last = match self.last.take().filter(|(last, _)| last == name) {
            Some(last) => last,
            None => (name.clone(), self.format(name)?),
        };
        let (_, format) = self.last.insert(last);
        if record.was_decoded() && !asks_the_same(format, record, &mut self.spans) {
            return Err(
                "the record asks for something else than its line; it was changed on its way".to_owned()
            );
        }
        let status = combined::status(retry);
        let change = Change {
            mark: &self.mark,
            time: retry.time,
            status: (status > 0).then_some(status),
            bytes: retry.bytes,
            duration_ms: retry.duration_ms,
        };
        let start = out.len();
        format.rewrite_with(record.text(), &change, &mut self.draft, out).map_err(|error| {
            out.truncate(start);
            error.to_string()
        })
    }

    fn format(&mut self, name: &str) -> Result<Format, String> {
        if !self.formats.contains_key(name) {
            self.formats.insert(name.to_owned(), Format::compile(name).ok());
        }
        let format = self.formats.get(name).and_then(Option::as_ref);
        format.cloned().ok_or_else(|| format!("the format `{name}` is not known here"))
    }
}

/// The marked URL, on one line: of a record that comes from another program, bytes that may stand in no URL are percent-encoded.
pub(crate) fn marked_url(retry: &Retry, mark: &Mark) -> Option<String> {
    let url = retry.url.as_deref()?;
    if url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(mark.put_on(url));
    }
    let mut plain = String::new();
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            plain.push(byte.into());
        } else {
            let _ = write!(plain, "%{byte:02X}");
        }
    }
    Some(mark.put_on(&plain))
}

/// Whether the line of `record` tells of the request that the record does; a line that is not in `format` is another matter.
fn asks_the_same(format: &Format, record: &Record, spans: &mut Spans) -> bool {
    let Ok(parsed) = format.parse(record.text(), spans) else { return true };
    let (line, original) = (parsed.exchange_ref(), record.original());
    line.target.as_deref() == original.target.as_deref().map(str::as_bytes)
        && line.method.as_deref() == original.method.as_deref().map(str::as_bytes)
}
