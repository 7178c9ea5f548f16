//! HTTP/2, by agreement in the handshake and by prior knowledge; and what must not be sent a second time over it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::{Request, Response, Version};
use logretry_record::{ErrorKind, Outcome};
use logretry_refirer::{HttpVersion, Pace};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::server::{Act, OK, Server, options, record, refire, refire_all};
use crate::tls::{certificate, server_config};

type Heard = Arc<Mutex<Vec<String>>>;

/// A server that speaks HTTP/2, over TLS if it has a configuration for it, and what it heard.
async fn http2_server(
    tls: Option<ServerConfig>,
    act: impl Fn(&mut SendResponse<Bytes>) -> Option<Reason> + Send + Copy + 'static,
) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
    let heard = Heard::default();
    let diary = Arc::clone(&heard);
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (diary, tls) = (Arc::clone(&diary), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => converse(tcp, act, diary).await,
                    Some(tls) => converse(tls.accept(tcp).await.ok()?, act, diary).await,
                }
            });
        }
    });
    (url, heard)
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    act: impl Fn(&mut SendResponse<Bytes>) -> Option<Reason>,
    diary: Heard,
) -> Option<()> {
    let mut connection = h2::server::handshake(stream).await.ok()?;
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        diary.lock().expect("no panic").push(told(&request));
        if let Some(reason) = act(&mut answer) {
            connection.abrupt_shutdown(reason);
        }
    }
    Some(())
}

fn told<B>(request: &Request<B>) -> String {
    assert_eq!(request.version(), Version::HTTP_2);
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    format!("{} {target}", request.method())
}

fn answer(answer: &mut SendResponse<Bytes>, status: u16) {
    let head = Response::builder().status(status).body(()).expect("a head");
    let mut body = answer.send_response(head, false).expect("a stream");
    body.send_data(Bytes::from_static(b"ok"), true).expect("a stream");
}

#[tokio::test]
async fn by_prior_knowledge_every_request_is_a_stream() {
    let (url, heard) = http2_server(None, |stream| {
        answer(stream, 200);
        None
    })
    .await;
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    let records = (0..20).map(|n| record("GET", &format!("/{n}/../%2e?a=[b]"))).collect();
    for record in refire_all(options, records).await {
        let retry = record.retry().expect("a refire");
        assert_eq!((retry.outcome, retry.status, retry.bytes), (Outcome::Recovered, Some(200), Some(2)));
    }
    let mut heard = heard.lock().expect("no panic").clone();
    heard.sort();
    let mut expected: Vec<_> = (0..20).map(|n| format!("GET /{n}/../%2e?a=[b]")).collect();
    expected.sort();
    assert_eq!(heard, expected);
}

/// RFC 9113 §8.7: it has not been processed, whatever its method.
#[tokio::test]
async fn a_stream_that_the_server_refuses_is_sent_once_more() {
    static REFUSED: AtomicBool = AtomicBool::new(false);
    let act = |stream: &mut SendResponse<Bytes>| {
        if REFUSED.swap(true, Ordering::Relaxed) {
            answer(stream, 200);
        } else {
            stream.send_reset(Reason::REFUSED_STREAM);
        }
        None
    };
    let (url, heard) = http2_server(None, act).await;
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    options.methods = "DELETE".parse().expect("methods");
    let output = refire_all(options, vec![record("DELETE", "/a")]).await;
    let retry = output[0].retry().expect("a refire");
    assert_eq!((retry.outcome, retry.attempts), (Outcome::Recovered, 1), "{retry:?}");
    assert_eq!(*heard.lock().expect("no panic"), ["DELETE /a", "DELETE /a"]);
}

#[tokio::test]
async fn a_stream_that_the_server_refuses_again_and_again_counts_as_not_connected() {
    let refuse = |stream: &mut SendResponse<Bytes>| {
        stream.send_reset(Reason::REFUSED_STREAM);
        None
    };
    let (url, heard) = http2_server(None, refuse).await;
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Connect)), "{retry:?}");
    assert_eq!(*heard.lock().expect("no panic"), ["GET /a"; 4]);
    assert!(retry.duration_ms.is_some_and(|ms| ms >= 150.0), "it was asked again at once: {retry:?}");
}

#[tokio::test]
async fn a_server_that_wants_http1_is_told_so_that_something_can_be_done() {
    let act = |stream: &mut SendResponse<Bytes>| {
        stream.send_reset(Reason::HTTP_1_1_REQUIRED);
        None
    };
    let (url, _) = http2_server(None, act).await;
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    let retry = refire(options, "/a").await;
    assert!(retry.detail.as_ref().is_some_and(|detail| detail.ends_with("give `--http1`")), "{retry:?}");
}

