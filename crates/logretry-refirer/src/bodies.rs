//! `--bodies`: the bodies of requests whose access log has only their ids.
//!
//! ```text
//! {"request_id":"7f2a","headers":{"Content-Type":"application/json"},"body":"{\"a\":1}"}
//! {"request_id":"7f2b","body_base64":"H4sIAAAA…"}
//! ```
//!
//! NDJSON, one request a line: `request_id` as the access log has it, the body as text or in base64, and, if they are known, the headers (an
//! object, or a list of names and values as in a record). Other fields are ignored. Only the places of the lines are held in memory, about a hundred bytes
//! each; a body is read when its request is planned.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logretry_record::{Exchange, Header, RECORD_BYTES_MAX};
use serde::Deserialize;

use crate::RefirerError;

/// An open file of bodies.
#[derive(Debug)]
pub struct Bodies {
    file: File,
    /// None, if there are several bodies for the id, and nobody knows which was whose.
    places: HashMap<Box<str>, Option<Place>>,
}

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
        let mut bodies = Self { file: file.try_clone().map_err(failed)?, places: HashMap::new() };
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
            if !line.trim_ascii().is_empty() {
                let given = Given::read(&line).map_err(refuse)?;
                bodies.add(given, Place { offset, length });
            }
            offset += length as u64;
        }
        Ok(bodies)
    }

    /// How many ids have several bodies.
    pub(crate) fn unclear(&self) -> usize {
        self.places.values().filter(|place| place.is_none()).count()
    }

    /// `original` with the body that belongs to its id, if it has none of its own.
    pub(crate) fn complete(&self, original: &Exchange) -> Option<Exchange> {
        if original.body.is_some() {
            return None;
        }
        let id = std::str::from_utf8(original.request_id.as_ref()?).ok()?;
        let Given { headers, body, .. } = self.read((*self.places.get(id)?)?)?;
        let mut completed = Exchange { headers, body: Some(body.into()), ..original.clone() };
        completed.lossy.retain(|part| part != "body");
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
    headers: Vec<Header>,
    body: Vec<u8>,
}

impl Given {
    fn read(line: &[u8]) -> Result<Self, String> {
        let Line { request_id, headers, body, body_base64 } =
            serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let body = match (body, body_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => {
                STANDARD.decode(base64).map_err(|error| format!("`body_base64` is not base64: {error}"))?
            }
            (None, None) => return Err("it has neither `body` nor `body_base64`".to_owned()),
            (Some(_), Some(_)) => return Err("it has both `body` and `body_base64`".to_owned()),
        };
        let pairs: Vec<(String, String)> = match headers {
            None => Vec::new(),
            Some(Headers::Object(object)) => object.into_iter().collect(),
            Some(Headers::List(list)) => {
                list.into_iter().map(|Named { name, value }| (name, value)).collect()
            }
        };
        let headers = pairs.into_iter().filter_map(|(name, value)| Header::recorded(&name, value)).collect();
        Ok(Self { id: request_id, headers, body })
    }
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
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<Bodies, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("a file");
        let name = file.path().display().to_string();
        Bodies::open(file.path()).map_err(|error| error.to_string().replace(&name, "FILE"))
    }

    fn completed(bodies: &Bodies, id: &str) -> Option<Exchange> {
        bodies.complete(&Exchange { request_id: Some(id.into()), ..Exchange::default() })
    }

    #[test]
    fn a_body_is_found_by_its_id() {
        let text = concat!(
            r#"{"request_id":"a","headers":{"Content-Type":"text/plain","Cookie":"b=c"},"body":"é"}"#,
            "\n\n",
            r#"{"request_id":"b","headers":[{"name":"X-A","value":"1"},{"name":"X-A","value":"2"}],"body_base64":"H4s="}"#,
            "\r\n",
            r#"{"request_id":"c","body":"","later":1}"#,
        );
        let bodies = opened(text).expect("bodies");
        let a = completed(&bodies, "a").expect("a body");
        assert_eq!(a.body, Some("é".into()));
        assert_eq!(a.headers, [Header { name: "Content-Type".into(), value: "text/plain".into() }]);
        let b = completed(&bodies, "b").expect("a body");
        assert_eq!((b.body, b.headers.len()), (Some(b"\x1f\x8b".into()), 2));
        assert_eq!(completed(&bodies, "c").and_then(|c| c.body), Some("".into()));
        assert_eq!(completed(&bodies, "d"), None);
        assert_eq!(bodies.complete(&Exchange::default()), None);
        let own = Exchange { request_id: Some("a".into()), body: Some("own".into()), ..Exchange::default() };
        assert_eq!(bodies.complete(&own), None);
    }

    #[test]
    fn an_id_with_two_bodies_has_none() {
        let line = |id: &str, body: &str| format!("{{\"request_id\":\"{id}\",\"body\":\"{body}\"}}\n");
        let bodies = opened(
            &[line("a", "x"), line("b", "x"), line("a", "x"), line("b", "y"), line("b", "x")].concat(),
        );
        let bodies = bodies.expect("bodies");
        assert!(completed(&bodies, "a").is_some() && completed(&bodies, "b").is_none());
        assert_eq!(bodies.unclear(), 1);
    }

    #[test]
    fn what_cannot_be_used_is_said_with_its_line() {
        for (line, why) in [
            ("a=b", "expected value at line 1 column 1"),
            (r#"{"body":"x"}"#, "missing field `request_id` at line 1 column 12"),
            (r#"{"request_id":"a"}"#, "it has neither `body` nor `body_base64`"),
            (r#"{"request_id":"a","body":"","body_base64":""}"#, "it has both `body` and `body_base64`"),
            (
                r#"{"request_id":"a","body":"","headers":7}"#,
                "`headers` is neither an object of texts nor a list of `name` and `value` at line 1 column 40",
            ),
        ] {
            let error = opened(&format!("\n{line}\n")).expect_err(line);
            assert_eq!(error, format!("use the bodies of `FILE`, line 2: {why}"));
        }
    }
}
