//! What goes wrong before there is a connection: nobody there, and handshakes that fail.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use logretry_record::ErrorKind::{Connect, Dns, Reset, Tls};
use logretry_record::{ErrorKind, Outcome};
use logretry_refirer::Options;
use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use super::script::{FaultServer, Step, perform, say, say_bytes};
use super::{LONG, fixed, none_complains};
use crate::server::{Act, OK, Server, options, refire};
use crate::tls::{Certified, certificate, file, server_config};

/// It ends so, and says nothing over the wire.
async fn expect(name: &str, options: Options, error: Option<ErrorKind>) -> Option<String> {
    let retry = refire(options, "/fault").await;
    let expected = retry.error == error && (retry.outcome == Outcome::Recovered) == error.is_none();
    (!expected).then(|| format!("{name}: {retry:?}"))
}

/// A server that follows `steps` as soon as somebody connects.
async fn blunt(steps: Vec<Step>) -> Options {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let steps = steps.clone();
            tokio::spawn(async move {
                use tokio::io::AsyncReadExt as _;
                // The ClientHello, so that closing is no reset.
                let mut hello = [0; 4096];
                let _ = tcp.read(&mut hello).await;
                perform(&mut tcp, &steps).await;
            });
        }
    });
    fixed(&url, 1, LONG)
}

#[tokio::test]
async fn a_handshake_that_fails_is_a_tls_error_whatever_broke_it() {
    let alert = |code: u8| vec![0x15, 3, 3, 0, 2, 2, code];
    // RFC 8446 §6.2, RFC 7301 §3.3; and a ServerHello of TLS 1.0.
    let old = [&[0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1][..], &[7; 32], &[0, 0, 0x2F, 0]].concat();
    let faults = [
        ("closed", vec![], Tls),
        ("cut", vec![Step::Cut], Tls),
        ("reset", vec![Step::Reset], Tls),
        ("plain HTTP", vec![say("HTTP/1.1 400 Bad Request\r\n\r\n")], Tls),
        ("rubbish", vec![say_bytes(vec![0xAA; 4096])], Tls),
        ("alert: handshake failure", vec![say_bytes(alert(40))], Tls),
        ("alert: protocol version", vec![say_bytes(alert(70))], Tls),
        ("alert: unrecognised name", vec![say_bytes(alert(112))], Tls),
        ("alert: internal error", vec![say_bytes(alert(80))], Tls),
        ("alert: no application protocol", vec![say_bytes(alert(120))], Tls),
        ("TLS 1.0", vec![say_bytes(old)], Tls),
        ("half a record", vec![say_bytes([0x16, 3, 3, 0, 90, 2])], Tls),
        (
            "a record that is too long",
            vec![say_bytes([0x16, 3, 3, 0xFF, 0xFF]), Step::Forever(&[0; 4096])],
            Tls,
        ),
    ];
    let attempts = faults
        .into_iter()
        .map(async |(name, steps, error)| expect(name, blunt(steps).await, Some(error)).await);
    none_complains(attempts).await;
}

/// A certificate for `shop.example`, changed.
fn changed(change: impl FnOnce(&mut CertificateParams)) -> Certified {
    let mut params = CertificateParams::new(["shop.example".to_owned()]).expect("a name");
    change(&mut params);
    let signing_key = KeyPair::generate().expect("a key");
    let cert = params.self_signed(&signing_key).expect("a certificate");
    CertifiedKey { cert, signing_key }
}

