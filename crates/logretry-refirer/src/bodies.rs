//! `--bodies`: the bodies of requests whose access log has only their ids.
//!
//! ```text
//! {"request_id":"7f2a","headers":{"Content-Type":"application/json"},"body":"{\"a\":1}"}
//! {"request_id":"7f2b","body_base64":"H4sIAAAA…"}
//! ```
//!
//! NDJSON, one request a line: `request_id` as the access log has it, the body as text or in base64, and, if they are known, the headers (an
//! object, or a list of names and values as in a record). Other fields are ignored. Only the places of the lines are held in memory, about a hundred bytes
//! each; a body is read when its request is planned. One that its own headers show to be another than the one that went over the wire is none, as in a HAR file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logretry_record::{Exchange, Header, RECORD_BYTES_MAX, is_text_as_sent};
use serde::Deserialize;

use crate::RefirerError;

/// An open file of bodies.
#[derive(Debug)]
pub struct Bodies {
    file: File,
    /// None, if there are several bodies for the id, and nobody knows which was whose.
    places: HashMap<Box<str>, Option<Place>>,
    /// Lines whose body is not as their headers say.
    lost: usize,
}

/// What programs of Windows write at the very beginning; RFC 8259 §8.1 lets a parser pass over it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: usize,
}

impl Bodies {
    /// Opens the file at `path` and finds its lines. Each must be one that can be used.
    pub fn open(path: &Path) -> Result<Self, RefirerError> {
        let failed = |error| RefirerError::File { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(failed(io::Error::other(
                "it is no regular file, and each body is read once more when its request is planned; write them into a file first",
            )));
        }
        let mut bodies = Self { file: file.try_clone().map_err(failed)?, places: HashMap::new(), lost: 0 };
        let mut lines = BufReader::with_capacity(1 << 17, file);
        let (mut line, mut offset) = (Vec::new(), 0);
        for number in 1_u64.. {
            line.clear();
            let most = RECORD_BYTES_MAX as u64 + 1;
            let length = lines.by_ref().take(most).read_until(b'\n', &mut line).map_err(failed)?;
            if length == 0 {
                break;
            }
            let refuse = |why| RefirerError::Bodies { path: path.to_owned(), line: number, why };
            if length > RECORD_BYTES_MAX {
                return Err(refuse(format!("it is longer than {RECORD_BYTES_MAX} bytes")));
            }
            let marked =
                if offset == 0 && line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let text = &line[marked..];
            if !text.trim_ascii().is_empty() {
                let given = Given::read(text).map_err(refuse)?;
                bodies.lost += usize::from(given.body.is_none());
                bodies.add(given, Place { offset: offset + marked as u64, length: text.len() });
            }
            offset += length as u64;
        }
        Ok(bodies)
    }

    /// What a person should know of the file: which of its bodies are of no use.
    pub fn complaints(&self) -> impl Iterator<Item = String> {
        let unclear = self.places.values().filter(|place| place.is_none()).count();
        let unclear = (unclear > 0).then(|| {
            format!(
                "{unclear} request ids have several bodies in --bodies; requests with these ids are not sent"
            )
        });
        let lost = (self.lost > 0).then(|| {
            format!(
                "{} bodies in --bodies are not as long as their Content-Length says, not packed as their Content-Encoding says, or not in the charset of their Content-Type; their requests are not sent",
                self.lost
            )
        });
        unclear.into_iter().chain(lost)
    }

    /// `original` with the body that belongs to its id, if it has none of its own. Where there is one, but nobody can tell it, it is lost.
    pub(crate) fn complete(&self, original: &Exchange) -> Option<Exchange> {
        if original.body.is_some() {
            return None;
        }
        let id = std::str::from_utf8(original.request_id.as_ref()?).ok()?;
        let given = self.places.get(id)?.and_then(|place| self.read(place)).filter(|given| given.id == id);
        let mut completed = original.clone();
        completed.lossy.retain(|part| part != "body");
        match given.and_then(|given| given.body_of(original)) {
            Some((headers, body)) => {
                completed.headers = headers;
                completed.body = Some(body.into());
            }
            None => completed.lossy.push("body".into()),
        }
        Some(completed)
    }

