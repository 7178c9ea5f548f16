//! A captured body arrives byte for byte, with the headers that belong to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use logretry_record::{Exchange, Header, Outcome, Reason, Record};
use logretry_refirer::{IdempotencySecret, Options};

use crate::server::{Act, OK, Server, connections_for, options, record, refire_all};

const BYTES: &[u8] = b"\x1f\x8b\x08\x00 a\0b\r\n\xff\n";

fn captured(method: &str, target: &str, body: Option<&[u8]>) -> Record {
    let there = record(method, target);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("Content-Encoding", "gzip"),
        ("Idempotency-Key", "7f2a"),
        ("Accept", "text/html"),
        ("X-Signature", "sha256=1"),
    ];
    let headers = headers.iter().filter_map(|(name, value)| Header::recorded(name, *value)).collect();
    let original = Exchange { headers, body: body.map(Into::into), ..there.original().clone() };
    Record::new(there.id(), there.origin().clone(), original)
}

fn posting(url: &str) -> Options {
    Options { methods: "GET,POST,PUT,PATCH,DELETE".parse().expect("methods"), ..options(url) }
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte() {
    let server = Server::start(Act::Answer(OK)).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
        let output = refire_all(posting(&server.url()), vec![captured(method, "/a", Some(BYTES))]).await;
        assert_eq!(output[0].retry().map(|retry| retry.outcome), Some(Outcome::Recovered), "{method}");
    }
    assert_eq!(server.bodies(), vec![BYTES; 5]);
    for head in server.heads() {
        let head = head.to_ascii_lowercase();
        for line in [
            "content-type: application/x-www-form-urlencoded",
            "content-encoding: gzip",
            "idempotency-key: 7f2a",
            &format!("content-length: {}", BYTES.len()),
            "accept: */*",
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} is missing in {head}");
        }
        assert!(!head.contains("signature") && !head.contains("transfer-encoding"), "{head}");
    }
}

#[tokio::test]
async fn an_empty_body_is_sent_as_one_and_an_unknown_one_not_at_all() {
    let server = Server::start(Act::Answer(OK)).await;
    let records = vec![captured("POST", "/a", Some(b"")), captured("POST", "/a", None)];
    let output = refire_all(posting(&server.url()), records).await;
    let reasons: Vec<_> = output.iter().filter_map(|record| record.retry()?.reason).collect();
    assert_eq!(reasons, [Reason::NoBody]);
    let heads = server.heads();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].to_ascii_lowercase().matches("\r\ncontent-length: 0\r\n").count(), 1, "{heads:?}");
}

#[tokio::test]
async fn what_the_operator_gives_counts_instead_of_what_was_captured() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = posting(&server.url());
    logretry_refirer::add_header(&mut options.headers, "Content-Type: text/plain").expect("a header");
    options.keep_headers.add("X-Signature").expect("a name");
    refire_all(options, vec![captured("POST", "/a", Some(BYTES))]).await;
    let head = server.heads()[0].to_ascii_lowercase();
    assert_eq!(head.matches("\r\ncontent-type: ").count(), 1);
    assert!(head.contains("\r\ncontent-type: text/plain\r\n"), "{head}");
    assert!(head.contains("\r\nx-signature: sha256=1\r\n"), "{head}");
}

#[tokio::test]
async fn a_post_that_stands_for_another_method_is_sent_only_where_that_one_is_allowed() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = posting(&server.url());
    options.methods = "POST".parse().expect("methods");
    let tunnelled = |method: &str| {
        let there = captured("POST", "/a", Some(b"x"));
        let mut original = there.original().clone();
        original.headers.extend(Header::recorded("X-HTTP-Method-Override", method));
        Record::new(there.id(), there.origin().clone(), original)
    };
    let output = refire_all(options, vec![tunnelled("DELETE"), tunnelled("POST")]).await;
    let reasons: Vec<_> = output.iter().filter_map(|record| record.retry()?.reason).collect();
    assert_eq!(reasons, [Reason::MethodNotAllowed]);
    let head = server.heads()[0].to_ascii_lowercase();
    assert!(head.contains("\r\nx-http-method-override: post\r\n"), "{head}");
}

#[tokio::test]
async fn what_must_not_arrive_twice_is_not_sent_over_a_connection_that_may_be_closing() {
    for by_proxy in [false, true] {
        let (server, start) = (Server::start(Act::Answer(OK)).await, Instant::now());
        let mut options = Options { concurrency: std::num::NonZeroUsize::MIN, ..posting(&server.url()) };
        if by_proxy {
            options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
            options.proxy = Some(server.url().parse().expect("a proxy"));
        }
        let requests = ["GET /a", "POST /a", "GET /b", "PUT /a", "PATCH /a", "DELETE /a"];
        let requests = requests.map(|request| request.split_once(' ').expect("a method and a target"));
        refire_all(options, requests.map(|(method, to)| captured(method, to, Some(BYTES))).into()).await;
        assert_eq!(server.heads().len(), 6, "by a proxy: {by_proxy}");
        let connections = server.connections();
        assert!(
            connections_for(3, 1, start).contains(&connections),
            "by a proxy: {by_proxy}: {connections} connections"
        );
    }
}

/// It would do it a second time under another key.
#[tokio::test]
async fn a_server_that_is_still_at_a_request_or_puts_it_off_is_asked_again_with_the_same_key() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::start_with(None, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Act::Answer("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"),
        1 => Act::Answer("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"),
        _ => Act::Answer(OK),
    })
    .await;
    let mut options = posting(&server.url());
    options.attempts = 3.try_into().expect("not 0");
    options.backoff = "1ms".parse().expect("a backoff");
    options.idempotency = Some(IdempotencySecret::new([7; 32]));
    let there = captured("POST", "/a", Some(BYTES));
    let original = Exchange { headers: Vec::new(), ..there.original().clone() };
    let record = Record::new(there.id(), there.origin().clone(), original);
    let output = refire_all(options, vec![record]).await;
    assert_eq!(output[0].retry().map(|retry| (retry.outcome, retry.attempts)), Some((Outcome::Recovered, 3)));
    let heads = server.heads();
    let keys: Vec<_> =
        heads.iter().filter_map(|head| head.lines().find(|line| line.contains("dempotency"))).collect();
    assert_eq!(keys.len(), 3, "{heads:?}");
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

/// A server that has stored an answer gives it again for the same key, so an answer ends a key, and silence does not.
#[tokio::test]
async fn a_key_stays_until_it_is_answered() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::start_with(None, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Act::Reset,
        1 => Act::Close("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        _ => Act::Answer(OK),
    })
    .await;
    let mut options = options(&server.url());
    options.methods = "DELETE".parse().expect("a method");
    options.attempts = 3.try_into().expect("not 0");
    options.backoff = "1ms".parse().expect("a backoff");
    options.max_retry_after = Duration::from_millis(1);
    options.idempotency = Some(IdempotencySecret::new([7; 32]));
    let output = refire_all(options, vec![record("DELETE", "/a")]).await;
    assert_eq!(output[0].retry().map(|retry| (retry.outcome, retry.attempts)), Some((Outcome::Recovered, 3)));
    let key = |head: &String| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("idempotency-key:"));
        line.expect("a key").to_owned()
    };
    let keys: Vec<_> = server.heads().iter().map(key).collect();
    assert_eq!(keys[0], keys[1], "it may have arrived");
    assert_ne!(keys[1], keys[2], "it was answered");
}
