use jiff::Timestamp;
use logretry_format::{Change, Format, Spans};
use logretry_record::{Mark, Outcome, Reason, Record, RecordId, Retry};
use logretry_rewriter::{Form, Renderer};

/// What is hashed of a request and of its line in the retry log: 128 bits that nobody who writes log lines can make collide.
pub(crate) type Key = RecordId;

/// Brings a request and its line of the retry log to the same bytes.
///
/// A refire changes a line only where URL, status, time, size and duration stand. So both are changed once more, into one made-up refire, and what was different
/// is equal then. What remains (method, target, client, user agent, request id, and all that the format has besides) is compared to the byte.
#[derive(Debug)]
pub(crate) struct Keys {
    renderer: Renderer,
    mark: Mark,
    form: Form,
    /// Those of the records so far, and at the end that of lines that could not be written in their own.
    formats: Vec<Format>,
    made_up: Retry,
    line: Vec<u8>,
}

/// What a line of the retry log is.
#[derive(Debug)]
pub(crate) enum Read {
    /// The refire of the requests with this key.
    Refire { key: Key, status: u16, request: String },
    /// One of these formats, and no refire of a request that is known.
    Foreign { request: String },
    /// Nothing that can be read.
    Damaged { why: &'static str },
}

impl Keys {
    pub(crate) fn new(form: Form, mark: &Mark) -> Self {
        let made_up = Retry {
            outcome: Outcome::Recovered,
            status: Some(200),
            // Not 0, which some formats write as they write no size.
            bytes: Some(1),
            reason: None,
            ..Retry::not_sent(Timestamp::UNIX_EPOCH, Reason::Stopped)
        };
        Self {
            renderer: Renderer::new(form, mark.clone()),
            mark: mark.clone(),
            form,
            formats: Format::compile("combined").into_iter().collect(),
            made_up,
            line: Vec::new(),
        }
    }

    /// The key of a request that is sent with `method`.
    pub(crate) fn of_record(&mut self, record: &Record, method: Option<&str>) -> Key {
        let name = &record.origin().format;
        if self.form == Form::Same
            && self.formats.iter().all(|format| format.name() != name)
            && let Ok(format) = Format::compile(name)
        {
            self.formats.insert(0, format);
        }
        self.made_up.method = method.map(str::to_owned);
        self.line.clear();
        self.renderer.render_as(record, &self.made_up, &mut self.line);
        Key::of_line(self.line.strip_suffix(b"\n").unwrap_or(&self.line), 0)
    }

    /// What `line` is, if the requests have the keys that `is_known` knows.
    pub(crate) fn read(&mut self, line: &[u8], is_known: impl Fn(Key) -> bool) -> Read {
        if line.contains(&0) {
            return Read::Damaged { why: "it holds NUL bytes, as a power cut leaves them" };
        }
        let change = Change {
            mark: &self.mark,
            time: self.made_up.time,
            status: self.made_up.status,
            bytes: self.made_up.bytes,
            duration_ms: None,
        };
        let mut spans = Spans::new();
        let mut read = Read::Damaged { why: "it is not in the format of the log" };
        for format in &self.formats {
            let Ok(parsed) = format.parse(line, &mut spans) else { continue };
            let status = parsed.status().unwrap_or(0);
            let exchange = parsed.exchange();
            let is_marked = exchange.target.as_ref().is_some_and(|target| self.mark.is_on(target.as_bytes()));
            let request =
                format!("{} {}", exchange.method.unwrap_or_default(), exchange.target.unwrap_or_default());
            self.line.clear();
            if is_marked && format.rewrite(line, &change, &mut self.line).is_ok() {
                let key = Key::of_line(&self.line, 0);
                if is_known(key) {
                    return Read::Refire { key, status, request };
                }
            }
            if let Read::Damaged { .. } = read {
                read = Read::Foreign { request };
            }
        }
        read
    }
}
