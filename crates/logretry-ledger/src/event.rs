//! What is written down: one row an event.

use jiff::Timestamp;
use logretry_record::RecordId;

/// What kind of event a row is. The numbers are those in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A request is about to be sent. Without a later answer or outcome of the same record it is in doubt.
    Intent = 1,
    /// A request has ended, and its record may be sent again.
    Answer = 2,
    /// A request has ended, and its record with it.
    Outcome = 3,
    /// A record's requests ended before anything was sent (no connection): the retry log tells it, and the next run tries anew.
    Failure = 4,
    /// What was in doubt has been decided: by a person, or by the server's log.
    Verdict = 5,
    /// A line of the retry log that belongs to no record: the header of a table.
    Line = 6,
}

impl Kind {
    pub(crate) const fn of(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Intent,
            2 => Self::Answer,
            3 => Self::Outcome,
            4 => Self::Failure,
            5 => Self::Verdict,
            6 => Self::Line,
            _ => return None,
        })
    }

    /// The word for it, as the view `refires` has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Answer => "answer",
            Self::Outcome => "outcome",
            Self::Failure => "failure",
            Self::Verdict => "verdict",
            Self::Line => "line",
        }
    }
}

/// What an event is about: all of its row but its texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) id: Option<RecordId>,
    pub(crate) attempt: u32,
}

impl Head {
    /// An event of now.
    pub(crate) fn now(kind: Kind, id: Option<RecordId>, attempt: u32) -> Self {
        Self { time: Timestamp::now(), kind, id, attempt }
    }
}

/// Events on their way into the file, in their order. Their texts stand one behind the other in one memory, which is used again and again: what one thread
/// allocates and another frees is expensive.
#[derive(Debug, Default)]
pub(crate) struct Events {
    entries: Vec<Entry>,
    text: Vec<u8>,
    /// Whether anybody waits for the sync of one of them.
    pub(crate) synced: bool,
}

#[derive(Debug)]
struct Entry {
    head: Head,
    /// Where its body ends, if it has one, and its line. Each begins where the one before it ends.
    body: Option<usize>,
    line: Option<usize>,
}

/// An event as it goes into its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) head: Head,
    /// UTF-8.
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) line: Option<&'a [u8]>,
}

impl Events {
    /// More memory than that is given back.
    const KEPT_BYTES: usize = 1 << 20;

    /// Adds an event; `body` appends its body, which is UTF-8.
    pub(crate) fn push(&mut self, head: Head, body: impl FnOnce(&mut Vec<u8>), line: Option<&[u8]>) {
        body(&mut self.text);
        let body = Some(self.text.len());
        self.end(head, body, line);
    }

    /// Adds an event without a body.
    pub(crate) fn push_line(&mut self, head: Head, line: &[u8]) {
        self.end(head, None, Some(line));
    }

    fn end(&mut self, head: Head, body: Option<usize>, line: Option<&[u8]>) {
        let line = line.map(|line| {
            self.text.extend_from_slice(line);
            self.text.len()
        });
        self.entries.push(Entry { head, body, line });
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let mut text = |end: usize| &self.text[std::mem::replace(&mut start, end)..end];
            let (body, line) = (entry.body.map(&mut text), entry.line.map(&mut text));
            Event { head: entry.head, body, line }
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.text.shrink_to(Self::KEPT_BYTES);
        self.synced = false;
    }
}

impl Event<'_> {
    /// The checksum of the event as row `seq`; see [`sum`].
    pub(crate) fn sum(&self, seq: u64) -> u32 {
        let Head { time, kind, id, attempt } = &self.head;
        let id = id.as_ref().map(|id| id.as_bytes().as_slice());
        sum(seq.cast_signed(), time.as_microsecond(), *kind as i64, id, *attempt, self.body)
    }
}

/// The checksum of a row, all of it but its line, which compaction takes away. SQLite's own are in the WAL only, and a bit that has turned in an id would
/// let a request be sent twice.
pub(crate) fn sum(
    seq: i64,
    time: i64,
    kind: i64,
    id: Option<&[u8]>,
    attempt: u32,
    body: Option<&[u8]>,
) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for number in [seq, time, kind, attempt.into()] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(id.unwrap_or_default());
    sum.update(body.unwrap_or_default());
    sum.finalize()
}

