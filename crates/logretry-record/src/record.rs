use bstr::{BStr, BString, ByteSlice as _};

use crate::wire::{self, DecodeError};
use crate::{Exchange, ExchangeRef, Mark, RecordId, Retry, USER_AGENT_PREFIX, encode, refire_in, skim};

/// Where a record's log line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as it was named, or `-` for standard input.
    pub source: BString,
    /// The line's number in it, from 1.
    pub line: u64,
    /// Bytes before the line, counted after decompression.
    pub offset: u64,
    /// The format that understood the line, as `--format` takes it: a preset's name or a whole specification.
    pub format: String,
    /// The line itself, without its line end.
    pub text: BString,
}

impl Origin {
    /// The origin of the line `text` that begins after `offset` bytes of `source`.
    pub fn new(
        source: impl Into<BString>,
        line: u64,
        offset: u64,
        format: impl Into<String>,
        text: impl Into<BString>,
    ) -> Self {
        Self { source: source.into(), line, offset, format: format.into(), text: text.into() }
    }
}

/// One logged request and, later, its refire. See the [crate's front page](crate) for an example.
///
/// Stages only add to a record: what it was made with stays, so a filter decides the same before and after a refire. A record is a pointer wide, for it is passed on
/// from stage to stage.
#[derive(Debug, Clone)]
pub struct Record(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    id: RecordId,
    origin: Origin,
    original: Exchange,
    retry: Option<Retry>,
    came_as: CameAs,
}

/// The bytes that a record was decoded from, as far as they still tell the truth.
#[derive(Debug, Clone)]
enum CameAs {
    /// Not decoded, or overtaken: encoding writes it anew.
    Nothing,
    /// Unchanged: encoding gives these bytes again.
    Line(Box<[u8]>),
    /// These bytes hold everything but the `retry` that was added since, also what is not known here; they end before the closing brace.
    WithoutRetry(Box<[u8]>),
}

impl Record {
    /// What every record begins with that logretry writes, or `jq -c` after it.
    pub const BEGINNING: &[u8] = br#"{"v":1,"#;

    /// A record that has not been refired.
    pub fn new(id: RecordId, origin: Origin, original: Exchange) -> Self {
        Self(Box::new(Parts { id, origin, original, retry: None, came_as: CameAs::Nothing }))
    }

    /// The record with the outcome of its refire; an earlier outcome is replaced.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        let parts = &mut *self.0;
        parts.came_as = match std::mem::replace(&mut parts.came_as, CameAs::Nothing) {
            CameAs::Line(line) => match skim::without_member(&line, b"retry") {
                Some(open) => CameAs::WithoutRetry(open.into()),
                None => CameAs::Nothing,
            },
            kept @ CameAs::WithoutRetry(_) => kept,
            _ => CameAs::Nothing,
        };
        parts.retry = Some(retry);
        self
    }

    /// The record's name.
    pub fn id(&self) -> RecordId {
        self.0.id
    }

    /// Where its line stands.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// What the server logged.
    pub fn original(&self) -> &Exchange {
        &self.0.original
    }

    /// How its refire ended, if it has been through the refirer.
    pub fn retry(&self) -> Option<&Retry> {
        self.0.retry.as_ref()
    }

    /// The raw log line.
    pub fn text(&self) -> &BStr {
        self.0.origin.text.as_bstr()
    }

    /// Whether its line tells of a refire: the target carries `mark`, or the user agent is ours.
    pub fn is_of_refire(&self, mark: &Mark) -> bool {
        let Exchange { target, user_agent, .. } = self.original();
        target.as_ref().is_some_and(|target| mark.is_on(target.as_bytes()))
            || match user_agent {
                Some(agent) => agent.starts_with_str(USER_AGENT_PREFIX),
                // It may stand in a field that nobody knows as it.
                None => refire_in(self.text()).is_some(),
            }
    }

    /// Reads a record from one line of NDJSON, with or without its line end. JSON on several lines is read as well, and becomes one line.
    pub fn decode(line: &[u8]) -> Result<Self, DecodeError> {
        let line = line.trim_ascii();
        let wire = wire::RecordV1::from_json(line)?;
        let (id, origin, original, retry) = wire.into_parts()?;
        Ok(Self(Box::new(Parts { id, origin, original, retry, came_as: CameAs::Line(on_one_line(line)) })))
    }

    /// Whether it came over a pipe, where others may have changed it.
    pub fn was_decoded(&self) -> bool {
        !matches!(self.0.came_as, CameAs::Nothing)
    }

    /// Appends the record as one line of NDJSON, line end included.
    ///
    /// A record that was decoded and not changed is written in the very bytes it came in.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Parts { id, origin, original, retry, came_as } = &*self.0;
        match came_as {
            CameAs::Line(line) => out.extend_from_slice(line),
            CameAs::WithoutRetry(open) => {
                out.extend_from_slice(open);
                if let Some(retry) = retry {
                    out.extend_from_slice(b",\"retry\":");
                    retry.encode(out);
                }
                out.push(b'}');
            }
            CameAs::Nothing => {
                encode::push_record(*id, origin, &ExchangeRef::from(original), retry.as_ref(), out);
            }
        }
        out.push(b'\n');
    }
}

/// The same JSON on one line. In its strings a line end is escaped, so that one which stands there as it is means no more than a blank.
fn on_one_line(json: &[u8]) -> Box<[u8]> {
    let mut line: Box<[u8]> = json.into();
    if json.find_byte(b'\n').is_some() {
        line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    }
    line
}

impl Parts {
    fn says(&self) -> (RecordId, &Origin, &Exchange, Option<&Retry>) {
        (self.id, &self.origin, &self.original, self.retry.as_ref())
    }
}

/// Two records are equal when they say the same, whatever bytes they came in.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.0.says() == other.0.says()
    }
}
