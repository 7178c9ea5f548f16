//! What a server hears: one request a record, byte for byte the one that was planned.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Instant;

use futures_util::StreamExt as _;
use logretry_refirer::Refirer;
use logretry_stage::{Context, Stage as _};

use crate::server::{Act, OK, Server, connections_for, options, record, refire, refire_all};
use logretry_record::{Mark, Outcome, Reason};

fn one_at_a_time(url: &str) -> logretry_refirer::Options {
    logretry_refirer::Options { concurrency: NonZeroUsize::MIN, ..options(url) }
}

/// Four at a time, and never giving up.
fn unbroken(url: &str) -> logretry_refirer::Options {
    let pace = logretry_refirer::Pace::Fixed;
    let concurrency = NonZeroUsize::new(4).expect("4 is not 0");
    logretry_refirer::Options { pace, concurrency, trips: 0, ..options(url) }
}

#[tokio::test]
async fn a_target_arrives_byte_for_byte() {
    let targets = [
        "/",
        "/a?b=c",
        "/a/../b",
        "/../../etc/passwd",
        "/a/%2e%2E/b/./c",
        "//evil.example/x",
        "/@evil.example",
        "/\\evil.example",
        "/a?q='x'&r=[1]&s=2",
        "/{a}|b^c",
        "/a?u=http://evil.example/?x",
        "/%C3%A9?%00%0d%0a",
        "/a;b=c,d?&&==",
        "/?",
    ];
    let server = Server::start(Act::Answer(OK)).await;
    let records = targets.iter().map(|target| record("GET", target)).collect();
    for record in refire_all(one_at_a_time(&server.url()), records).await {
        assert_eq!(record.retry().map(|retry| retry.outcome), Some(Outcome::Recovered));
    }
    assert_eq!(server.request_lines(), targets.map(|target| format!("GET {target} HTTP/1.1")));
}

#[tokio::test]
async fn a_prefix_and_a_mark_are_sent_when_they_are_asked_for() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = options(&format!("{}/v1/", server.url()));
    options.send_mark = Some(Mark::default());
    let retry = refire(options, "/a?b=c").await;
    assert_eq!(server.request_lines(), ["GET /v1/a?b=c&retry=True HTTP/1.1"]);
    assert_eq!(retry.url, Some(format!("{}/v1/a?b=c&retry=True", server.url())));
}

#[tokio::test]
async fn our_own_connections_and_a_proxy_are_sent_the_same_head() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = one_at_a_time(&server.url());
    logretry_refirer::add_header(&mut options.headers, "Authorization: Bearer secret").expect("a header");
    refire_all(options.clone(), vec![record("GET", "/a")]).await;
    options.proxy = Some(server.url().parse().expect("a proxy"));
    refire_all(options, vec![record("GET", "/a")]).await;
    let lines =
        |head: &str| -> BTreeSet<String> { head.lines().skip(1).map(str::to_ascii_lowercase).collect() };
    let heads = server.heads();
    assert_eq!(lines(&heads[0]), lines(&heads[1]));
    assert!(heads[0].starts_with("GET /a HTTP/1.1\r\nhost: "), "{heads:?}");
    let id = record("GET", "/a").id();
    let expected = [
        String::new(),
        format!("host: 127.0.0.1:{}", server.port()),
        format!("user-agent: logretry/{} id={id}", env!("CARGO_PKG_VERSION")),
        "accept: */*".to_owned(),
        "accept-encoding: identity".to_owned(),
        "authorization: bearer secret".to_owned(),
    ];
    assert_eq!(lines(&heads[0]), expected.into());
}

