//! Through a proxy that the operator named, and never through another.

use std::sync::{Arc, Mutex};

use logretry_record::{ErrorKind, Outcome, Reason};
use logretry_refirer::{Options, Refirer, RefirerError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::server::{Act, OK, Server, options, refire};
use crate::tls::{certificate, file, server_config};

fn through(proxy: &str, base_url: &str) -> Options {
    let mut options = options(base_url);
    options.proxy = Some(proxy.parse().expect("a proxy"));
    options
}

#[tokio::test]
async fn a_proxy_is_asked_in_absolute_form() {
    let proxy = Server::start(Act::Answer(OK)).await;
    let url = proxy.url().replace("//", "//user:secret@");
    let retry = refire(through(&url, "http://no-such-host.invalid"), "/a?b=c").await;
    assert_eq!(retry.outcome, Outcome::Recovered);
    assert_eq!(proxy.request_lines(), ["GET http://no-such-host.invalid/a?b=c HTTP/1.1"]);
    assert!(proxy.heads()[0].to_ascii_lowercase().contains("proxy-authorization: basic "));
}

/// A proxy that opens a tunnel to `server`, whatever host it is asked for, and has an interim answer before. Gives its URL.
async fn tunnel(server: std::net::SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.expect("someone");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.expect("a head"));
        }
        assert!(head.starts_with(b"CONNECT shop.example:443 HTTP/1.1\r\n"));
        // Both at once, so that they are read together.
        let opened = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connected\r\n\r\n";
        client.write_all(opened).await.expect("someone");
        let mut server = TcpStream::connect(server).await.expect("a server");
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    url
}

#[tokio::test]
async fn https_goes_through_a_proxy_and_only_the_server_is_trusted_with_it() {
    let certificate = certificate("shop.example");
    let server =
        Server::start_with(Some(server_config(&certificate, None).into()), |_| Act::Answer(OK)).await;
    let proxy = tunnel(([127, 0, 0, 1], server.port()).into()).await;
    let cacert = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(cacert.path(), certificate.cert.pem()).expect("a file");
    let mut options = through(&proxy, "https://shop.example");
    options.tls.cacert = Some(cacert.path().to_owned());
    let retry = refire(options, "/a?b=c").await;
    assert_eq!((retry.outcome, retry.status), (Outcome::Recovered, Some(200)), "{retry:?}");
    assert_eq!(server.request_lines(), ["GET /a?b=c HTTP/1.1"]);
}

/// `--resolve`, which helps without a proxy, is not taken beside one.
#[tokio::test]
async fn what_is_said_of_a_wrong_name_behind_a_proxy_can_be_done_there() {
    let certificate = certificate("other.example");
    let server =
        Server::start_with(Some(server_config(&certificate, None).into()), |_| Act::Answer(OK)).await;
    let proxy = tunnel(([127, 0, 0, 1], server.port()).into()).await;
    let cacert = file(&certificate.cert.pem());
    let mut options = through(&proxy, "https://shop.example");
    options.tls.cacert = Some(cacert.path().to_owned());
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Tls)), "{retry:?}");
    let detail = retry.detail.expect("why");
    assert!(detail.ends_with("; give a name that it is valid for and that the proxy finds"), "{detail}");
}

/// nginx answers 400 to a request that has both.
#[tokio::test]
async fn over_http2_through_a_proxy_the_host_is_said_once_as_everywhere() {
    let certificate = certificate("shop.example");
    let mut tls = server_config(&certificate, None);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let heard = Arc::clone(&hosts);
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.ok()?;
        let tls = TlsAcceptor::from(Arc::new(tls)).accept(tcp).await.ok()?;
        let mut connection = h2::server::handshake(tls).await.ok()?;
        while let Some(Ok((request, mut answer))) = connection.accept().await {
            let authority = request.uri().authority().map(ToString::to_string);
            heard.lock().expect("no panic").push((authority, request.headers().get("host").cloned()));
            answer.send_response(http::Response::new(()), true).ok()?;
        }
        Some(())
    });
    let mut options = through(&tunnel(address).await, "https://shop.example");
    options.tls.insecure = true;
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.status), (Outcome::Recovered, Some(200)), "{retry:?}");
    assert_eq!(*hosts.lock().expect("no panic"), [(Some("shop.example".to_owned()), None)]);
    let proxy = Server::start(Act::Answer(OK)).await;
    refire(through(&proxy.url(), "http://shop.example:8080"), "/a").await;
    let asked = proxy.heads()[0].to_ascii_lowercase();
    assert_eq!(asked.matches("\r\nhost: shop.example:8080\r\n").count(), 1, "{asked}");
    assert_eq!(asked.matches("\r\nhost:").count(), 1, "{asked}");
}

#[test]
fn a_secret_is_not_in_debug_output() {
    let mut options = through("http://user:secret@proxy.example:3128", "http://shop.example");
    logretry_refirer::add_header(&mut options.headers, "Authorization: Bearer secret").expect("a header");
    let refirer = format!("{:?}", Refirer::new(options).expect("a refirer"));
    assert!(!refirer.contains("secret"), "{refirer}");
}

