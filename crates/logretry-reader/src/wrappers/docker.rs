use std::borrow::Cow;

use serde::Deserialize;

use super::{Layer, Part, Wrapper};

/// What docker's `json-file` driver writes (moby `daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go`). Forwarders add keys.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
}

/// docker reads what a container writes in pieces of this size (moby `daemon/logger/copier.go`), so that a shorter piece was not cut by it.
const PIECE_BYTES: usize = 16 << 10;

/// `{"log":"…\n","stream":"stdout","time":"…"}`. docker has replaced bytes that are not UTF-8 by U+FFFD.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let Line { log, stream } = serde_json::from_slice(line.strip_prefix(b"\x1e").unwrap_or(line)).ok()?;
    if stream != "stdout" && stream != "stderr" {
        return None;
    }
    let log = bytes(log);
    let length = log.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text).len());
    let (text, part) = match length {
        Some(length) => (shortened(log, length), Part::End),
        None if log.len() < PIECE_BYTES => (log, Part::Unended),
        None => (log, Part::More),
    };
    Some(Layer { wrapper: Wrapper::Docker, stream: bytes(stream), text, part })
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn shortened(text: Cow<'_, [u8]>, length: usize) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..length]),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_unescaped_and_its_line_end_says_whether_it_goes_on() {
        let long = format!(r#"{{"log":"{}","stream":"stdout"}}"#, "x".repeat(PIECE_BYTES));
        let text = "x".repeat(PIECE_BYTES);
        for (line, expected) in [
            (r#"{"log":"a\u0026b \"c\"\n","stream":"stdout","time":"2026"}"#, Some(("a&b \"c\"", Part::End))),
            (
                r#"{"time":"2026","stream":"stderr","attrs":{"tag":"x"},"log":"\ud83d\ude00\r\n"}"#,
                Some(("😀", Part::End)),
            ),
            (r#"{"log":"short","stream":"stdout","time":"2026"}"#, Some(("short", Part::Unended))),
            (&long, Some((&text, Part::More))),
            (r#"{"log":"\n","stream":"stdout"}"#, Some(("", Part::End))),
            (r#"{"log":"a\n","stream":"access"}"#, None),
            (r#"{"log":{"a":1},"stream":"stdout"}"#, None),
            (r#"{"log":"a\n"}"#, None),
            (r#"{"log":"a\n","stream":"stdout""#, None),
        ] {
            let layer = peel(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.text, layer.part));
            assert_eq!(seen, expected.map(|(text, part)| (text.as_bytes(), part)), "{line}");
        }
    }
}
