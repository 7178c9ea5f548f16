use std::collections::{BTreeMap, HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::HEAD_BYTES_MAX;
use super::message::{Kind, Message, Meta, Payload, body, meta};

/// Requests that wait for their responses at most, and what they may hold.
const WAITING_MAX: usize = 10_000;
const WAITING_BYTES_MAX: usize = 64 << 20;

/// An exchange, or what is left of one.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) text: Vec<u8>,
    pub(super) is_cut: bool,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    offset: u64,
    meta: Meta,
    fields: Map<String, Value>,
    bytes: usize,
}

/// Requests until their responses come.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// By their numbers.
    waiting: BTreeMap<u64, Waiting>,
    by_id: HashMap<String, u64>,
    bytes: usize,
    ready: VecDeque<Entry>,
}

impl Pairs {
    /// The next entry that is whole.
    pub(super) fn next(&mut self) -> Option<Entry> {
        self.ready.pop_front()
    }

    /// The next request that nobody answered; for the end of the capture.
    pub(super) fn rest(&mut self) -> Option<Entry> {
        self.oldest().map(|waiting| waiting.entry(None))
    }

    pub(super) fn take(&mut self, payload: Payload<'_>, body_bytes_max: usize) {
        let Payload { bytes, length, number, offset } = payload;
        let as_it_is = |is_cut| Entry { number, offset, text: bytes.to_vec(), is_cut };
        let Some(meta) = meta(bytes) else {
            return self.ready.push_back(as_it_is(length > bytes.len()));
        };
        let message = &bytes[meta.length..];
        match meta.kind {
            Kind::Replayed => {}
            Kind::Response => {
                let number = self.by_id.get(&meta.id).copied();
                let request = number.and_then(|number| self.leave(number));
                let request = request.unwrap_or_else(|| Waiting::unknown(payload, meta.clone()));
                self.ready.push_back(request.entry(Some((&meta, message, length - meta.length))));
            }
            Kind::Request
                if length > bytes.len() || message.len() > body_bytes_max.saturating_add(HEAD_BYTES_MAX) =>
            {
                self.ready.push_back(as_it_is(true));
            }
            Kind::Request => {
                let Some(fields) = request(message, &meta) else {
                    return self.ready.push_back(as_it_is(false));
                };
                // The same id again: the first will not be answered any more.
                if let Some(before) = self.by_id.get(&meta.id).copied().and_then(|number| self.leave(number))
                {
                    self.ready.push_back(before.entry(None));
                }
                self.by_id.insert(meta.id.clone(), number);
                self.bytes += length;
                self.waiting.insert(number, Waiting { number, offset, meta, fields, bytes: length });
                while self.waiting.len() > WAITING_MAX || self.bytes > WAITING_BYTES_MAX {
                    let Some(oldest) = self.oldest() else { break };
                    self.ready.push_back(oldest.entry(None));
                }
            }
        }
    }

    fn oldest(&mut self) -> Option<Waiting> {
        let number = *self.waiting.keys().next()?;
        self.leave(number)
    }

    fn leave(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.by_id.remove(&waiting.meta.id);
        self.bytes -= waiting.bytes;
        Some(waiting)
    }
}

impl Waiting {
    /// The request of a response that stands alone.
    fn unknown(payload: Payload<'_>, meta: Meta) -> Self {
        let fields =
            Map::from_iter([("gor".to_owned(), json!(meta.id)), ("time".to_owned(), json!(meta.time_ns))]);
        Self { number: payload.number, offset: payload.offset, meta, fields, bytes: 0 }
    }

    /// The exchange with its response, of which the whole length is known.
    fn entry(mut self, response: Option<(&Meta, &[u8], usize)>) -> Entry {
        if let Some((meta, message, length)) = response {
            if let Some((status, body)) = answer(message) {
                self.fields.insert("status".to_owned(), json!(status));
                self.fields.insert("bytes".to_owned(), json!(length - body));
            }
            let duration = meta.latency_ns.unwrap_or(meta.time_ns.saturating_sub(self.meta.time_ns));
            self.fields.insert("duration_ns".to_owned(), json!(duration));
        }
        let text = Value::Object(self.fields).to_string().into_bytes();
        Entry { number: self.number, offset: self.offset, text, is_cut: false }
    }
}

/// What is known of a request; `None` if it is none of HTTP/1.
fn request(message: &[u8], meta: &Meta) -> Option<Map<String, Value>> {
    let read = Message::of(message)?;
    let mut words = read.start.splitn(2, |&byte| byte == b' ');
    let (method, rest) = (words.next()?, words.next()?);
    let end = memchr::memrchr(b' ', rest)?;
    let (target, protocol) = (&rest[..end], &rest[end + 1..]);
    if method.is_empty() || target.is_empty() || !protocol.starts_with(b"HTTP/") {
        return None;
    }
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("gor", json!(meta.id));
    put("time", json!(meta.time_ns));
    put("method", json!(std::str::from_utf8(method).ok()?));
    if let Some(host) = read.header("host").and_then(|host| std::str::from_utf8(host).ok()) {
        put("host", json!(host));
    }
    put("target", json!(ascii(target)));
    let headers = read.headers.iter().filter_map(|(name, value)| {
        let name = std::str::from_utf8(name).ok()?;
        Some(match std::str::from_utf8(value) {
            Ok(value) => json!({ "name": name, "value": value }),
            Err(_) => json!({ "name": name, "value_base64": STANDARD.encode(value) }),
        })
    });
    put("headers", headers.collect());
    match body(&read, message).map(String::from_utf8) {
        Some(Ok(body)) => put("body", json!(body)),
        Some(Err(error)) => put("body_base64", json!(STANDARD.encode(error.as_bytes()))),
        None => put("lost", json!("body")),
    }
    Some(fields)
}

/// The status of a response, and where its body begins; answers that only announce another one are passed over.
fn answer(message: &[u8]) -> Option<(u16, usize)> {
    let mut before = 0;
    loop {
        let read = Message::of(&message[before..])?;
        let status = read.start.strip_prefix(b"HTTP/")?.split(|&byte| byte == b' ').nth(1)?;
        let status: u16 = std::str::from_utf8(status).ok()?.parse().ok()?;
        before += read.body;
        if !(100..200).contains(&status) || status == 101 {
            return Some((status, before));
        }
    }
}

/// The target in ASCII: bytes that are not are percent-encoded, as they may not stand in a URL.
fn ascii(target: &[u8]) -> String {
    target.iter().fold(String::new(), |text, &byte| match byte {
        0x20..=0x7e => text + char::from(byte).encode_utf8(&mut [0; 4]),
        _ => text + &format!("%{byte:02X}"),
    })
}
