//! Lines as a reader has them when it writes their records.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use logretry_record::{Encoder, ExchangeRef, RecordId};

use crate::requests::{Request, combined, requests};

/// A line, and what a format has found in it.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) text: String,
    id: RecordId,
    time: Timestamp,
    request: Request,
    /// Where client, method, target and user agent stand in the text.
    parts: [Range<usize>; 4],
}

/// 22 November 2026, midnight.
const MIDNIGHT: i64 = 1_795_305_600;

/// The first so many lines of the day.
pub(crate) fn logged(count: usize) -> Vec<Logged> {
    let logged = requests(count).map(|request| {
        let text = combined(&request);
        let second = i64::try_from(request.second).expect("a second of a day");
        let time = Timestamp::from_second(MIDNIGHT + second).expect("a time");
        let Request { client, method, target, user_agent, .. } = &request;
        let parts = [client, *method, target, user_agent].map(|part| {
            let at = text.find(part).expect("it is written into the line");
            at..at + part.len()
        });
        Logged { id: RecordId::of_line(text.as_bytes(), 0), text, time, request, parts }
    });
    logged.collect()
}

impl Logged {
    fn exchange(&self) -> ExchangeRef<'_> {
        let [client, method, target, user_agent] =
            self.parts.each_ref().map(|part| Some(Cow::Borrowed(&self.text.as_bytes()[part.clone()])));
        ExchangeRef {
            time: Some(self.time),
            method,
            target,
            status: Some(self.request.status),
            bytes: Some(u64::from(self.request.bytes)),
            client,
            user_agent,
            ..ExchangeRef::default()
        }
    }
}

/// Appends the records of all lines.
pub(crate) fn encode(encoder: &mut Encoder, logged: &[Logged], out: &mut Vec<u8>) {
    let mut offset = 0;
    for (line, number) in logged.iter().zip(1..) {
        let text = line.text.as_bytes();
        let start = out.len();
        encoder.encode((number, offset), "combined", text, &line.exchange(), out);
        Encoder::name(&mut out[start..], line.id);
        offset += text.len() as u64 + 1;
    }
}

/// The records of all lines, each with its line end.
pub(crate) fn encoded(logged: &[Logged]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    encode(&mut Encoder::new(b"access.log"), logged, &mut out);
    out.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}
