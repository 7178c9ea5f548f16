//! What is written down: one row an event.

use jiff::Timestamp;
use logretry_record::{RecordId, Retry};

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

/// An event on its way into the file.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) id: Option<RecordId>,
    pub(crate) attempt: u32,
    pub(crate) body: Option<String>,
    pub(crate) line: Option<Vec<u8>>,
}

impl Event {
    pub(crate) fn intent(id: RecordId, attempt: u32, method: &str, url: &str) -> Self {
        let body = Some([method, " ", url].concat());
        Self { time: Timestamp::now(), kind: Kind::Intent, id: Some(id), attempt, body, line: None }
    }

    pub(crate) fn ended(kind: Kind, id: RecordId, retry: &Retry, line: Option<Vec<u8>>) -> Self {
        // Two URLs long, as a rule.
        let mut body = Vec::with_capacity(512);
        let body = serde_json::to_writer(&mut body, retry).ok().and_then(|()| String::from_utf8(body).ok());
        Self { time: retry.time, kind, id: Some(id), attempt: retry.attempts, body, line }
    }

    /// The checksum of the event as row `seq`; see [`sum`].
    pub(crate) fn sum(&self, seq: u64) -> u32 {
        let id = self.id.as_ref().map(|id| id.as_bytes().as_slice());
        let time = self.time.as_microsecond();
        sum(seq.cast_signed(), time, self.kind as i64, id, self.attempt, self.body.as_deref())
    }

    pub(crate) fn line(line: Vec<u8>) -> Self {
        Self { time: Timestamp::now(), kind: Kind::Line, id: None, attempt: 0, body: None, line: Some(line) }
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
    body: Option<&str>,
) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for number in [seq, time, kind, attempt.into()] {
        sum.update(&number.to_le_bytes());
    }
    sum.update(id.unwrap_or_default());
    sum.update(body.unwrap_or_default().as_bytes());
    sum.finalize()
}

/// A request of which nobody knows whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// The record's id.
    pub id: RecordId,
    /// Which request of the record it was, from 1.
    pub attempt: u32,
    /// When it was about to be sent; if it has been decided, when it was decided.
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

    /// The event that it has been decided so.
    pub(crate) fn decided(&self, verdict: Verdict) -> Event {
        let body = format!("{} {} {}", verdict.word(), self.method, self.url);
        Event {
            time: Timestamp::now(),
            kind: Kind::Verdict,
            id: Some(self.id),
            attempt: self.attempt,
            body: Some(body),
            line: None,
        }
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
    fn a_verdict_is_read_back_as_it_was_written() {
        let id = RecordId::of_line(b"x", 0);
        let body = "POST http://shop.example/orders?a=b c";
        let doubt = InDoubt::from_row(Kind::Intent, id, 2, 7_000_000, body).expect("an intent");
        assert_eq!((doubt.method.as_str(), doubt.is_safe()), ("POST", false));
        for verdict in [Verdict::Send, Verdict::Arrived, Verdict::Ended(504)] {
            let event = doubt.decided(verdict);
            let body = event.body.expect("its words");
            let read = InDoubt::from_row(Kind::Verdict, id, event.attempt, 7_000_000, &body);
            assert_eq!(read, Some(InDoubt { verdict: Some(verdict), ..doubt.clone() }));
        }
        assert_eq!(InDoubt::from_row(Kind::Verdict, id, 1, 0, "perhaps GET /"), None);
        assert_eq!(InDoubt::from_row(Kind::Outcome, id, 1, 0, body), None);
    }
}