#[tokio::test]
async fn what_a_proxy_would_see_changed_is_not_sent() {
    let proxy = Server::start(Act::Answer(OK)).await;
    let retry = refire(through(&proxy.url(), "http://no-such-host.invalid"), "/a/../b").await;
    assert_eq!((retry.outcome, retry.reason), (Outcome::Skipped, Some(Reason::TargetWouldChange)));
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_lets_nothing_through_is_not_taken_for_the_server() {
    for answer in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "",
    ] {
        let proxy = Server::start(Act::Close(answer)).await;
        let retry = refire(through(&proxy.url(), "https://no-such-host.invalid"), "/a").await;
        let ended = (retry.outcome, retry.status, retry.error);
        assert_eq!(ended, (Outcome::Unanswered, None, Some(ErrorKind::Proxy)), "{retry:?}");
        assert_eq!(proxy.request_lines(), ["CONNECT no-such-host.invalid:443 HTTP/1.1"]);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_to_know_who_asks_is_told_in_the_tunnels_request() {
    let proxy = Server::start(Act::Close("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")).await;
    let retry = refire(through(&proxy.url(), "https://no-such-host.invalid"), "/a").await;
    assert!(retry.detail.is_some_and(|detail| detail.contains("USER:PASSWORD@")));
    refire(through(&proxy.url().replace("//", "//us%2Fer:pass+@"), "https://no-such-host.invalid"), "/a")
        .await;
    let heads = proxy.heads();
    assert!(!heads[0].contains("authorization"), "{heads:?}");
    assert!(heads[1].contains("\r\nproxy-authorization: Basic dXMvZXI6cGFzcys=\r\n"), "{heads:?}");
}

#[tokio::test]
async fn who_was_told_who_asks_and_asks_again_does_not_take_it() {
    let proxy = Server::start(Act::Close("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")).await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://no-such-host.invalid");
        for (user, word) in [("", "write `USER:PASSWORD@`"), ("user:pass@", "does not take")] {
            let retry = refire(through(&proxy.url().replace("//", &format!("//{user}")), &url), "/a").await;
            assert!(retry.detail.as_ref().is_some_and(|detail| detail.contains(word)), "{retry:?}");
        }
    }
}

#[tokio::test]
async fn a_proxy_may_be_spoken_to_over_tls_itself() {
    let certificates = [certificate("127.0.0.1"), certificate("shop.example")];
    let tls = server_config(&certificates[1], None);
    let server = Server::start_with(Some(tls.into()), |_| Act::Answer(OK)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = format!("https://{}", listener.local_addr().expect("an address"));
    let (tls, port) = (server_config(&certificates[0], None), server.port());
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.ok()?;
        let mut client = TlsAcceptor::from(Arc::new(tls)).accept(tcp).await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.ok()?);
        }
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.ok()?;
        client.flush().await.ok()?;
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
    });
    let both = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(both.path(), certificates.map(|each| each.cert.pem()).concat()).expect("a file");
    let mut options = through(&proxy, "https://shop.example");
    options.tls.cacert = Some(both.path().to_owned());
    let retry = refire(options, "/a").await;
    assert_eq!((retry.outcome, retry.status), (Outcome::Recovered, Some(200)), "{retry:?}");
    assert_eq!(server.request_lines(), ["GET /a HTTP/1.1"]);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_the_proxys_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    for proxy in [gone.as_str(), "http://no-such-proxy.invalid:3128"] {
        let retry = refire(through(proxy, "http://shop.example"), "/a").await;
        assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Proxy)), "{retry:?}");
    }
}

#[tokio::test]
async fn a_blocked_address_is_not_asked_of_a_proxy_either() {
    let proxy = Server::start(Act::Answer(OK)).await;
    let retry = refire(through(&proxy.url(), "http://169.254.169.254"), "/latest/meta-data/").await;
    assert_eq!(retry.error, Some(ErrorKind::BlockedAddress));
    assert_eq!(proxy.connections(), 0);
    let blocked = Refirer::new(through("http://169.254.169.254:3128", "http://shop.example"));
    assert!(matches!(blocked, Err(RefirerError::Blocked { .. })));
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    let (server, proxy) = (Server::start(Act::Answer(OK)).await, Server::start(Act::Answer(OK)).await);
    let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
    child.args(["--ignored", "--exact", "proxy::asks_the_server_that_the_environment_names"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, proxy.url());
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY").env("LOGRETRY_TEST_SERVER", server.url());
    let output =
        tokio::task::spawn_blocking(move || child.output()).await.expect("no panic").expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.heads().len(), proxy.connections()), (1, 0));
}

#[tokio::test]
#[ignore = "the other half of `proxies_of_the_environment_are_ignored`, which runs it"]
async fn asks_the_server_that_the_environment_names() {
    let Ok(url) = std::env::var("LOGRETRY_TEST_SERVER") else { return };
    assert_eq!(refire(options(&url), "/a").await.outcome, Outcome::Recovered);
}
