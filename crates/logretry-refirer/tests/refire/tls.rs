//! Whom a refirer trusts, and what it calls a handshake that fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use logretry_record::{ErrorKind, Outcome, Record, RecordId, Retry};
use logretry_refirer::{Before, Journal, Options, Planned, Refirer, RefirerError};
use logretry_stage::{Context, Stage as _};
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::server::{Act, OK, Server, options, record, refire};

pub(crate) type Certified = CertifiedKey<KeyPair>;

pub(crate) fn certificate(name: &str) -> Certified {
    rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

pub(crate) fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("a file");
    file
}

/// A server's configuration with this certificate; with `clients`, for those only who show that one.
pub(crate) fn server_config(certificate: &Certified, clients: Option<&Certified>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.cert.der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).expect("a key");
    builder.with_single_cert(vec![certificate.cert.der().clone()], key).expect("a configuration")
}

async fn server(certificate: &Certified, clients: Option<&Certified>) -> Server {
    Server::start_with(Some(server_config(certificate, clients).into()), |_| Act::Answer(OK)).await
}

/// Options for `server` under the name `shop.example`.
fn named(server: &Server) -> Options {
    let port = server.port();
    let mut options = options(&format!("https://shop.example:{port}"));
    options.resolve.add(&format!("shop.example:{port}:127.0.0.1")).expect("a name");
    options
}

fn ended(retry: &Retry) -> (Outcome, Option<ErrorKind>) {
    (retry.outcome, retry.error)
}

const RECOVERED: (Outcome, Option<ErrorKind>) = (Outcome::Recovered, None);
const TLS: (Outcome, Option<ErrorKind>) = (Outcome::Unanswered, Some(ErrorKind::Tls));

#[tokio::test]
async fn a_certificate_is_trusted_when_the_operator_says_so_and_for_its_name_only() {
    let certificate = certificate("shop.example");
    let cacert = file(&certificate.cert.pem());
    let server = server(&certificate, None).await;
    let retry = refire(named(&server), "/a").await;
    assert_eq!(ended(&retry), TLS);
    assert!(retry.detail.expect("why").contains("nobody whom this machine trusts"));

    let mut trusting = named(&server);
    trusting.tls.cacert = Some(cacert.path().to_owned());
    assert_eq!(ended(&refire(trusting, "/a").await), RECOVERED);

    let mut wrong_name = options(&format!("https://127.0.0.1:{}", server.port()));
    wrong_name.tls.cacert = Some(cacert.path().to_owned());
    let retry = refire(wrong_name, "/a").await;
    assert_eq!(ended(&retry), TLS);
    assert!(retry.detail.expect("why").contains("not valid for name"));

    assert_eq!(server.heads().len(), 1, "only the one that trusts has said anything");

    let mut careless = options(&format!("https://127.0.0.1:{}", server.port()));
    careless.tls.insecure = true;
    assert_eq!(ended(&refire(careless, "/a").await), RECOVERED);
}

/// OpenSSL makes such certificates where it is not given extensions. `--insecure` did not take them, and what was wrong was "Other(OtherError(UnsupportedCertVersion))".
#[tokio::test]
async fn a_certificate_of_version_1_is_called_that_and_taken_where_any_is() {
    let certificate = certificate("shop.example");
    let mut old = certificate.cert.der().to_vec();
    let at = old.windows(5).position(|bytes| bytes == [0xA0, 3, 2, 1, 2]).expect("it is of version 3");
    old[at + 4] = 0;
    let key = PrivateKeyDer::try_from(certificate.signing_key.serialize_der()).expect("a key");
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key).expect("a key");
    let shown = rustls::sign::CertifiedKey::new(vec![old.into()], key);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = ServerConfig::builder_with_provider(provider.clone().into())
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown.clone())));
        let server = Server::start_with(Some(config.into()), |_| Act::Answer(OK)).await;
        let mut options = named(&server);
        let retry = refire(options.clone(), "/a").await;
        assert_eq!(ended(&retry), TLS);
        assert!(retry.detail.expect("why").contains("version 1 of X.509"));
        options.tls.insecure = true;
        assert_eq!(ended(&refire(options, "/a").await), RECOVERED);
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_the_server() {
    let (certificate, client) = (certificate("shop.example"), certificate("client.example"));
    let both = file(&format!("{}{}", client.cert.pem(), client.signing_key.serialize_pem()));
    let (chain, key) = (file(&client.cert.pem()), file(&client.signing_key.serialize_pem()));
    let server = server(&certificate, Some(&client)).await;
    let mut options = named(&server);
    options.tls.insecure = true;
    assert_eq!(ended(&refire(options.clone(), "/a").await), TLS);

    options.tls.cert = Some(both.path().to_owned());
    assert_eq!(ended(&refire(options.clone(), "/a").await), RECOVERED);

    options.tls.cert = Some(chain.path().to_owned());
    options.tls.key = Some(key.path().to_owned());
    assert_eq!(ended(&refire(options, "/a").await), RECOVERED);
    assert_eq!(server.heads().len(), 2);
}

