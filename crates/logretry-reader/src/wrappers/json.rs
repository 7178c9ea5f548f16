//! Lines that collectors have put into a JSON object: the text under `message`, `log`, `event.original` …, or an object in which the fields stand.
//!
//! ```text
//!   {"@timestamp":"…","host":{…},"message":"203.0.113.9 - - […"}     Filebeat, Vector, CloudWatch
//!   {"log":"203.0.113.9 - - […","kubernetes":{…}}                    Fluent Bit
//!   {"preview":false,"result":{"_raw":"203.0.113.9 - - […"}}         Splunk
//! ```
//!
//! What is inside an object is given as it stands there.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Layer, Part, Wrapper};

/// Keys of the text, best first.
const TEXTS: [&str; 14] = [
    "message",
    "log",
    "line",
    "_raw",
    "original",
    "msg",
    "@message",
    "textPayload",
    "MESSAGE",
    "full_message",
    "short_message",
    "raw",
    "text",
    "properties",
];

/// Keys of objects in which the text or the fields are, best first.
const OBJECTS: [&str; 19] = [
    "event",
    "_source",
    "result",
    "attributes",
    "jsonPayload",
    "properties",
    "fields",
    "payload",
    "data",
    "meta",
    "proxy",
    "State",
    "log",
    "message",
    "request_log",
    "context",
    "extra",
    "record",
    "http_log",
];

/// A text that is shorter is no line of an access log.
const TEXT_BYTES_MIN: usize = 16;

pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    // Most lines are no such object; this is cheap to tell.
    if line.first() != Some(&b'{') || line.trim_ascii_end().last() != Some(&b'}') {
        return None;
    }
    let Members { texts, objects } = serde_json::from_slice(line).ok()?;
    let text = texts.into_iter().flatten().find_map(text);
    let inside = text.or_else(|| {
        objects
            .into_iter()
            .flatten()
            .map(|object| Cow::Borrowed(object.get().as_bytes()))
            .find(|object| may_tell(object))
    });
    Some(Layer { wrapper: Wrapper::Json, stream: Cow::Borrowed(b""), text: inside?, part: Part::Whole })
}

fn text(raw: &RawValue) -> Option<Cow<'_, [u8]>> {
    let text: Cow<'_, str> = serde_json::from_str::<Text<'_>>(raw.get()).ok()?.0;
    let trimmed = text.trim_end_matches(['\n', '\r']);
    if trimmed.len() < TEXT_BYTES_MIN || !trimmed.contains([' ', '{']) {
        return None;
    }
    let length = trimmed.len();
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text.as_bytes()[..length]),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text.into_bytes())
        }
    })
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a status or a line may be in the object, by its looks.
fn may_tell(object: &[u8]) -> bool {
    [b"tatus".as_slice(), b"ode\"", b"HTTP/"].iter().any(|sign| memchr::memmem::find(object, sign).is_some())
}

/// The members of an object that are looked at, in the order of their keys above.
struct Members<'a> {
    texts: [Option<&'a RawValue>; TEXTS.len()],
    objects: [Option<&'a RawValue>; OBJECTS.len()],
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Taker)
    }
}

struct Taker;

impl<'de> Visitor<'de> for Taker {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { texts: [None; TEXTS.len()], objects: [None; OBJECTS.len()] };
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let value: &RawValue = map.next_value()?;
            let (names, places): (&[&str], &mut [Option<&RawValue>]) = match value.get().as_bytes().first() {
                Some(b'"') => (&TEXTS, &mut members.texts),
                Some(b'{') => (&OBJECTS, &mut members.objects),
                _ => continue,
            };
            if let Some(place) = names.iter().position(|name| *name == key) {
                places[place] = Some(value);
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_or_the_object_within_is_given_as_it_stands() {
        for (line, expected) in [
            (
                r#"{"@timestamp":"x","message":"203.0.113.9 - - \"GET\"\n","host":{"name":"a"}}"#,
                Some(r#"203.0.113.9 - - "GET""#),
            ),
            (r#"{"log":{"offset":7},"message":"203.0.113.9 - - [x]"}"#, Some("203.0.113.9 - - [x]")),
            (
                r#"{"event":{"original":"203.0.113.9 - - HTTP/1.1"},"log":{"status":1}}"#,
                Some(r#"{"original":"203.0.113.9 - - HTTP/1.1"}"#),
            ),
            (r#"{"original":"203.0.113.9 - - HTTP/1.1"}"#, Some("203.0.113.9 - - HTTP/1.1")),
            (
                r#"{"level":"error","message":"short","meta":{"res":{"statusCode":502}}}"#,
                Some(r#"{"res":{"statusCode":502}}"#),
            ),
            (r#"{"message":"{\"status\":502,\"a\":1}"}"#, Some(r#"{"status":502,"a":1}"#)),
            (r#"{"message":"short","meta":{"a":1}}"#, None),
            (r#"{"message":["203.0.113.9 - - [x]"]}"#, None),
            (r#"{"message":"203.0.113.9 - - [x]""#, None),
            ("{}", None),
        ] {
            let seen = peel(line.as_bytes()).map(|layer| layer.text.into_owned());
            assert_eq!(seen, expected.map(|text| text.as_bytes().to_vec()), "{line}");
        }
    }
}
