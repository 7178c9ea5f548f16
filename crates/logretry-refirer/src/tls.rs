//! One TLS configuration for everything that is sent: the same roots, the same client certificate, whichever way a request
//! goes.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, InconsistentKeys, OtherError,
    RootCertStore, SignatureScheme,
};

use crate::options::Tls;
use crate::{HttpVersion, RefirerError, pem};

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The system's, and those of `--cacert`.
    System,
    /// Those of `--cacert`: for who speaks no TLS, because to read what the system has takes longer than all else before the first request.
    Given,
}

/// The configuration, with the protocols of `http` to be offered to the server.
pub(crate) fn client_config(
    tls: &Tls,
    http: HttpVersion,
    trust: Trust,
) -> Result<ClientConfig, RefirerError> {
    let provider = Arc::new(ring::default_provider());
    let failed = |error: Error| RefirerError::Client(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TakesAny(Arc::clone(&provider))))
    } else if let Some(path) = &tls.cacert {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots(tls, trust)?.into(), Arc::clone(&provider));
        let verifier = verifier.build().map_err(|error| RefirerError::Client(error.to_string()))?;
        let given = pem::certificates(path)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TakesGiven { verifier, given }))
    } else {
        builder.with_root_certificates(roots(tls, trust)?)
    };
    let mut config = match (&tls.cert, &tls.key) {
        (None, None) => builder.with_no_client_auth(),
        (None, Some(_)) => return Err(RefirerError::KeyWithoutCert),
        (Some(cert), key) => {
            let path = key.as_ref().unwrap_or(cert);
            let key = pem::key(path)?;
            let shown = shown(&provider, pem::certificates(cert)?, key)
                .map_err(|why| RefirerError::Pem { path: path.clone(), why })?;
            builder.with_client_cert_resolver(Arc::new(shown))
        }
    };
    let protocols: &[&[u8]] = match http {
        HttpVersion::Negotiated => &[b"h2", b"http/1.1"],
        HttpVersion::Http1 => &[b"http/1.1"],
        HttpVersion::Http2 => &[b"h2"],
    };
    config.alpn_protocols = protocols.iter().map(|&name| name.to_vec()).collect();
    Ok(config)
}

/// What servers are shown, or why not. They say whether they like the certificate; the library would refuse what it cannot read itself: version 1 of X.509, which OpenSSL makes where it is not
/// given extensions, and which servers take.
fn shown(
    provider: &CryptoProvider,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<SingleCertAndKey, String> {
    let key = provider.key_provider.load_private_key(key).map_err(|error| error.to_string())?;
    let shown = CertifiedKey::new(certificates, key);
    if let Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) = shown.keys_match() {
        return Err("its private key is not that of the (first) certificate of --cert".to_owned());
    }
    Ok(SingleCertAndKey::from(shown))
}

/// The certificates that are trusted. A system without any is no error here: plain HTTP needs none, and
/// over TLS every server will be unknown, which the records then say.
fn roots(tls: &Tls, trust: Trust) -> Result<RootCertStore, RefirerError> {
    let mut roots = RootCertStore::empty();
    if trust == Trust::System {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(path) = &tls.cacert {
        for certificate in pem::certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| RefirerError::Pem { path: path.clone(), why: error.to_string() })?;
        }
    }
    Ok(roots)
}

/// Whether a certificate cannot be read because it is of version 1 of X.509, for which the library has no name of its own.
pub(crate) fn is_of_version_1(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(OtherError(other)) if other.to_string() == "UnsupportedCertVersion")
}

/// Whether a certificate is an issuer's own, for which the library has no name of its own either.
pub(crate) fn is_of_an_issuer(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(OtherError(other)) if other.to_string() == "CaUsedAsEndEntity")
}

/// `--cacert`: takes what the library takes, and a certificate that was itself given, though it is an issuer's own, as those are that `openssl req -x509` makes. Who made it is no
/// question then, nor how long it is valid, which the library has looked at before.
#[derive(Debug)]
struct TakesGiven {
    verifier: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for TakesGiven {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.verifier.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(why))
                if is_of_an_issuer(&why) && self.given.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// `--insecure`: takes any certificate for any name. Signatures are still checked, so that a handshake is one, with a certificate that can be read.
#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unless_of_version_1(rustls::crypto::verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unless_of_version_1(rustls::crypto::verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        ))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn unless_of_version_1(
    checked: Result<HandshakeSignatureValid, Error>,
) -> Result<HandshakeSignatureValid, Error> {
    match checked {
        Err(Error::InvalidCertificate(why)) if is_of_version_1(&why) => {
            Ok(HandshakeSignatureValid::assertion())
        }
        checked => checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Such a certificate was "invalid peer certificate: Other(OtherError(UnsupportedCertVersion))".
    #[test]
    fn a_certificate_is_shown_though_it_cannot_be_read_if_it_is_not_that_of_another_key() {
        let made =
            || rcgen::generate_simple_self_signed(["client.example".to_owned()]).expect("a certificate");
        let (ours, other) = (made(), made());
        let key = |of: &rcgen::CertifiedKey<rcgen::KeyPair>| {
            PrivateKeyDer::try_from(of.signing_key.serialize_der()).expect("a key")
        };
        let mut old = ours.cert.der().to_vec();
        let version = [0xA0, 3, 2, 1, 2];
        let at = old.windows(5).position(|bytes| bytes == version).expect("it is of version 3");
        old[at + 4] = 0;
        let provider = ring::default_provider();
        assert!(shown(&provider, vec![ours.cert.der().clone()], key(&ours)).is_ok());
        assert!(shown(&provider, vec![old.into()], key(&ours)).is_ok());
        let why = shown(&provider, vec![ours.cert.der().clone()], key(&other)).expect_err("another key");
        assert_eq!(why, "its private key is not that of the (first) certificate of --cert");
    }
}
