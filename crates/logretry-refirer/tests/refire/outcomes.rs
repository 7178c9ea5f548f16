//! What is written down when a server answers, breaks, or does neither. Each case goes both ways onto the wire, over a
//! connection of our own and through a proxy (which is the server itself), and ends in the same way.

use std::time::Duration;

use crate::server::{Act, OK, Server, options, refire};
use logretry_record::ErrorKind as Error;
use logretry_record::Outcome::{Failing, Recovered, Refused, Unanswered};
use logretry_record::{ErrorKind, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Own,
    Proxied,
}

/// The server hears the request once, whatever it does, and this is what is said of it.
async fn expect(act: Act, outcome: Outcome, status: Option<u16>, error: Option<ErrorKind>) {
    let ways = [Way::Own, Way::Proxied].map(|way| expect_of(way, act, (outcome, status, error)));
    futures_util::future::join_all(ways).await;
}

async fn expect_of(way: Way, act: Act, expected: (Outcome, Option<u16>, Option<ErrorKind>)) {
    let server = Server::start(act).await;
    let (site, heard) = match way {
        Way::Own => (server.url(), "/a"),
        Way::Proxied => ("http://shop.example".to_owned(), "http://shop.example/a"),
    };
    let mut options = options(&site);
    options.proxy = (way == Way::Proxied).then(|| server.url().parse().expect("a proxy"));
    options.body_bytes_max = 10_000;
    if matches!(act, Act::Hang(_)) {
        // Long enough for the request to arrive.
        options.timeout = Duration::from_millis(500);
    }
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.status, retry.error), expected, "{way:?}: {retry:?}");
    assert_eq!(server.request_lines(), [format!("GET {heard} HTTP/1.1")], "{act:?}");
    assert_eq!((retry.attempts, retry.reason), (1, None));
    assert_eq!(retry.detail.is_some(), retry.error.is_some());
    assert_eq!(retry.bytes.is_some(), retry.status.is_some());
    assert_eq!(retry.url, Some(format!("{site}/a")));
    assert!(retry.duration_ms.is_some());
}

#[tokio::test]
async fn an_answer_counts_by_its_status() {
    expect(Act::Answer(OK), Recovered, Some(200), None).await;
    expect(Act::Close("HTTP/1.1 204 No Content\r\n\r\n"), Recovered, Some(204), None).await;
    expect(Act::Close("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), Refused, Some(404), None).await;
    expect(
        Act::Close("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        Refused,
        Some(429),
        None,
    )
    .await;
    expect(
        Act::Close("HTTP/1.1 503 Down\r\nRetry-After: 1\r\nContent-Length: 1\r\n\r\nx"),
        Failing,
        Some(503),
        None,
    )
    .await;
    expect(Act::Close("HTTP/1.1 200 OK\r\n\r\nuntil the end"), Recovered, Some(200), None).await;
    expect(
        Act::Answer("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Recovered,
        Some(200),
        None,
    )
    .await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
    expect(Act::Answer(redirect), Recovered, Some(302), None).await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_an_answer_is_a_reset_and_is_not_tried_again() {
    for act in
        [Act::Reset, Act::Close(""), Act::Close("HTTP/1.1 200 O"), Act::Close("HTTP/1.1 200 OK\r\nX: 1\r\n")]
    {
        expect(act, Unanswered, None, Some(Error::Reset)).await;
    }
}

#[tokio::test]
async fn silence_is_a_timeout() {
    expect(Act::Hang(""), Unanswered, None, Some(Error::Timeout)).await;
    expect(Act::Hang("HTTP/1.1 200 OK\r\n"), Unanswered, None, Some(Error::Timeout)).await;
}

#[tokio::test]
async fn a_body_that_breaks_keeps_its_status() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    expect(Act::Close(cut), Unanswered, Some(200), Some(Error::Reset)).await;
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    expect(Act::Close(cut), Unanswered, Some(200), Some(Error::Reset)).await;
    let wrong = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n";
    expect(Act::Close(wrong), Unanswered, Some(200), Some(Error::Protocol)).await;
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit_and_counts_by_its_status() {
    expect(Act::Endless("HTTP/1.1 200 OK\r\n\r\n"), Recovered, Some(200), Some(Error::BodyLimit)).await;
    expect(Act::Endless("HTTP/1.1 500 No\r\n\r\n"), Failing, Some(500), Some(Error::BodyLimit)).await;
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n";
    expect(Act::Endless(length), Recovered, Some(200), Some(Error::BodyLimit)).await;
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_whole() {
    for (limit, error) in [(2, None), (1, Some(Error::BodyLimit))] {
        let server = Server::start(Act::Answer(OK)).await;
        let mut options = options(&server.url());
        options.body_bytes_max = limit;
        let retry = refire(options, "/").await;
        assert_eq!((retry.error, retry.bytes), (error, Some(2)));
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for text in [
        "<html>HTTP/0.9 had no head</html>\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 twohundred OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ] {
        expect(Act::Close(text), Unanswered, None, Some(Error::Protocol)).await;
    }
}

#[tokio::test]
async fn an_answer_is_never_unpacked() {
    let packed = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope";
    expect(Act::Answer(packed), Recovered, Some(200), None).await;
}

#[tokio::test]
async fn a_refused_connection_is_named() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let retry = refire(options(&format!("http://{address}")), "/a").await;
    assert_eq!((retry.outcome, retry.status, retry.error), (Unanswered, None, Some(Error::Connect)));
    assert!(retry.detail.expect("why").contains("refused"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    let retry = refire(options("http://no-such-host.invalid"), "/a").await;
    assert_eq!((retry.outcome, retry.error), (Unanswered, Some(Error::Dns)), "{retry:?}");
}

#[tokio::test]
async fn a_blocked_address_is_never_connected_to() {
    let server = Server::start(Act::Answer(OK)).await;
    let port = server.port();
    // Linux takes the unspecified address for the loopback address, so that someone would hear these.
    for host in ["0.0.0.0", "0", "0x0", "[::]", "[::ffff:0.0.0.0]", "[64:ff9b::]"] {
        let retry = refire(options(&format!("http://{host}:{port}")), "/a").await;
        assert_eq!((retry.outcome, retry.error), (Unanswered, Some(Error::BlockedAddress)), "{host}");
    }
    for host in ["169.254.169.254", "2852039166", "0xA9FEA9FE", "[fe80::1]", "[::ffff:169.254.169.254]"] {
        let retry = refire(options(&format!("http://{host}")), "/a").await;
        assert_eq!((retry.outcome, retry.error), (Unanswered, Some(Error::BlockedAddress)), "{host}");
    }
    let mut options = options(&format!("http://shop.example:{port}"));
    options.resolve.add(&format!("shop.example:{port}:0.0.0.0")).expect("a name");
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Unanswered, Some(Error::BlockedAddress)));
    assert_eq!(server.connections(), 0);
}
