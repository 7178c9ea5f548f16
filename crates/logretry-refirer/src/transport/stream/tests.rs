use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::{HttpVersion, Tls};

/// The configuration of a server that wants to see a certificate.
fn wants_a_certificate() -> ServerConfig {
    let own = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).expect("a root");
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a configuration")
}

#[tokio::test]
async fn why_a_server_closed_is_told_though_it_closed_before_that_was_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("a connection");
        TlsAcceptor::from(Arc::new(wants_a_certificate())).accept(tcp).await.is_ok()
    });
    let careless = Tls { insecure: true, ..Tls::default() };
    let client = crate::tls::client_config(&careless, HttpVersion::Http1, crate::tls::Trust::System)
        .expect("a configuration");
    let tcp = TcpStream::connect(address).await.expect("a connection");
    let name = "shop.example".try_into().expect("a name");
    let tls = TlsConnector::from(Arc::new(client)).connect(name, tcp).await.expect("our side of it");
    assert!(!server.await.expect("no panic"), "it refused");
    let mut stream = Stream::Tls(Box::new(tls));
    let why = loop {
        if let Err(why) = stream.write_all(b"GET / HTTP/1.1\r\n").await {
            break why;
        }
        if let Err(why) = stream.flush().await {
            break why;
        }
    };
    let why = why.get_ref().and_then(|why| why.downcast_ref::<rustls::Error>());
    let refused = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(why, Some(&refused));
}
