use std::ops::Range;

/// A payload of a capture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    /// Its beginning.
    pub(super) bytes: &'a [u8],
    /// How long it is.
    pub(super) length: usize,
    pub(super) number: u64,
    pub(super) offset: u64,
}

/// The first line of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) kind: Kind,
    pub(super) id: String,
    /// Nanoseconds since 1970.
    pub(super) time_ns: u64,
    pub(super) latency_ns: Option<u64>,
    /// The length of the line, its end included.
    pub(super) length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    /// What was answered to a replay.
    Replayed,
}

/// The first line of `payload`, if it is one.
pub(super) fn meta(payload: &[u8]) -> Option<Meta> {
    let end = memchr::memchr(b'\n', &payload[..payload.len().min(256)])?;
    let line = std::str::from_utf8(&payload[..end]).ok()?;
    let mut words = line.trim_end_matches('\r').split(' ');
    let kind = match words.next()? {
        "1" => Kind::Request,
        "2" => Kind::Response,
        "3" => Kind::Replayed,
        _ => return None,
    };
    let id =
        words.next().filter(|id| id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let time_ns = words.next()?.parse().ok()?;
    let latency_ns = words.next().and_then(|latency| latency.parse().ok()).filter(|&latency| latency > 0);
    words.next().is_none().then(|| Meta { kind, id: id.to_owned(), time_ns, latency_ns, length: end + 1 })
}

/// A message of HTTP/1 taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Its first line.
    pub(super) start: &'a [u8],
    pub(super) headers: Vec<(&'a [u8], &'a [u8])>,
    /// Where its body begins.
    pub(super) body: usize,
}

impl<'a> Message<'a> {
    /// `None` if its head has no end.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = 0..bytes.len();
        let start = line(bytes, &mut rest)?;
        let mut headers: Vec<(&[u8], &[u8])> = Vec::new();
        let mut value_start = 0;
        loop {
            let line_start = rest.start;
            let line = line(bytes, &mut rest)?;
            let line_end = line_start + line.len();
            match (line, headers.last_mut()) {
                ([], _) => return Some(Self { start, headers, body: rest.start }),
                // A value may go on in the next line (RFC 9112 §5.2). Its line end stays in it, so that it is not sent again as another.
                ([b' ' | b'\t', ..], Some((_, value))) => *value = bytes[value_start..line_end].trim_ascii(),
                _ => {
                    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
                    value_start = line_end.min(line_start + colon + 1);
                    headers.push((&line[..colon], bytes[value_start..line_end].trim_ascii()));
                }
            }
        }
    }

    /// The value of a header, if there is one such and no other of that name.
    pub(super) fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| *value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
    }
}

fn line<'a>(bytes: &'a [u8], rest: &mut Range<usize>) -> Option<&'a [u8]> {
    let end = rest.start + memchr::memchr(b'\n', &bytes[rest.clone()])?;
    let line = &bytes[rest.start..end];
    rest.start = end + 1;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The body of a request, if it is there whole: as long as its head says.
pub(super) fn body(message: &Message<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    let body = &bytes[message.body..];
    if message.has("transfer-encoding") {
        let is_chunked =
            message.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        return if is_chunked { unchunked(body) } else { None };
    }
    let length = match message.header("content-length") {
        Some(length) => std::str::from_utf8(length).ok()?.parse().ok()?,
        None if message.has("content-length") => return None,
        None => 0,
    };
    (body.len() == length).then(|| body.to_vec())
}

/// What chunks hold (RFC 9112 §7.1), if the last of them is there.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let size = rest[..end].split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n").or_else(|| rest[size..].strip_prefix(b"\n"))?;
    }
}
