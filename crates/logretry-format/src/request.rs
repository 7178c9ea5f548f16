use crate::spans::Span;

/// A request line taken apart, its bytes still escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method: Span,
    pub(crate) target: Span,
    /// `HTTP/1.1`; empty where there is none.
    pub(crate) protocol: Span,
}

/// Splits the request line that stands at `whole` from both ends.
///
/// The method goes to the first space; the protocol is the last word if it looks like one (HTTP/0.9 has none, and a server that
/// cuts an over-long line has cut it off); the target is what is between, spaces inside it included. `None` if the first
/// word is no method (RFC 9110 §9.1) or a lone `-`, or no target follows it: then what came in was not HTTP.
///
/// No log escape makes or hides a space, so this is done before the escape is undone.
pub(crate) fn split(line: &[u8], whole: Span) -> Option<RequestLine> {
    let bytes = whole.of(line);
    // Methods are short, so looking at each byte is faster than a search.
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let (last, ends_in_protocol) = match last_space(bytes)? {
        (last, true) => (last, true),
        (last, false) => (last, is_protocol(&bytes[last + 1..])),
    };
    if !is_token(&bytes[..space]) || &bytes[..space] == b"-" {
        return None;
    }
    let mut end = bytes.len();
    let mut protocol = end;
    if ends_in_protocol {
        end = last;
        protocol = last + 1;
    }
    // hypercorn writes the version alone.
    if !ends_in_protocol
        && let Some(target) = bytes.get(space + 1..last)
        && target.starts_with(b"/")
        && !target.contains(&b' ')
        && matches!(&bytes[last + 1..], b"1.0" | b"1.1" | b"2" | b"3")
    {
        end = last;
    }
    // `end < space` would be a protocol alone; more than one space around the target is white space, not target.
    let mut start = space + 1;
    while start < end && bytes[start] == b' ' {
        start += 1;
    }
    while start < end && bytes[end - 1] == b' ' {
        end -= 1;
    }
    if start >= end || &bytes[start..end] == b"-" {
        return None;
    }
    let protocol = whole.part(protocol, bytes.len());
    Some(RequestLine { method: whole.part(0, space), target: whole.part(start, end), protocol })
}

/// Where the last space of a request line stands, and whether it is certain that a protocol is behind it: nearly always one is.
pub(crate) fn last_space(bytes: &[u8]) -> Option<(usize, bool)> {
    match bytes {
        [before @ .., b' ', b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Some((before.len(), true))
        }
        _ => memchr::memrchr(b' ', bytes).map(|last| (last, false)),
    }
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| IS_TOKEN[usize::from(byte)])
}

const IS_TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        byte += 1;
    }
    table
};

fn is_protocol(word: &[u8]) -> bool {
    match word.strip_prefix(b"HTTP/") {
        Some([major]) => major.is_ascii_digit(),
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_split_from_both_ends() {
        for (line, expected) in [
            ("GET /a HTTP/1.1", Some(("GET", "/a"))),
            ("GET /a b c HTTP/1.1", Some(("GET", "/a b c"))),
            ("GET /a HTTP/1.1 HTTP/1.1", Some(("GET", "/a HTTP/1.1"))),
            ("GET  /a  HTTP/2", Some(("GET", "/a"))),
            ("GET /old", Some(("GET", "/old"))),
            ("GET /a HTTP/1.10", Some(("GET", "/a HTTP/1.10"))),
            ("GET /a?b 1.1", Some(("GET", "/a?b"))),
            ("GET /a b 2", Some(("GET", "/a b 2"))),
            ("OPTIONS * HTTP/1.1", Some(("OPTIONS", "*"))),
            ("CONNECT h:443 HTTP/1.1", Some(("CONNECT", "h:443"))),
            ("hello world", Some(("hello", "world"))),
            ("- http://localhost HTTP/1.0", None),
            ("GET - HTTP/1.1", None),
            ("GET HTTP/1.1", None),
            ("GET", None),
            ("GET ", None),
            ("", None),
            ("-", None),
            (r"\x16\x03\x01 \x02", None),
        ] {
            let whole = Span { start: 0, end: line.len() };
            let text = |span: Span| std::str::from_utf8(span.of(line.as_bytes())).expect("ASCII");
            let split = split(line.as_bytes(), whole);
            assert_eq!(split.map(|split| (text(split.method), text(split.target))), expected, "{line}");
        }
    }
}
