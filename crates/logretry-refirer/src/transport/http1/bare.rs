//! A connection on which every answer so far has come as a whole.
//!
//! A refire wants to know the status and how long the body is. An answer that comes with one read, says its length, and says nothing that means more than that, is understood at a
//! glance, and then the connection is where it was before. This knows no other answers: at the first sign of anything else it tells the story to the HTTP library.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::task::unconstrained;

use super::told::{Story, Told};
use crate::transport::stream::Stream;
use crate::transport::{Headers, Request, Seen, agent};

/// Bytes of an answer that is read here at most.
const ANSWER_BYTES_MAX: usize = 8 << 10;
/// Fields of its head at most.
const FIELDS_MAX: usize = 32;

/// A connection on which nothing is under way.
#[derive(Debug)]
pub(super) struct Bare {
    stream: Stream,
    /// The last request, whose memory the next one takes.
    request: Vec<u8>,
    /// Where answers are read to.
    answer: Box<[u8]>,
}

impl Bare {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, request: Vec::new(), answer: vec![0; ANSWER_BYTES_MAX].into() }
    }

    /// Whether a request can be written to it, as far as the operating system has told.
    pub(super) fn is_open(&mut self) -> bool {
        // What is there already is no answer to anything.
        self.stream.read_now(&mut self.answer).is_pending()
    }

    /// Sends `request` and reads the answer, if both are plain. If not, `seen` is left as it was, and the connection comes back with what has happened on it.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: &Request,
        seen: &mut Seen,
        body_bytes_max: u64,
    ) -> Result<Box<Self>, Told> {
        self.request.clear();
        if !write_plain(request, &mut self.request) {
            return Err(self.tell(0, Ok(()), None));
        }
        if let Poll::Ready(read) = self.stream.read_now(&mut self.answer) {
            return Err(self.tell(0, Ok(()), Some(read)));
        }
        let (sent, end) = self.send();
        if sent < self.request.len() || !matches!(end, Poll::Ready(Ok(()))) {
            let end = if let Poll::Ready(end) = end { end } else { Ok(()) };
            return Err(self.tell(sent, end, None));
        }
        let read = poll_fn(|cx| self.poll_answer(cx)).await;
        let plain = read.as_ref().ok().and_then(|&read| read_plain(&self.answer[..read]));
        let Some((status, bytes)) = plain.filter(|(_, bytes)| *bytes <= body_bytes_max) else {
            return Err(self.tell(sent, Ok(()), Some(read)));
        };
        // It has no field that is looked for in a head.
        seen.head(status, &HeaderMap::new());
        seen.bytes = bytes;
        Ok(self)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { stream, answer, .. } = self;
        let read = poll_fn(|cx| {
            let mut buffer = ReadBuf::new(answer);
            let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
            read.map_ok(|()| buffer.filled().len())
        });
        // Unconstrained: tokio would otherwise now and then pretend that nothing is there.
        pin!(unconstrained(read)).poll(cx)
    }

    /// Writes as much of the request as the system takes at once. Says how much that was, and whether it has gone out.
    fn send(&mut self) -> (usize, Poll<io::Result<()>>) {
        let Self { stream, request, .. } = self;
        let mut sent = 0;
        let all = poll_fn(|cx| {
            if let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(cx, request) {
                sent = written?;
            }
            Pin::new(&mut *stream).poll_flush(cx)
        });
        let end = pin!(unconstrained(all)).poll(&mut Context::from_waker(Waker::noop()));
        (sent, end)
    }

    /// The connection with what has happened on it: of the request `sent` bytes were written, then perhaps an error came, or `read` was read.
    fn tell(self, sent: usize, end: io::Result<()>, read: Option<io::Result<usize>>) -> Told {
        let Self { stream, mut request, answer } = self;
        request.truncate(sent);
        let mut story = Story { sent: request, broken: end.err(), ..Story::default() };
        match read {
            None => {}
            Some(Ok(0)) => story.end = Some(Ok(())),
            Some(Ok(read)) => story.read = answer[..read].to_vec(),
            Some(Err(error)) => story.end = Some(Err(error)),
        }
        Told::new(stream, story)
    }
}

/// The end of a head that has no headers but those of every request.
const OWN_FIELDS: &str = "accept-encoding: identity\r\naccept: */*\r\n\r\n";

/// Appends `request` as the HTTP library would write it; false, if it has a body or a field that means something for the connection.
fn write_plain(request: &Request, out: &mut Vec<u8>) -> bool {
    let planned = &request.planned;
    if planned.payload.is_some() || matches!(planned.method, Method::HEAD | Method::CONNECT) {
        return false;
    }
    for part in [planned.method.as_str(), " ", planned.target(), " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let all = match &request.headers {
        Headers::All(all) => all,
        Headers::Own(id) => {
            write_field("host", planned.site.authority().as_bytes(), out);
            write_field("user-agent", &agent(*id), out);
            out.extend_from_slice(OWN_FIELDS.as_bytes());
            return true;
        }
    };
    for (name, value) in all {
        if matches!(
            *name,
            header::CONNECTION
                | header::CONTENT_LENGTH
                | header::EXPECT
                | header::TRAILER
                | header::TRANSFER_ENCODING
                | header::UPGRADE
        ) {
            return false;
        }
        write_field(name.as_str(), value.as_bytes(), out);
    }
    out.extend_from_slice(b"\r\n");
    true
}