/// Of any other stream that is broken off, nobody knows what was done.
#[tokio::test]
async fn a_stream_that_the_server_breaks_off_is_not_sent_again() {
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::ENHANCE_YOUR_CALM, Reason::NO_ERROR] {
        static REASON: Mutex<Reason> = Mutex::new(Reason::NO_ERROR);
        *REASON.lock().expect("no panic") = reason;
        let break_off = |stream: &mut SendResponse<Bytes>| {
            stream.send_reset(*REASON.lock().expect("no panic"));
            None
        };
        let (url, heard) = http2_server(None, break_off).await;
        let mut options = options(&url);
        options.http = HttpVersion::Http2;
        let retry = refire(options, "/a").await;
        assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Reset)), "{retry:?}");
        assert_eq!(*heard.lock().expect("no panic"), ["GET /a"], "{reason:?}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_gives_up_is_not_tried_again() {
    let (url, heard) = http2_server(None, |_| Some(Reason::ENHANCE_YOUR_CALM)).await;
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Reset)), "{retry:?}");
    assert_eq!(*heard.lock().expect("no panic"), ["GET /a"]);
}

/// nginx does this after `keepalive_requests`.
#[tokio::test]
async fn no_request_is_lost_when_the_server_retires_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heard = Heard::default();
    let diary = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let diary = Arc::clone(&diary);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(tcp).await.ok()?;
                let mut count = 0;
                while let Some(Ok((request, mut stream))) = connection.accept().await {
                    diary.lock().expect("no panic").push(told(&request));
                    answer(&mut stream, 200);
                    count += 1;
                    if count == 5 {
                        connection.graceful_shutdown();
                    }
                }
                Some(())
            });
        }
    });
    let mut options = options(&url);
    options.http = HttpVersion::Http2;
    let records = (0..60).map(|n| record("GET", &format!("/{n}"))).collect();
    for record in refire_all(options, records).await {
        let retry = record.retry().expect("a refire");
        assert_eq!((retry.outcome, retry.attempts), (Outcome::Recovered, 1), "{retry:?}");
    }
    let mut heard = heard.lock().expect("no panic").clone();
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), 60);
}

#[tokio::test]
async fn a_server_without_http2_is_a_protocol_error() {
    let server = Server::start(Act::Answer(OK)).await;
    let mut options = options(&server.url());
    options.http = HttpVersion::Http2;
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Protocol)), "{retry:?}");
    assert!(retry.detail.is_some_and(|detail| detail.contains("leave out `--http2`")));
}

#[tokio::test]
async fn over_tls_a_server_without_http2_is_told_so_that_something_can_be_done() {
    let mut tls = server_config(&certificate("shop.example"), None);
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server = Server::start_with(Some(tls.into()), |_| Act::Answer(OK)).await;
    let mut options = options(&server.url().replace("http:", "https:"));
    options.tls.insecure = true;
    options.http = HttpVersion::Http2;
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Tls)), "{retry:?}");
    assert!(retry.detail.is_some_and(|detail| detail.contains("leave out `--http2`")));
}

#[tokio::test]
async fn over_tls_a_server_that_offers_http2_gets_it_unless_that_is_ruled_out() {
    let mut tls = server_config(&certificate("shop.example"), None);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let (url, heard) = http2_server(Some(tls), |stream| {
        answer(stream, 200);
        None
    })
    .await;
    for (http, outcome) in [
        (HttpVersion::Negotiated, Outcome::Recovered),
        (HttpVersion::Http2, Outcome::Recovered),
        (HttpVersion::Http1, Outcome::Unanswered),
    ] {
        let mut options = options(&url);
        options.tls.insecure = true;
        options.http = http;
        assert_eq!(refire(options, "/a").await.outcome, outcome, "{http:?}");
    }
    assert_eq!(heard.lock().expect("no panic").len(), 2);
}

/// A front of `url` that leaves its first connection to a machine that is not back yet.
async fn balancer(url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let front = format!("https://{}", listener.local_addr().expect("an address"));
    let server = url.strip_prefix("https://").expect("a server with TLS").to_owned();
    tokio::spawn(async move {
        let _stuck = listener.accept().await;
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.ok()?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
            });
        }
    });
    front
}

/// All that came meanwhile waited for that connection, and had none when its time was over.
#[tokio::test]
async fn a_connection_that_does_not_come_costs_the_request_that_asked_for_it_and_no_other() {
    let mut tls = server_config(&certificate("shop.example"), None);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let (url, heard) = http2_server(Some(tls), |stream| {
        answer(stream, 200);
        None
    })
    .await;
    let mut options = options(&balancer(&url).await);
    options.pace = Pace::Fixed;
    options.tls.insecure = true;
    options.connect_timeout = Duration::from_secs(1);
    let output = refire_all(options, (0..4).map(|n| record("GET", &format!("/{n}"))).collect()).await;
    let mut errors: Vec<_> = output.iter().map(|record| record.retry().expect("a refire").error).collect();
    errors.sort_by_key(Option::is_some);
    assert_eq!(errors, [None, None, None, Some(ErrorKind::Connect)]);
    assert_eq!(heard.lock().expect("no panic").len(), 3);
}