/// Whether anything was sent, as far as a journal is told.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Vec<bool>>>);

impl Journal for Sent {
    fn before(&self, _: &Record) -> logretry_stage::Result<Before> {
        Ok(Before::New)
    }

    async fn intend(&self, _: RecordId, _: u32, _: &Planned) -> logretry_stage::Result<()> {
        Ok(())
    }

    async fn answered(&self, _: &Record, _: &Retry) -> logretry_stage::Result<()> {
        Ok(())
    }

    async fn ended(&self, _: &Record, _: &Retry, sent: bool) -> logretry_stage::Result<()> {
        self.0.lock().expect("no panic").push(sent);
        Ok(())
    }
}

/// With TLS 1.3 our side of the handshake is over before the server has seen our certificate, or that there is none; the request went out, and counted as sent for good.
#[tokio::test]
async fn what_a_server_refuses_for_want_of_a_certificate_has_not_been_sent() {
    let (certificate, client) = (certificate("shop.example"), certificate("client.example"));
    for protocol in ["http/1.1", "h2"] {
        let mut tls = server_config(&certificate, Some(&client));
        tls.alpn_protocols = vec![protocol.into()];
        let server = Server::start_with(Some(tls.into()), |_| Act::Answer(OK)).await;
        let mut options = options(&server.url().replace("http:", "https:"));
        options.tls.insecure = true;
        options.methods = "GET,DELETE".parse().expect("methods");
        let sent = Sent::default();
        let refirer = Refirer::new(options).expect("a refirer").with_journal(sent.clone());
        let records = ["GET", "DELETE"].map(|method| Ok(record(method, "/a")));
        let output = refirer.apply(futures_util::stream::iter(records), &Context::default());
        for record in output.map(|record| record.expect("a record")).collect::<Vec<_>>().await {
            let retry = record.retry().expect("a refire");
            assert_eq!(ended(retry), TLS, "{protocol}: {retry:?}");
            let why = "the server wants to see a certificate of ours: `--cert FILE` shows it one";
            assert_eq!(retry.detail.as_deref(), Some(why), "{protocol}");
        }
        assert_eq!(*sent.0.lock().expect("no panic"), [false, false], "{protocol}");
    }
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_no_connection() {
    // It waits for the end of a request head, which a ClientHello does not have.
    let silent = Server::start(Act::Close("")).await;
    let mut options = options(&silent.url().replace("http:", "https:"));
    options.connect_timeout = Duration::from_millis(150);
    let retry = refire(options, "/a").await;
    assert_eq!(ended(&retry), (Outcome::Unanswered, Some(ErrorKind::Connect)));
    assert_eq!(retry.detail.as_deref(), Some("no connection within 150ms"));
}

#[tokio::test]
async fn a_server_that_speaks_plain_http_on_its_tls_port_is_a_tls_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.expect("someone");
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("someone");
        while tcp.read_u8().await.is_ok() {}
    });
    assert_eq!(ended(&refire(options(&url), "/a").await), TLS);
}

#[test]
fn files_that_are_no_pem_are_named() {
    let (empty, wrong) = (file(""), file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    let refused = |change: &dyn Fn(&mut Options)| {
        let mut options = options("https://shop.example");
        change(&mut options);
        Refirer::new(options).expect_err("a file is wrong")
    };
    let missing = refused(&|options| options.tls.cacert = Some("/no/such/file".into()));
    assert!(matches!(missing, RefirerError::File { .. }), "{missing}");
    for file in [&empty, &wrong] {
        let path = file.path().to_owned();
        let error = refused(&|options| options.tls.cacert = Some(path.clone()));
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        let error = refused(&|options| options.tls.cert = Some(path.clone()));
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert!(matches!(refused(&|options| options.tls.key = Some("k".into())), RefirerError::KeyWithoutCert));
}