fn write_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The status of an answer and the length of its body; none, if it is not whole, if something follows, or if anything in its head has to be weighed.
fn read_plain(bytes: &[u8]) -> Option<(StatusCode, u64)> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut head = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut head, bytes, &mut fields);
    let Ok(httparse::Status::Complete(head_bytes)) = parsed else { return None };
    // RFC 9112 §6.3: interim answers go on, and some have no body whatever they say.
    let status = head.code.filter(|code| matches!(code, 200..=203 | 205..=303 | 305..=599))?;
    let mut length = None;
    for field in &*head.headers {
        // Most names are ruled out by their length.
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            10 if is("connection") && !field.value.eq_ignore_ascii_case(b"keep-alive") => return None,
            11 if is("retry-after") => return None,
            14 if is("content-length") && length.replace(number(field.value)?).is_some() => return None,
            17 if is("transfer-encoding") => return None,
            _ => {}
        }
    }
    let length = length.filter(|length| *length == (bytes.len() - head_bytes) as u64)?;
    (head.version == Some(1)).then_some((StatusCode::from_u16(status).ok()?, length))
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use logretry_record::{Exchange, Origin, Record, RecordId};

    use super::*;
    use crate::Options;

    /// The status and the length that are read from an answer of this head, with `|` for the ends of its lines, and a body.
    fn read(head: &str, body: &str) -> Option<(u16, u64)> {
        let answer = format!("{}\r\n\r\n{body}", head.replace('|', "\r\n"));
        read_plain(answer.as_bytes()).map(|(status, length)| (status.as_u16(), length))
    }

    #[test]
    fn a_plain_answer_is_understood_at_a_glance() {
        for (head, body, expected) in [
            ("HTTP/1.1 200 OK|Content-Length: 3", "abc", (200, 3)),
            ("HTTP/1.1 502 Bad Gateway|Server: x|content-length: 0", "", (502, 0)),
            ("HTTP/1.1 404 |Connection: Keep-Alive|Content-Length: 1|Keep-Alive: timeout=5", "x", (404, 1)),
        ] {
            assert_eq!(read(head, body), Some(expected), "{head}");
        }
    }

    #[test]
    fn headers_that_were_never_made_are_written_like_those_that_were() {
        let target = Some("/a?b".to_owned());
        let original = Exchange { method: Some("GET".to_owned()), target, ..Exchange::default() };
        let id = RecordId::of_line(b"x", 0);
        let record = Record::new(id, Origin::new("-", 1, 0, "combined", "x"), original);
        let mut options = Options::default();
        options.destination.base_url = Some("http://shop.example:8080/v1".parse().expect("a URL"));
        let planned = options.judge(&record).expect("it may be sent");
        let mut request = Request::new(Arc::new(planned), id, &HeaderMap::new());
        let (mut never, mut made) = (Vec::new(), Vec::new());
        assert!(write_plain(&request, &mut never));
        request.headers_mut();
        assert!(write_plain(&request, &mut made));
        assert_eq!(never, made);
        assert!(never.starts_with(b"GET /v1/a?b HTTP/1.1\r\nhost: shop.example:8080\r\n"));
    }

    #[test]
    fn whatever_leaves_a_question_open_is_not_answered_here() {
        for (head, body) in [
            ("HTTP/1.1 200 OK|Content-Length: 3", "ab"),
            ("HTTP/1.1 200 OK|Content-Length: 3", "abcd"),
            ("HTTP/1.1 200 OK|Content-Length: 3|Content-Length: 3", "abc"),
            ("HTTP/1.1 200 OK|Content-Length: +3", "abc"),
            ("HTTP/1.1 200 OK|Content-Length: ", ""),
            ("HTTP/1.1 200 OK|Content-Length: 99999999999999999999", ""),
            ("HTTP/1.1 200 OK|Content-Length: 3|Transfer-Encoding: chunked", "abc"),
            ("HTTP/1.1 200 OK|Content-Length: 3|Connection: close", "abc"),
            ("HTTP/1.1 200 OK|Content-Length: 3|Connection: keep-alive, close", "abc"),
            ("HTTP/1.1 503 Service Unavailable|Content-Length: 0|Retry-After: 1", ""),
            ("HTTP/1.1 200 OK", ""),
            ("HTTP/1.0 200 OK|Content-Length: 3", "abc"),
            ("HTTP/1.1 100 Continue|Content-Length: 0", ""),
            ("HTTP/1.1 101 Switching Protocols|Content-Length: 0", ""),
            ("HTTP/1.1 204 No Content|Content-Length: 0", ""),
            ("HTTP/1.1 304 Not Modified|Content-Length: 0", ""),
            ("HTTP/1.1 600 ?|Content-Length: 0", ""),
            ("HTTP/1.1 200 OK|Content-Length : 0", ""),
            ("HTTP/1.1 200 OK|A: b\r\n c|Content-Length: 0", ""),
            ("HTTP/2 200 OK|Content-Length: 0", ""),
            ("ICY 200 OK|Content-Length: 0", ""),
        ] {
            assert_eq!(read(head, body), None, "{head}");
        }
        assert_eq!(read_plain(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), None);
        let long = format!("HTTP/1.1 200 OK{}|Content-Length: 0", "|A: b".repeat(FIELDS_MAX));
        assert_eq!(read(&long, ""), None);
    }
}