#[tokio::test]
async fn a_certificate_that_does_not_vouch_for_the_host_is_a_tls_error() {
    let expired = changed(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let early = changed(|params| params.not_before = date_time_ymd(4000, 1, 1));
    let issuer = || changed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let (issuer, other_issuer) = (issuer(), issuer());
    let expired_issuer = changed(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let elsewhere = changed(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.subject_alt_names.clear();
    });
    let wrong_name = certificate("other.example");
    let unknown = certificate("shop.example");
    let good = certificate("shop.example");
    for (certificate, trusted, error, word) in [
        (&expired, &expired, Some(Tls), "valid until 2020-01-01T00:00:00Z: it has expired"),
        (&early, &early, Some(Tls), "valid from 4000-01-01T00:00:00Z on"),
        // What `openssl req -x509` makes.
        (&issuer, &issuer, None, ""),
        (&issuer, &other_issuer, Some(Tls), "an issuer's own"),
        (&expired_issuer, &expired_issuer, Some(Tls), "it has expired"),
        (&elsewhere, &elsewhere, Some(Tls), "not valid for"),
        (&wrong_name, &wrong_name, Some(Tls), "not valid for name"),
        (&unknown, &good, Some(Tls), "not signed with the key"),
        (&good, &good, None, ""),
    ] {
        let trusted = file(&trusted.cert.pem());
        let server = FaultServer::start(vec![say(OK)], Some(server_config(certificate, None).into())).await;
        let port = server.url().rsplit_once(':').expect("a port").1.to_owned();
        let mut options = options(&format!("https://shop.example:{port}"));
        options.resolve.add(&format!("shop.example:{port}:127.0.0.1")).expect("a name");
        options.tls.cacert = Some(trusted.path().to_owned());
        let retry = refire(options, "/fault").await;
        assert_eq!(retry.error, error, "{word}: {retry:?}");
        let detail = retry.detail.unwrap_or_default();
        assert!(detail.contains(word), "{detail}");
        assert_eq!(server.heard().len(), usize::from(error.is_none()), "{word}");
    }
}

/// Some servers send every certificate that they have ever seen.
#[tokio::test]
async fn a_chain_of_a_hundred_kilobytes_is_no_fault() {
    let certificate = certificate("shop.example");
    let chain: Vec<_> = std::iter::repeat_n(certificate.cert.der().clone(), 120).collect();
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).expect("a key");
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config =
        config.expect("TLS 1.3").with_no_client_auth().with_single_cert(chain, key).expect("a configuration");
    let server = FaultServer::start(vec![say(OK)], Some(config.into())).await;
    assert_eq!(expect("a long chain", fixed(&server.url(), 1, LONG), None).await, None);
}

/// Whoever ends the connection without TLS's own farewell may have cut off the rest of the answer.
#[tokio::test]
async fn an_answer_that_only_closing_ends_must_be_closed_in_good_order() {
    for (text, steps, error) in [
        ("HTTP/1.1 200 OK\r\n\r\nok", vec![], None),
        ("HTTP/1.1 200 OK\r\n\r\nok", vec![Step::Cut], Some(Reset)),
        (OK, vec![Step::Cut], None),
    ] {
        let steps = [vec![say(text)], steps].concat();
        let config = server_config(&certificate("shop.example"), None);
        let server = FaultServer::start(steps, Some(config.into())).await;
        assert_eq!(expect(text, fixed(&server.url(), 1, LONG), error).await, None);
    }
}

#[tokio::test]
async fn who_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    for scheme in ["http", "https"] {
        let refused = fixed(&format!("{scheme}://{free}"), 1, LONG);
        assert_eq!(expect("refused", refused, Some(Connect)).await, None);
        let unknown = fixed(&format!("{scheme}://no-such-host.invalid"), 1, LONG);
        assert_eq!(expect("no such name", unknown, Some(Dns)).await, None);
    }
}

/// An address that answers to nothing: its queue of new connections is full.
struct Dead {
    address: SocketAddr,
    _listener: TcpListener,
    _crowd: Vec<JoinHandle<io::Result<TcpStream>>>,
}

impl Dead {
    async fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(address).expect("a port");
        let listener = socket.listen(1).expect("a listener");
        let address = listener.local_addr().expect("an address");
        // Linux takes one more than it was told; the others get no answer.
        let crowd = (0..8).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        Self { address, _listener: listener, _crowd: crowd }
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_given_up() {
    let dead = Dead::at(([127, 0, 0, 1], 0).into()).await;
    for scheme in ["http", "https"] {
        let mut options = fixed(&format!("{scheme}://{}", dead.address), 1, LONG);
        options.connect_timeout = Duration::from_millis(200);
        assert_eq!(expect("a full queue", options, Some(Connect)).await, None);
    }
}

/// All the time went to the first address of a host, and none to the others.
#[tokio::test]
async fn an_address_that_is_dead_is_not_the_whole_host() {
    let server = Server::start(Act::Answer(OK)).await;
    let port = server.port();
    let _dead = Dead::at(([127, 0, 0, 2], port).into()).await;
    let mut options = fixed(&format!("http://shop.example:{port}"), 1, LONG);
    options.resolve.add(&format!("shop.example:{port}:127.0.0.2,127.0.0.1")).expect("two addresses");
    assert_eq!(expect("a dead address", options, None).await, None);
    assert_eq!(server.connections(), 1);
}