/// A request of which nobody knows whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// The record's id.
    pub id: RecordId,
    /// Which request of the record it was, from 1.
    pub attempt: u32,
    /// When it was about to be sent; if it has been decided that it is sent or has ended, when that was.
    pub time: Timestamp,
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// What has been decided about it.
    pub verdict: Option<Verdict>,
}

/// What a person, or the server's log, says about a request in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It never arrived, or may be sent again all the same.
    Send,
    /// It arrived and was answered with this status.
    Ended(u16),
    /// It arrived, and nobody knows how it ended (nginx writes 499 when its client has gone).
    Arrived,
}

impl InDoubt {
    /// Whether sending it twice does no harm (RFC 9110 §9.2.1).
    pub fn is_safe(&self) -> bool {
        is_safe(&self.method)
    }

    /// The row of an intent or a verdict, read back; none if it does not say what such rows say.
    pub(crate) fn from_row(kind: Kind, id: RecordId, attempt: u32, time: i64, body: &str) -> Option<Self> {
        let (verdict, request) = match kind {
            Kind::Intent => (None, body),
            Kind::Verdict => {
                let (word, request) = body.split_once(' ')?;
                (Some(Verdict::of_word(word)?), request)
            }
            _ => return None,
        };
        let (method, url) = request.split_once(' ')?;
        let time = Timestamp::from_microsecond(time).ok()?;
        Some(Self { id, attempt, time, method: method.to_owned(), url: url.to_owned(), verdict })
    }

    /// The body of the event that it has been decided so.
    pub(crate) fn decided(&self, verdict: Verdict) -> String {
        format!("{} {} {}", verdict.word(), self.method, self.url)
    }
}

impl Verdict {
    fn word(self) -> String {
        match self {
            Self::Send => "send".to_owned(),
            Self::Arrived => "arrived".to_owned(),
            Self::Ended(status) => format!("ended:{status}"),
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        match word {
            "send" => Some(Self::Send),
            "arrived" => Some(Self::Arrived),
            _ => word.strip_prefix("ended:")?.parse().ok().map(Self::Ended),
        }
    }
}

/// Whether a request with this method changes nothing on the server, so that a second one does no harm (RFC 9110 §9.2.1).
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_as_they_went_in() {
        let mut events = Events::default();
        for _ in 0..2 {
            let head = Head::now(Kind::Line, None, 0);
            events.push(head, |body| body.extend(b"body"), None);
            events.push_line(head, b"line");
            events.push(head, |_| (), Some(b"x"));
            let texts: Vec<_> = events.iter().map(|event| (event.body, event.line)).collect();
            let (none, some) = (None, |text: &'static [u8]| Some(text));
            assert_eq!(texts, [(some(b"body"), none), (none, some(b"line")), (some(b""), some(b"x"))]);
            events.clear();
            assert!(events.is_empty() && events.iter().next().is_none());
        }
    }

    #[test]
    fn a_verdict_is_read_back_as_it_was_written() {
        let id = RecordId::of_line(b"x", 0);
        let body = "POST http://shop.example/orders?a=b c";
        let doubt = InDoubt::from_row(Kind::Intent, id, 2, 7_000_000, body).expect("an intent");
        assert_eq!((doubt.method.as_str(), doubt.is_safe()), ("POST", false));
        for verdict in [Verdict::Send, Verdict::Arrived, Verdict::Ended(504)] {
            let body = doubt.decided(verdict);
            let read = InDoubt::from_row(Kind::Verdict, id, 2, 7_000_000, &body);
            assert_eq!(read, Some(InDoubt { verdict: Some(verdict), ..doubt.clone() }));
        }
        assert_eq!(InDoubt::from_row(Kind::Verdict, id, 1, 0, "perhaps GET /"), None);
        assert_eq!(InDoubt::from_row(Kind::Outcome, id, 1, 0, body), None);
    }
}
