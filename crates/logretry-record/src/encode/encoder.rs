use fearless_simd::{Level, Simd, dispatch};
use jiff::Timestamp;

use super::number::push_time;
use super::text::Whole;
use super::{BEFORE_ID, BEHIND_TEXT, TEXT, push_before_line, push_format, push_original, push_place};
use crate::{ExchangeRef, RecordId};

/// Writes records of one log, as [`Record::encode`](crate::Record::encode) does, without making records.
///
/// ```
/// use bstr::BStr;
/// use logretry_record::{Encoder, Exchange, ExchangeRef, Origin, Record, RecordId};
///
/// let (text, id) = (b"a line".as_slice(), RecordId::of_line(b"a line", 0));
/// let (mut by_hand, mut as_record) = (Vec::new(), Vec::new());
/// let mut encoder = Encoder::new(b"access.log");
/// encoder.encode((204, 18_231), "combined", text, &ExchangeRef::default(), &mut by_hand);
/// Encoder::name(&mut by_hand, id);
/// Record::new(id, Origin::new("access.log", 204, 18_231, "combined", text), Exchange::default()).encode(&mut as_record);
/// assert_eq!(BStr::new(&by_hand), BStr::new(&as_record));
/// ```
#[derive(Debug)]
pub struct Encoder {
    /// From the beginning to the line's number, with room for an id.
    beginning: Vec<u8>,
    /// The format of the last record, and what is written for it.
    format: String,
    format_json: Vec<u8>,
    /// The time of the last record, and what is written for it: lines of the same second are many.
    time: Timestamp,
    time_json: Vec<u8>,
    /// Where the last line has bytes that are escaped.
    marks: Vec<u64>,
}

const ID_DIGITS: usize = 32;

impl Encoder {
    /// For records of the log called `source`.
    pub fn new(source: &[u8]) -> Self {
        let mut encoder = Self {
            beginning: [BEFORE_ID, &[b'0'; ID_DIGITS]].concat(),
            format: String::new(),
            format_json: Vec::new(),
            time: Timestamp::UNIX_EPOCH,
            time_json: Vec::new(),
            marks: Vec::new(),
        };
        push_before_line(source, &mut encoder.beginning);
        encoder.set_format("");
        encoder.set_time(Timestamp::UNIX_EPOCH);
        encoder
    }

    /// Appends the record of the line `text` of this log, which is `number` and begins after `offset` bytes, with its line end. Its id is all zeros
    /// until it is [named](Self::name).
    pub fn encode(
        &mut self,
        place: (u64, u64),
        format: &str,
        text: &[u8],
        original: &ExchangeRef<'_>,
        out: &mut Vec<u8>,
    ) {
        if self.format != format {
            self.set_format(format);
        }
        if let Some(time) = original.time.filter(|&time| time != self.time) {
            self.set_time(time);
        }
        dispatch!(Level::new(), simd => self.encode_with(simd, place, text, original, out));
    }

    /// Gives the record that begins at the beginning of `line` its id.
    pub fn name(line: &mut [u8], id: RecordId) {
        if let Some(old) = line.get_mut(BEFORE_ID.len()..BEFORE_ID.len() + ID_DIGITS) {
            old.copy_from_slice(&id.digits());
        }
    }

    /// What is left to do, with what processors of a level can.
    #[expect(clippy::inline_always, reason = "only what is inlined is compiled for a processor's level")]
    #[inline(always)]
    fn encode_with<S: Simd>(
        &mut self,
        simd: S,
        (number, offset): (u64, u64),
        text: &[u8],
        original: &ExchangeRef<'_>,
        out: &mut Vec<u8>,
    ) {
        let line = Whole::new(simd, text, &mut self.marks);
        out.extend_from_slice(&self.beginning);
        push_place(number, offset, out);
        out.extend_from_slice(&self.format_json);
        line.push(TEXT, out);
        out.extend_from_slice(BEHIND_TEXT);
        push_original(original, Some((&self.time_json, &line)), out);
        out.extend_from_slice(b"}\n");
    }

    fn set_format(&mut self, format: &str) {
        format.clone_into(&mut self.format);
        self.format_json.clear();
        push_format(format, &mut self.format_json);
    }

    fn set_time(&mut self, time: Timestamp) {
        self.time = time;
        self.time_json.clear();
        push_time(time, &mut self.time_json);
    }
}
