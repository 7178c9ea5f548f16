//! The catalogue over HTTP/2, by prior knowledge and over TLS. All requests to a host share a connection, so what breaks it breaks
//! all of them; it is another host that must not be disturbed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use logretry_record::ErrorKind::{BodyLimit, Connect, Protocol, Reset, Timeout};
use logretry_record::Outcome::{Failing, Recovered, Unanswered};
use logretry_refirer::Destination;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, NO_FLAGS, OURS, PADDED, PING, PUSH_PROMISE,
    SETTINGS, STATUS_200, STATUS_500, WINDOW_UPDATE, broken_off, data, field, frame, goaway, head, last_data,
};
use super::script::Step::{self, Cut, Drip, Forever, Silence};
use super::script::{Line, perform, say, say_bytes};
use super::{Complaint, Expected, Fault, complaint, fixed, over_http2, with_enough_time};
use crate::server::{record_of, refire_all};
use crate::tls::{certificate, server_config};

/// The server proves that it has not looked at the request.
const UNSEEN: Expected = (Unanswered, None, Some(Connect));
const RESET: Expected = (Unanswered, None, Some(Reset));
const TIMEOUT: Expected = (Unanswered, None, Some(Timeout));
const PROTOCOL: Expected = (Unanswered, None, Some(Protocol));
const GOOD: Expected = (Recovered, Some(200), None);
const BODY_RESET: Expected = (Unanswered, Some(200), Some(Reset));
const BODY_PROTOCOL: Expected = (Unanswered, Some(200), Some(Protocol));

// RFC 9113 §7.
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

fn fault(name: &'static str, steps: impl Into<Vec<Step>>, expected: Expected) -> Fault {
    Fault { name, steps: steps.into(), expected }
}

/// Sends these frames, and is silent then.
fn frames(name: &'static str, frames: &[Vec<u8>], expected: Expected) -> Fault {
    fault(name, [say_bytes(frames.concat()), Silence], expected)
}

/// Sends these frames, and closes.
fn closes(name: &'static str, frames: &[Vec<u8>], expected: Expected) -> Fault {
    fault(name, [say_bytes(frames.concat())], expected)
}

