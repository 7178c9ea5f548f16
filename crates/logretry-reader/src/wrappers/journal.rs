use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Layer, Part, Wrapper};

/// What `journalctl -o json` writes (systemd, "Journal JSON Format"): fields that begin with `_` are the journal's own.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "MESSAGE", borrow)]
    message: Message<'a>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: Option<IgnoredAny>,
    #[serde(rename = "__CURSOR")]
    cursor: Option<IgnoredAny>,
    #[serde(rename = "_HOSTNAME")]
    host: Option<IgnoredAny>,
    #[serde(rename = "_TRANSPORT")]
    transport: Option<IgnoredAny>,
    /// Why the entry ends, if not with its line: `line-max` says that the next one of its stream goes on.
    #[serde(rename = "_LINE_BREAK", borrow)]
    line_break: Option<Cow<'a, str>>,
    #[serde(rename = "_STREAM_ID", borrow)]
    stream_id: Option<Cow<'a, str>>,
    /// Docker's journald driver, of pieces but the last.
    #[serde(rename = "CONTAINER_PARTIAL_MESSAGE")]
    partial: Option<IgnoredAny>,
    #[serde(rename = "CONTAINER_ID_FULL", borrow)]
    container: Option<Cow<'a, str>>,
}

/// A field: a string where it is UTF-8 without control characters, else an array of its bytes; an array of those where it was given more than once;
/// `null` where it was too long to be shown.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    Lists(Vec<Vec<u8>>),
    None(()),
}

const TOO_LONG: &str = "journalctl has left its text out because it is long; write the journal out again with `journalctl --all`";

/// `{"__CURSOR":"…","MESSAGE":"…",…}`.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let line = line.strip_prefix(b"\x1e").unwrap_or(line);
    // Untagged fields keep a copy of what they look at; most JSON lines are no journal's and need none.
    memchr::memmem::find(line, b"\"MESSAGE\"")?;
    let Entry { message, time, cursor, host, transport, line_break, stream_id, partial, container } =
        serde_json::from_slice(line).ok()?;
    time.or(cursor).or(host).or(transport)?;
    let goes_on = partial.is_some() || line_break.is_some_and(|why| why == "line-max");
    let stream = container.or(stream_id);
    let whole = match (goes_on, &stream) {
        (true, _) => Part::More,
        (false, Some(_)) => Part::End,
        (false, None) => Part::Whole,
    };
    let (text, part) = match message {
        Message::Text(Cow::Borrowed(text)) => (Cow::Borrowed(text.as_bytes()), whole),
        Message::Text(Cow::Owned(text)) => (Cow::Owned(text.into_bytes()), whole),
        Message::Bytes(bytes) => (Cow::Owned(bytes), whole),
        Message::Texts(texts) => (Cow::Owned(texts.into_iter().next()?.into_bytes()), Part::Whole),
        Message::Lists(lists) => (Cow::Owned(lists.into_iter().next()?), Part::Whole),
        Message::None(()) => (Cow::Borrowed(b"".as_slice()), Part::Lost(TOO_LONG)),
    };
    let stream = match stream {
        Some(Cow::Borrowed(stream)) => Cow::Borrowed(stream.as_bytes()),
        Some(Cow::Owned(stream)) => Cow::Owned(stream.into_bytes()),
        None => Cow::Borrowed(b"".as_slice()),
    };
    Some(Layer { wrapper: Wrapper::JournalJson, stream, text, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_a_string_or_bytes_or_left_out() {
        for (line, expected) in [
            (r#"{"__CURSOR":"s","MESSAGE":"a \"b\"","_HOSTNAME":"web1"}"#, Some(("a \"b\"", Part::Whole))),
            (r#"{"_HOSTNAME":"web1","MESSAGE":[71,69,84]}"#, Some(("GET", Part::Whole))),
            (r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":null}"#, Some(("", Part::Lost(TOO_LONG)))),
            (r#"{"_TRANSPORT":"stdout","MESSAGE":["one","two"]}"#, Some(("one", Part::Whole))),
            (r#"{"_TRANSPORT":"stdout","MESSAGE":[[71],[69]]}"#, Some(("G", Part::Whole))),
            ("\x1e{\"__CURSOR\":\"s\",\"MESSAGE\":\"a\"}", Some(("a", Part::Whole))),
            (
                r#"{"_HOSTNAME":"web1","MESSAGE":"a","_LINE_BREAK":"line-max","_STREAM_ID":"s"}"#,
                Some(("a", Part::More)),
            ),
            (
                r#"{"_HOSTNAME":"web1","MESSAGE":"a","_LINE_BREAK":"eof","_STREAM_ID":"s"}"#,
                Some(("a", Part::End)),
            ),
            (
                r#"{"_HOSTNAME":"web1","MESSAGE":"a","CONTAINER_PARTIAL_MESSAGE":"true"}"#,
                Some(("a", Part::More)),
            ),
            (r#"{"MESSAGE":"a","status":502}"#, None),
            (r#"{"__CURSOR":"s","MESSAGE":7}"#, None),
            (r#"{"__CURSOR":"s","message":"a"}"#, None),
        ] {
            let layer = peel(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.text, layer.part));
            assert_eq!(seen, expected.map(|(text, part)| (text.as_bytes(), part)), "{line}");
        }
    }
}
