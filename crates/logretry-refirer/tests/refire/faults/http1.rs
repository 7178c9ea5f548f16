//! The catalogue over HTTP/1.1. The numbers of curl's test suite that show the same fault are in brackets.

use logretry_record::ErrorKind::{BodyLimit, Protocol, Reset, Timeout};
use logretry_record::Outcome::{Failing, Recovered, Refused, Unanswered};

use super::script::Step::{self, Cut, Drip, Forever, Listen, Silence};
use super::script::{say, say_bytes};
use super::{Expected, Fault};

const OK: &str = "HTTP/1.1 200 OK\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const RESET: Expected = (Unanswered, None, Some(Reset));
const TIMEOUT: Expected = (Unanswered, None, Some(Timeout));
const PROTOCOL: Expected = (Unanswered, None, Some(Protocol));
const GOOD: Expected = (Recovered, Some(200), None);
const BODY_RESET: Expected = (Unanswered, Some(200), Some(Reset));
const BODY_TIMEOUT: Expected = (Unanswered, Some(200), Some(Timeout));
const BODY_PROTOCOL: Expected = (Unanswered, Some(200), Some(Protocol));

fn fault(name: &'static str, steps: impl Into<Vec<Step>>, expected: Expected) -> Fault {
    Fault { name, steps: steps.into(), expected }
}

/// Says `text` and closes.
fn closes(name: &'static str, text: &'static str, expected: Expected) -> Fault {
    fault(name, [say(text)], expected)
}

/// Says `text` and listens for the next request.
fn goes_on(name: &'static str, text: &'static str, expected: Expected) -> Fault {
    fault(name, [say(text), Listen], expected)
}

/// A head of `OK` and these lines, and a body of two bytes.
fn head(name: &'static str, lines: &'static str, expected: Expected) -> Fault {
    fault(name, [say_bytes(format!("{OK}{lines}\r\n\r\nok"))], expected)
}

/// A chunked body.
fn chunks(name: &'static str, body: &'static str, expected: Expected) -> Fault {
    fault(name, [say_bytes(format!("{CHUNKED}{body}"))], expected)
}

pub(super) fn catalogue() -> Vec<Fault> {
    [before_the_answer(), heads(), lengths(), bodies(), in_good_order()].concat()
}