/// `SETTINGS` with one parameter.
fn setting(parameter: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, NO_FLAGS, 0, &[&parameter.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

fn ok() -> Vec<u8> {
    [head(STATUS_200), last_data(b"ok")].concat()
}

pub(super) fn catalogue() -> Vec<Fault> {
    [streams(), connections(), heads(), bodies(), floods()].concat()
}

/// What breaks one stream.
fn streams() -> Vec<Fault> {
    vec![
        frames("h2: a good answer", &[ok()], GOOD),
        frames("h2: the stream cancelled", &[broken_off(CANCEL)], RESET),
        frames("h2: the stream broken off by an error", &[broken_off(INTERNAL_ERROR)], RESET),
        frames(
            "h2: broken off within the body",
            &[head(STATUS_200), data(b"o"), broken_off(CANCEL)],
            BODY_RESET,
        ),
        frames("h2: broken off after the answer", &[ok(), broken_off(NO_ERROR)], GOOD),
        frames("h2: silence", &[], TIMEOUT),
        frames(
            "h2: half a body, silence",
            &[head(STATUS_200), data(b"o")],
            (Unanswered, Some(200), Some(Timeout)),
        ),
    ]
}

/// What breaks the connection.
fn connections() -> Vec<Fault> {
    vec![
        closes("h2: closed before the answer", &[], RESET),
        fault("h2: cut before the answer", [Cut], RESET),
        fault("h2: reset before the answer", [Step::Reset], RESET),
        closes("h2: closed within the body", &[head(STATUS_200), data(b"o")], BODY_RESET),
        closes("h2: closed within a frame", &[vec![0, 0, 9, DATA, 0, 0, 0, 0]], RESET),
        frames("h2: given up with an error, unseen", &[goaway(0, ENHANCE_YOUR_CALM)], UNSEEN),
        frames("h2: retired, unseen", &[goaway(0, NO_ERROR)], UNSEEN),
        closes("h2: given up with an error, and closed", &[goaway(OURS, INTERNAL_ERROR)], RESET),
        frames("h2: retired after the answer", &[goaway(OURS, NO_ERROR), ok()], GOOD),
        fault("h2: HTTP/1.1 instead", [say("HTTP/1.1 400 Bad Request\r\n\r\n")], PROTOCOL),
        frames("h2: a frame larger than allowed", &[vec![0x7F, 0xFF, 0xFF, DATA, 0, 0, 0, 0, 1]], PROTOCOL),
        frames("h2: a body on stream 0", &[frame(DATA, NO_FLAGS, 0, b"x")], PROTOCOL),
        frames("h2: a head on stream 0", &[frame(HEADERS, END_HEADERS, 0, STATUS_200)], PROTOCOL),
        frames(
            "h2: an answer to what nobody asked",
            &[frame(HEADERS, END_HEADERS, 99, STATUS_200)],
            PROTOCOL,
        ),
        frames(
            "h2: a push that nobody wants",
            &[frame(PUSH_PROMISE, END_HEADERS, OURS, &[0, 0, 0, 2, 0x82])],
            PROTOCOL,
        ),
        frames("h2: a setting that is no setting", &[setting(2, 7)], PROTOCOL),
        frames("h2: settings of a wrong length", &[frame(SETTINGS, NO_FLAGS, 0, &[0; 5])], PROTOCOL),
        frames(
            "h2: a window that overflows",
            &[frame(WINDOW_UPDATE, NO_FLAGS, 0, &[0x7F, 0xFF, 0xFF, 0xFF])],
            PROTOCOL,
        ),
        frames("h2: a window that grows by nothing", &[frame(WINDOW_UPDATE, NO_FLAGS, 0, &[0; 4])], PROTOCOL),
        frames("h2: a ping of a wrong length", &[frame(PING, NO_FLAGS, 0, &[0; 7])], PROTOCOL),
        frames("h2: a frame of a kind that nobody knows", &[frame(0xFE, 0xFF, 0, b"x"), ok()], GOOD),
        frames("h2: no window for what we send", &[setting(4, 0), ok()], GOOD),
    ]
}

/// What breaks the rules of a head.
fn heads() -> Vec<Fault> {
    let with = |more: &[u8]| head(&[STATUS_200, more].concat());
    vec![
        frames("h2: a head that cannot be unpacked", &[head(&[0xFF; 20])], PROTOCOL),
        frames("h2: no status", &[head(&field("x", "y"))], PROTOCOL),
        frames("h2: two statuses", &[with(STATUS_500), last_data(b"")], PROTOCOL),
        frames("h2: a status that is no number", &[head(&field(":status", "2x0"))], PROTOCOL),
        frames("h2: a name in capitals", &[with(&field("X-Y", "z"))], PROTOCOL),
        frames("h2: a control in a value", &[with(&field("x", "a\0b"))], PROTOCOL),
        frames("h2: a header of the connection", &[with(&field("connection", "close"))], PROTOCOL),
        frames(
            "h2: a head within a head",
            &[frame(HEADERS, NO_FLAGS, OURS, STATUS_200), data(b"x")],
            PROTOCOL,
        ),
        frames(
            "h2: a continuation of nothing",
            &[frame(CONTINUATION, END_HEADERS, OURS, STATUS_200)],
            PROTOCOL,
        ),
        frames("h2: an interim answer before the answer", &[head(&field(":status", "103")), ok()], GOOD),
        frames("h2: a bomb of a head", &bomb(), PROTOCOL),
    ]
}

/// One long field, remembered, and then named four thousand times: 16 MB in 8 KB.
fn bomb() -> [Vec<u8>; 1] {
    let long = [&[0x40, 1, b'x', 0x7F, 0x81, 0x1E][..], &[b'y'; 4000]].concat();
    [head(&[STATUS_200, &long, &[0xBE; 4000]].concat())]
}

/// What breaks the rules of a body.
fn bodies() -> Vec<Fault> {
    let length = |length: &str| head(&[STATUS_200, &field("content-length", length)].concat());
    let endless: &'static [u8] = Box::leak(data(&[b'y'; 4096]).into_boxed_slice());
    vec![
        frames("h2: a body before its head", &[data(b"x")], PROTOCOL),
        frames("h2: shorter than its length", &[length("9"), last_data(b"ok")], BODY_PROTOCOL),
        frames("h2: longer than its length", &[length("1"), last_data(b"ok")], BODY_PROTOCOL),
        frames(
            "h2: more padding than frame",
            &[head(STATUS_200), frame(DATA, PADDED, OURS, &[9, 1])],
            BODY_PROTOCOL,
        ),
        frames(
            "h2: trailers",
            &[
                head(STATUS_200),
                data(b"ok"),
                frame(HEADERS, END_HEADERS | END_STREAM, OURS, &field("x", "y")),
            ],
            GOOD,
        ),
        frames(
            "h2: a second head that ends nothing",
            &[head(STATUS_200), data(b"o"), head(&field("x", "y"))],
            BODY_PROTOCOL,
        ),
        fault(
            "h2: an endless body",
            [say_bytes(head(STATUS_200)), Forever(endless)],
            (Recovered, Some(200), Some(BodyLimit)),
        ),
        fault(
            "h2: an endless body with 500",
            [say_bytes(head(STATUS_500)), Forever(endless)],
            (Failing, Some(500), Some(BodyLimit)),
        ),
    ]
}

/// What does not end. A server may talk as long as it likes, and the timeout ends it.
fn floods() -> Vec<Fault> {
    let leak = |frame: Vec<u8>| -> &'static [u8] { Box::leak(frame.into_boxed_slice()) };
    let piece = leak(frame(CONTINUATION, NO_FLAGS, OURS, &field("x", "y").repeat(100)));
    vec![
        fault(
            "h2: a flood of continuations",
            [say_bytes(frame(HEADERS, NO_FLAGS, OURS, STATUS_200)), Forever(piece)],
            PROTOCOL,
        ),
        fault("h2: pings", [Drip(leak(frame(PING, NO_FLAGS, 0, &[0; 8])))], TIMEOUT),
        fault("h2: settings", [Drip(leak(frame(SETTINGS, NO_FLAGS, 0, &[])))], TIMEOUT),
        fault(
            "h2: empty pieces of a body",
            [say_bytes(head(STATUS_200)), Drip(leak(data(b"")))],
            (Unanswered, Some(200), Some(Timeout)),
        ),
        fault("h2: interim answers", [Drip(leak(head(&field(":status", "103"))))], TIMEOUT),
    ]
}

/// A server that shakes hands as HTTP/2 has it, waits for a request, and follows the script then.
async fn server(steps: Vec<Step>, tls: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = tls.then(|| {
        let mut config = server_config(&certificate("shop.example"), None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    });
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(answer(tcp, steps.clone(), config.clone()));
        }
    });
    format!("{}://{address}", if tls { "https" } else { "http" })
}

