//! Certificates and keys in files, as PEM (RFC 7468); and what to do about a file that is something else.

use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::RefirerError;

/// The certificates of a file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, RefirerError> {
    let bytes = read(path)?;
    match CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(found) if found.is_empty() => Err(refused(path, why_no_certificate(&bytes))),
        Ok(found) => Ok(found),
        Err(error) => Err(refused(path, error.to_string())),
    }
}

/// The first private key of a file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, RefirerError> {
    let bytes = read(path)?;
    // A key that is encrypted in the old way is one by its name, and is then no base64.
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| refused(path, why_no_key(&bytes)))
}

fn read(path: &Path) -> Result<Vec<u8>, RefirerError> {
    std::fs::read(path).map_err(|error| RefirerError::File { path: path.to_owned(), error })
}

fn refused(path: &Path, why: impl Into<String>) -> RefirerError {
    RefirerError::Pem { path: path.to_owned(), why: why.into() }
}

fn why_no_certificate(bytes: &[u8]) -> &'static str {
    if is_binary(bytes) {
        "it is no PEM file; `openssl x509 -in FILE -out cert.pem` makes one of a certificate, `openssl pkcs12 -in FILE -nodes -out both.pem` of PKCS#12 (.p12, .pfx)"
    } else {
        "it holds no certificate: a PEM file has one between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`"
    }
}

fn why_no_key(bytes: &[u8]) -> &'static str {
    let says = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if is_binary(bytes) {
        "it is no PEM file; `openssl pkcs12 -in FILE -nodes -out both.pem` makes one, with certificate and unencrypted key, of PKCS#12 (.p12, .pfx)"
    } else if says(b"ENCRYPTED") {
        "its private key is encrypted; `openssl pkey -in FILE -out key.pem` writes it unencrypted, for --key"
    } else if says(b"PRIVATE KEY") {
        "its private key cannot be read: a PEM file with an unencrypted one is needed, which `openssl pkey -in FILE -out key.pem` writes, for --key"
    } else {
        "it holds no private key: a PEM file with the certificate and its unencrypted private key is needed (`cat cert.pem key.pem > both.pem`), or --key with the key's own file"
    }
}

/// Whether it is DER, as PKCS#12 and many certificates are: it begins with a sequence, and PEM is text.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) || std::str::from_utf8(bytes).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a file with these bytes as `--cert`.
    fn said(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("a file");
        key(file.path()).expect_err("no key").to_string()
    }

    #[test]
    fn a_file_without_a_usable_key_is_told_from_others_and_how_to_make_one() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for (bytes, words) in [
            (&b""[..], "holds no private key"),
            (certificate.as_bytes(), "holds no private key"),
            (encrypted.as_bytes(), "openssl pkey"),
            (old.as_bytes(), "openssl pkey"),
            (&[0x30, 0x82, 0x0A, 0x01, 0x02, 0x01, 0x03], "openssl pkcs12"),
        ] {
            let said = said(bytes);
            assert!(said.contains(words) && !said.contains("no items"), "{said}");
        }
    }

    #[test]
    fn a_certificate_that_is_no_pem_is_told_how_to_become_one() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), [0x30, 0x82, 0x01, 0x01]).expect("a file");
        let said = certificates(file.path()).expect_err("no certificate").to_string();
        assert!(said.contains("openssl x509"), "{said}");
    }
}