/// What breaks before there is a whole head.
fn before_the_answer() -> Vec<Fault> {
    vec![
        fault("reset before the answer", [Step::Reset], RESET),
        fault("closed before the answer (1079)", [], RESET),
        fault("cut before the answer", [Cut], RESET),
        fault("silence", [Silence], TIMEOUT),
        closes("half a status line, closed", "HTTP/1.1 20", RESET),
        fault("half a status line, silence", [say("HTTP/1.1 20"), Silence], TIMEOUT),
        fault("half a status line, reset", [say("HTTP/1.1 20"), Step::Reset], RESET),
        closes("half a head, closed", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", RESET),
        fault("half a head, silence", [say("HTTP/1.1 200 OK\r\nX: y"), Silence], TIMEOUT),
        fault("half a head, reset", [say("HTTP/1.1 200 OK\r\nX: y"), Step::Reset], RESET),
        fault("a head byte by byte (29, 303)", [say("HTTP/1.1 200 OK\r\nX: "), Drip(b"y")], TIMEOUT),
        fault("endless interim answers (1115)", [Drip(b"HTTP/1.1 103 Early\r\n\r\n")], TIMEOUT),
        closes("100 Continue and nothing more", "HTTP/1.1 100 Continue\r\n\r\n", RESET),
        closes("HTTP/0.9 (1172, 1174, 1266)", "<html>no head</html>\r\n\r\n", PROTOCOL),
        closes("another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", PROTOCOL),
        closes("HTTP/2 in plain text", "HTTP/2.0 200 OK\r\n\r\n", PROTOCOL),
        closes("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", PROTOCOL),
        closes("a TLS alert", "\x15\x03\x01\0\x02\x02\x46", PROTOCOL),
        fault("rubbish", [say_bytes(vec![0xFF; 4096])], PROTOCOL),
    ]
}

/// What breaks the rules of a head.
fn heads() -> Vec<Fault> {
    vec![
        closes("a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n", PROTOCOL),
        closes("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", PROTOCOL),
        closes("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", PROTOCOL),
        closes("the status 000", "HTTP/1.1 000 OK\r\n\r\n", PROTOCOL),
        goes_on("the status 999", "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", (Failing, Some(999), None)),
        goes_on("no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", GOOD),
        closes("a control in the reason phrase", "HTTP/1.1 200 \x1b[2J\r\n\r\n", PROTOCOL),
        head("NUL in a value (262)", "X: a\0b", PROTOCOL),
        head("NUL in a name", "X\0: a", PROTOCOL),
        fault("bytes that are no UTF-8 (2306)", [say_bytes(b"HTTP/1.1 200 OK\r\nX: \xFF\xFE\r\n\r\n")], GOOD),
        head("a folded line (1473)", "X: a\r\n b", PROTOCOL),
        head("a line without a colon", "no colon", PROTOCOL),
        head("a line without a name", ": a", PROTOCOL),
        head("a blank before the colon", "Content-Length : 2", PROTOCOL),
        fault("101 fields (747)", [say_bytes(format!("{OK}{}\r\n", "X: y\r\n".repeat(101)))], PROTOCOL),
        fault(
            "a head of a megabyte (497, 1154)",
            [say("HTTP/1.1 200 OK\r\nX: "), Forever(&[b'y'; 4096])],
            PROTOCOL,
        ),
        fault("line ends without CR", [say("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), Listen], GOOD),
        goes_on(
            "101 Switching Protocols, unasked",
            "HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            (Unanswered, Some(101), Some(Protocol)),
        ),
    ]
}

/// Lengths that are wrong, and lengths that contradict each other.
fn lengths() -> Vec<Fault> {
    vec![
        head("a negative length (178)", "Content-Length: -2", PROTOCOL),
        head("a length that is no number (394)", "Content-Length: two", PROTOCOL),
        head("a length with a sign", "Content-Length: +2", PROTOCOL),
        head("a length beyond all numbers (395)", "Content-Length: 99999999999999999999", PROTOCOL),
        head("an empty length", "Content-Length: ", PROTOCOL),
        head("two lengths (771)", "Content-Length: 2\r\nContent-Length: 3", PROTOCOL),
        head("two lengths in one line (767)", "Content-Length: 2, 3", PROTOCOL),
        head("one length twice (768)", "Content-Length: 2\r\nContent-Length: 2", GOOD),
        head("a length that is too long", "Content-Length: 9", BODY_RESET),
        fault(
            "a length too long, silence",
            [say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), Silence],
            BODY_TIMEOUT,
        ),
        fault(
            "a length too long, reset",
            [say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), Step::Reset],
            BODY_RESET,
        ),
        closes(
            "a length that is too short",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
            GOOD,
        ),
        closes(
            "HTTP/1.0 with a length too long",
            "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nok",
            BODY_RESET,
        ),
        closes(
            "503 with a length too long",
            "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nno",
            (Unanswered, Some(503), Some(Reset)),
        ),
        fault(
            "a length and chunks (365, 1677)",
            [say_bytes(format!(
                "{OK}Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            ))],
            GOOD,
        ),
    ]
}

/// Bodies that break, and bodies that do not end.
fn bodies() -> Vec<Fault> {
    let limit = (Recovered, Some(200), Some(BodyLimit));
    vec![
        chunks("a chunk size that is no number (36)", "no number\r\n", BODY_PROTOCOL),
        chunks("a negative chunk size", "-1\r\n", BODY_PROTOCOL),
        chunks("a chunk size beyond all numbers (1416)", "FFFFFFFFFFFFFFFFF\r\n", BODY_PROTOCOL),
        chunks("no chunk size", "\r\nok\r\n", BODY_PROTOCOL),
        chunks("a chunk longer than it says", "2\r\nokay\r\n0\r\n\r\n", BODY_PROTOCOL),
        chunks("closed within a chunk (207)", "9\r\nok", BODY_RESET),
        chunks("closed between chunks", "2\r\nok\r\n", BODY_RESET),
        chunks("closed before the last line", "2\r\nok\r\n0\r\n", BODY_RESET),
        chunks("NUL in a trailer (2106)", "2\r\nok\r\n0\r\nX: a\0b\r\n\r\n", BODY_PROTOCOL),
        fault(
            "endless trailers",
            [say_bytes(format!("{CHUNKED}0\r\n")), Forever(b"X: yyyyyyyyyyyyyyyyyyyy\r\n")],
            BODY_PROTOCOL,
        ),
        fault(
            "an endless chunk extension",
            [say_bytes(format!("{CHUNKED}2;")), Forever(&[b'y'; 4096])],
            BODY_PROTOCOL,
        ),
        fault("silence within a chunk", [say_bytes(format!("{CHUNKED}9\r\nok")), Silence], BODY_TIMEOUT),
        fault("reset within a chunk", [say_bytes(format!("{CHUNKED}9\r\nok")), Step::Reset], BODY_RESET),
        fault("endless chunks", [say_bytes(CHUNKED), Forever(b"8\r\nyyyyyyyy\r\n")], limit),
        fault("an endless body", [say("HTTP/1.1 200 OK\r\n\r\n"), Forever(&[b'y'; 4096])], limit),
        fault(
            "an endless body of a known length",
            [say("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"), Forever(&[b'y'; 4096])],
            limit,
        ),
        fault(
            "an endless body with 500",
            [say("HTTP/1.1 500 No\r\n\r\n"), Forever(&[b'y'; 4096])],
            (Failing, Some(500), Some(BodyLimit)),
        ),
        fault(
            "a body byte by byte (1523)",
            [say("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"), Drip(b"y")],
            BODY_TIMEOUT,
        ),
        fault("chunks byte by byte", [say_bytes(CHUNKED), Drip(b"1\r\ny\r\n")], BODY_TIMEOUT),
        fault(
            "a gzip bomb, never unpacked (1618)",
            [say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f"), say_bytes(vec![0x8B; 5000])],
            GOOD,
        ),
        head("brotli that is none, never unpacked", "Content-Encoding: br\r\nContent-Length: 2", GOOD),
    ]
}

/// What looks odd, and is an answer.
fn in_good_order() -> Vec<Fault> {
    let redirect = (Recovered, Some(302), None);
    vec![
        goes_on("a good answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", GOOD),
        closes("HTTP/1.0, ended by closing", "HTTP/1.0 200 OK\r\n\r\nok", GOOD),
        goes_on(
            "100 Continue, unasked (1129)",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            GOOD,
        ),
        goes_on(
            "103 and 102 before the answer",
            "HTTP/1.1 103 E\r\nLink: </x>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            GOOD,
        ),
        goes_on(
            "an answer that is followed by rubbish (1479)",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\0\0rubbish",
            GOOD,
        ),
        goes_on(
            "two answers to one request",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            GOOD,
        ),
        goes_on("204 with a body", "HTTP/1.1 204 No Content\r\n\r\nbody", (Recovered, Some(204), None)),
        goes_on(
            "304 with a length",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            (Recovered, Some(304), None),
        ),
        head("a coding that nobody knows", "Transfer-Encoding: x-own", GOOD),
        goes_on("417", "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n", (Refused, Some(417), None)),
        goes_on(
            "408, and it means it",
            "HTTP/1.1 408 Late\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            (Refused, Some(408), None),
        ),
        goes_on(
            "a redirect to the metadata service",
            "HTTP/1.1 302 F\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            redirect,
        ),
        goes_on(
            "a redirect to a file",
            "HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
            redirect,
        ),
        goes_on(
            "a redirect to itself (498)",
            "HTTP/1.1 302 F\r\nLocation: /fault\r\nContent-Length: 0\r\n\r\n",
            redirect,
        ),
        goes_on(
            "a redirect to the same server",
            "HTTP/1.1 307 F\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
            (Recovered, Some(307), None),
        ),
        goes_on(
            "a refresh",
            "HTTP/1.1 200 OK\r\nRefresh: 0; url=/elsewhere\r\nContent-Length: 0\r\n\r\n",
            GOOD,
        ),
        goes_on(
            "a login",
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            (Refused, Some(401), None),
        ),
        goes_on("cookies", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", GOOD),
        goes_on(
            "an alternative service",
            "HTTP/1.1 200 OK\r\nAlt-Svc: h3=\"evil.example:443\"\r\nContent-Length: 0\r\n\r\n",
            GOOD,
        ),
    ]
}