    fn add(&mut self, given: Given, place: Place) {
        match self.places.entry(given.id.clone().into()) {
            Entry::Vacant(entry) => drop(entry.insert(Some(place))),
            Entry::Occupied(entry) => {
                let before = *entry.get();
                let is_same =
                    before.and_then(|before| self.read(before)).is_some_and(|before| before == given);
                if !is_same {
                    self.places.insert(given.id.into(), None);
                }
            }
        }
    }

    /// The line at `place`; none if the file has changed meanwhile.
    fn read(&self, Place { offset, length }: Place) -> Option<Given> {
        let mut line = vec![0; length];
        self.file.read_exact_at(&mut line, offset).ok()?;
        Given::read(&line).ok()
    }
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    id: String,
    /// None, if the line says nothing of them.
    headers: Option<Vec<Header>>,
    is_text: bool,
    /// None, if it is not as the headers say.
    body: Option<Vec<u8>>,
}

impl Given {
    fn read(line: &[u8]) -> Result<Self, String> {
        let line = std::str::from_utf8(line)
            .map_err(|_| "it is no text in UTF-8; unpack the file first, if it is compressed".to_owned())?;
        let Line { request_id, headers, body, body_base64 } =
            serde_json::from_str(line).map_err(|error| error.to_string())?;
        let is_text = body.is_some();
        let body = match (body, body_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| format!("`body_base64` is not base64: {error}"))?
            }
            (None, None) => return Err("it has neither `body` nor `body_base64`".to_owned()),
            (Some(_), Some(_)) => return Err("it has both `body` and `body_base64`".to_owned()),
        };
        let pairs: Option<Vec<(String, String)>> = headers.map(|headers| match headers {
            Headers::Object(object) => object.into_iter().collect(),
            Headers::List(list) => list.into_iter().map(|Named { name, value }| (name, value)).collect(),
        });
        let value = |name: &str| {
            let header = pairs.iter().flatten().find(|(other, _)| other.eq_ignore_ascii_case(name));
            header.map(|(_, value)| value.as_str())
        };
        let body = Some(body).filter(|body| is_whole(body, is_text, value));
        let recorded = |(name, value): (String, String)| Header::recorded(&name, value);
        let headers = pairs.map(|pairs| pairs.into_iter().filter_map(recorded).collect());
        Ok(Self { id: request_id, headers, is_text, body })
    }

    /// The body of `original` and the headers that go with it: those of the line, or else those that were captured, which it must be as well.
    fn body_of(self, original: &Exchange) -> Option<(Vec<Header>, Vec<u8>)> {
        let body = self.body?;
        if let Some(headers) = self.headers {
            return Some((headers, body));
        }
        let value = |name: &str| {
            let header = original.headers.iter().find(|header| header.is(name))?;
            std::str::from_utf8(&header.value).ok()
        };
        is_whole(&body, self.is_text, value).then(|| (original.headers.clone(), body))
    }
}

/// Whether `body` may be what went over the wire with these headers: as long as they say, and, if they say that it was packed, no text; nor, if nothing says how long it was,
/// text that they say to have been in another charset.
fn is_whole<'a>(body: &[u8], is_text: bool, header: impl Fn(&str) -> Option<&'a str>) -> bool {
    let value = |name| header(name).map(str::trim);
    let is_as_sent = || {
        let text = std::str::from_utf8(body).ok().filter(|_| is_text);
        text.is_none_or(|text| is_text_as_sent(text, value("content-type")))
    };
    let has_length =
        value("content-length").map_or_else(is_as_sent, |length| length.parse() == Ok(body.len()));
    let is_packed = value("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    has_length && !(is_text && is_packed)
}

#[derive(Deserialize)]
struct Line {
    request_id: String,
    #[serde(default)]
    headers: Option<Headers>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`headers` is neither an object of texts nor a list of `name` and `value`")]
enum Headers {
    Object(std::collections::BTreeMap<String, String>),
    List(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    value: String,
}

#[cfg(test)]
mod tests;