async fn answer(tcp: TcpStream, steps: Vec<Step>, tls: Option<TlsAcceptor>) -> Option<()> {
    match tls {
        None => follow(tcp, &steps).await,
        Some(tls) => follow(tls.accept(tcp).await.ok()?, &steps).await,
    }
}

async fn follow(mut line: impl Line, steps: &[Step]) -> Option<()> {
    let http1 = matches!(steps, [Step::Say(bytes), ..] if bytes.starts_with(b"HTTP/1.1"));
    if http1 {
        line.read_exact(&mut [0; 24]).await.ok()?;
    } else {
        preface(&mut line, &[]).await?;
        while next_frame(&mut line).await? != HEADERS {}
    }
    // What is still said to us must be read, or closing would be a reset.
    perform(&mut line, steps).await;
    Some(())
}

/// Shakes hands, with these settings.
pub(super) async fn preface(line: &mut impl Line, settings: &[u8]) -> Option<()> {
    line.read_exact(&mut [0; 24]).await.ok()?;
    line.write_all(&[frame(SETTINGS, NO_FLAGS, 0, settings), frame(SETTINGS, 1, 0, &[])].concat())
        .await
        .ok()?;
    line.flush().await.ok()
}

pub(super) async fn next_frame(line: &mut impl Line) -> Option<u8> {
    let mut head = [0; 9];
    line.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    line.read_exact(&mut payload).await.ok()?;
    Some(head[3])
}

/// Sends the fault to one host and a good request to another, and says what is wrong with what came of it.
pub(super) async fn attempt(fault: &Fault, tls: bool) -> Option<String> {
    with_enough_time(fault, |timeout| attempt_within(timeout, fault, tls)).await
}

async fn attempt_within(timeout: Duration, fault: &Fault, tls: bool) -> Option<Complaint> {
    let faulty = server(fault.steps.clone(), tls).await;
    let well = well().await;
    let mut options = over_http2(fixed(&faulty, 2, timeout));
    let allow_hosts = [&faulty, &well].map(|host| host.parse().expect("a host")).into();
    options.destination = Destination { allow_hosts, ..Destination::default() };
    let records = vec![record_of(&faulty, "/fault"), record_of(&well, "/beside")];
    let start = Instant::now();
    let output = refire_all(options, records).await;
    complaint(fault, if tls { "h2 over TLS" } else { "h2" }, &output, timeout, start.elapsed())
}

/// A host that answers each request with its path.
async fn well() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.ok()?;
        let mut connection = h2::server::handshake(tcp).await.ok()?;
        while let Some(Ok((request, mut answer))) = connection.accept().await {
            let path = request.uri().path().to_owned();
            let mut body = answer.send_response(http::Response::new(()), false).ok()?;
            body.send_data(path.into(), true).ok()?;
        }
        Some(())
    });
    url
}