#[tokio::test]
async fn each_method_is_sent_as_itself_without_a_body() {
    let server = Server::start_with(None, |head| {
        if head.starts_with("HEAD") {
            Act::Answer("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
        } else {
            Act::Answer(OK)
        }
    })
    .await;
    let mut options = one_at_a_time(&server.url());
    options.methods = "GET,HEAD,OPTIONS,DELETE,POST".parse().expect("methods");
    let methods = ["HEAD", "OPTIONS", "DELETE", "POST", "PUT", "GET"];
    let records = methods.iter().map(|method| record(method, "/a")).collect();
    let output = refire_all(options, records).await;
    let expected = ["HEAD", "OPTIONS", "DELETE", "GET"].map(|method| format!("{method} /a HTTP/1.1"));
    assert_eq!(server.request_lines(), expected);
    for head in server.heads() {
        assert!(!head.to_ascii_lowercase().contains("content-length"), "{head}");
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    }
    let reasons: Vec<_> = output.iter().filter_map(|record| record.retry()?.reason).collect();
    assert_eq!(reasons, [Reason::NoBody, Reason::MethodNotAllowed]);
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let (server, start) = (Server::start(Act::Answer(OK)).await, Instant::now());
    let records = (0..20).map(|n| record("GET", &format!("/{n}"))).collect();
    refire_all(one_at_a_time(&server.url()), records).await;
    assert_eq!(server.heads().len(), 20);
    assert!(connections_for(1, 1, start).contains(&server.connections()), "{}", server.connections());
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_rested_is_not_written_to() {
    // It never says that it will close.
    let server = Server::start(Act::Close(OK)).await;
    let seen = server.clone();
    let records = futures_util::stream::iter(0..5).then(move |n| {
        let server = seen.clone();
        async move {
            while server.closed() < n {
                tokio::task::yield_now().await;
            }
            Ok(record("GET", &format!("/{n}")))
        }
    });
    let refirer = Refirer::new(one_at_a_time(&server.url())).expect("a refirer");
    let output: Vec<_> = refirer.apply(records, &Context::default()).collect().await;
    for record in output {
        let record = record.expect("a record");
        assert_eq!(record.retry().map(|retry| retry.outcome), Some(Outcome::Recovered), "{record:?}");
    }
    assert_eq!((server.heads().len(), server.connections()), (5, 5));
}

#[tokio::test]
async fn a_server_that_closes_kept_connections_hears_nothing_twice() {
    // It never says that it will close.
    let server = Server::start(Act::Close(OK)).await;
    let records = (0..50).map(|n| record("GET", &format!("/{n}"))).collect();
    let output = refire_all(unbroken(&server.url()), records).await;
    let lines = server.request_lines();
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), lines.len(), "{lines:?}");
    let answered =
        output.iter().filter(|record| record.retry().is_some_and(|retry| retry.status.is_some())).count();
    assert_eq!(answered, lines.len());
}

#[tokio::test]
async fn a_server_that_breaks_every_connection_hears_nothing_twice() {
    for act in [Act::Reset, Act::Close("")] {
        let server = Server::start(act).await;
        let records = (0..50).map(|n| record("GET", &format!("/{n}"))).collect();
        refire_all(unbroken(&server.url()), records).await;
        let lines = server.request_lines();
        assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), 50, "{lines:?}");
        assert_eq!(lines.len(), 50);
    }
}

#[tokio::test]
async fn a_name_is_connected_to_where_the_operator_says() {
    let server = Server::start(Act::Answer(OK)).await;
    let port = server.port();
    let mut options = options(&format!("http://Shop.example:{port}"));
    options.resolve.add(&format!("shop.example:{port}:127.0.0.1")).expect("a name");
    let retry = refire(options, "/a").await;
    assert_eq!(retry.outcome, Outcome::Recovered, "{retry:?}");
    assert!(server.heads()[0].to_ascii_lowercase().contains(&format!("\r\nhost: shop.example:{port}\r\n")));
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_sent_and_sends_nothing() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = options(&server.url());
    options.dry_run = true;
    let records = vec![record("GET", "/a/../b"), record("POST", "/"), record("GET", "/a/../b")];
    let output = refire_all(options, records).await;
    let retry = output[0].retry().expect("a decision");
    assert_eq!((retry.outcome, retry.reason, retry.attempts), (Outcome::Unsent, Some(Reason::DryRun), 0));
    assert_eq!(retry.method.as_deref(), Some("GET"));
    assert_eq!(retry.url, Some(format!("{}/a/../b", server.url())));
    assert_eq!(output[1].retry().and_then(|retry| retry.reason), Some(Reason::MethodNotAllowed));
    assert_eq!(output[2].retry().and_then(|retry| retry.reason), Some(Reason::Repeated));
    assert_eq!(server.connections(), 0);
}
