//! What a broken exchange is called.
//!
//! Libraries wrap errors in errors. The whole chain is walked, `io::Error`s opened too, and the innermost link that is known
//! decides: what happened last in the chain happened first in the world.

use std::error::Error;
use std::{io, iter};

use jiff::Timestamp;
use logretry_record::{ErrorKind, Shown};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::resolver::ResolveError;
use crate::tls::{is_of_an_issuer, is_of_version_1};

/// An exchange that did not end with a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    /// The system's or a library's own words, or ours where those say nothing to a person. They never hold the URL.
    pub(crate) detail: String,
    /// Whether it is certain that no server has looked at the request, or will: it did not leave, or the protocol says so.
    pub(crate) unprocessed: bool,
}

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// On its way to a connection, TLS handshake included.
    Connecting,
    /// On its way to a connection with a proxy or through it.
    ConnectingByProxy,
    /// In the TLS handshake with a server, through a proxy's tunnel.
    InTunnel,
    /// On a connection.
    Exchanging,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), unprocessed: false }
    }

    /// The same, of a request that is known not to have been looked at.
    pub(crate) fn before_the_request(self) -> Self {
        Self { unprocessed: true, ..self }
    }

    /// What `error` is called that came up in `phase`.
    pub(crate) fn of(error: &(dyn Error + 'static), phase: Phase) -> Self {
        let known = links(error).filter_map(|link| kind_of_type(link, phase)).last();
        let kind = known
            .or_else(|| links(error).filter_map(|link| kind_of_io(link, phase)).last())
            .unwrap_or(match phase {
                Phase::Connecting | Phase::InTunnel => ErrorKind::Connect,
                Phase::ConnectingByProxy => ErrorKind::Proxy,
                Phase::Exchanging => ErrorKind::Other,
            });
        let detail = links(error).find_map(|link| {
            link.downcast_ref()
                .and_then(|error| of_handshake(error, phase))
                .or_else(|| of_frames(link.downcast_ref()?))
                .or_else(|| of_limits(link.downcast_ref()?))
        });
        let innermost = || links(error).last().map(ToString::to_string).unwrap_or_default();
        let mut detail = detail.unwrap_or_else(innermost);
        if phase == Phase::ConnectingByProxy && kind == ErrorKind::Tls {
            detail = format!("TLS with the proxy: {detail}");
        }
        let fault = Self::new(kind, Shown(detail.as_bytes()).to_string());
        match links(error).find_map(refusal_of) {
            Some(refusal) if phase == Phase::Exchanging => {
                let detail = of_handshake(&refusal, phase).unwrap_or_else(|| refusal.to_string());
                Self { kind: ErrorKind::Tls, detail, unprocessed: true }
            }
            _ => fault,
        }
    }
}

/// With which alert the server broke the handshake off because of our certificate, or because we showed none. With TLS 1.3 that comes when the handshake is over for us, and perhaps
/// after the request; but what we send then is not read before our certificate has been accepted (RFC 8446 §4.4.2.4).
fn refusal_of(link: &(dyn Error + 'static)) -> Option<rustls::Error> {
    let refusals = || REFUSALS.map(rustls::Error::AlertReceived).into_iter();
    if let Some(alert) = link.downcast_ref::<rustls::Error>() {
        return refusals().find(|refusal| refusal == alert);
    }
    // It keeps the words of an error, and not the error.
    let words = link.downcast_ref::<h2::Error>()?.get_io()?.to_string();
    refusals().find(|refusal| refusal.to_string() == words)
}

/// RFC 8446 §6.2.
const REFUSALS: [AlertDescription; 8] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
];

/// `error` and what caused it, from the outside in. An `io::Error` that carries another error hides it from
/// [`Error::source`].
pub(crate) fn links<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&link| {
        match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried as &(dyn Error + 'static)),
            None => link.source(),
        }
    })
}

/// What is wrong with a handshake, and what can be done.
fn of_handshake(error: &rustls::Error, phase: Phase) -> Option<String> {
    use rustls::Error::{self, AlertReceived, InvalidCertificate, NoApplicationProtocol};

    match error {
        InvalidCertificate(CertificateError::NotValidForNameContext { .. }) => {
            // Where a proxy is, its URL says; and what is behind it, it looks up itself.
            let and = match phase {
                Phase::Connecting | Phase::Exchanging => ", and `--resolve` to say where that is",
                Phase::ConnectingByProxy => " in the URL of `--proxy`",
                Phase::InTunnel => " and that the proxy finds",
            };
            Some(format!("{error}; give a name that it is valid for{and}"))
        }
        InvalidCertificate(why) => of_certificate(why),
        // What plain HTTP answers, read as TLS.
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => Some(
            "what came back is no TLS; if plain HTTP is spoken there, write `http://` in the URL".to_owned(),
        ),
        NoApplicationProtocol | AlertReceived(AlertDescription::NoApplicationProtocol) => Some(
            "the server does not speak the HTTP version that it was asked for: leave out `--http2` (or `--http1`)"
                .to_owned(),
        ),
        AlertReceived(AlertDescription::CertificateRequired) => Some(
            "the server wants to see a certificate of ours: `--cert FILE` shows it one".to_owned(),
        ),
        _ => None,
    }
}

/// What is no fault of the server: each connection is an open file.
fn of_limits(error: &io::Error) -> Option<String> {
    // `ENFILE` and `EMFILE`, which are so numbered on every Unix.
    matches!(error.raw_os_error()?, 23 | 24).then(|| {
        format!("{error}: the limit is that of this machine; raise it (`ulimit -n`), or give a smaller `--concurrency`")
    })
}

/// What is no HTTP/2 at all: the answer of a server that speaks HTTP/1.1, read as a frame, is one of five million bytes. Or what its server wants to have over HTTP/1.1
/// (RFC 9113 §7): IIS, where it asks for a client certificate late.
fn of_frames(error: &h2::Error) -> Option<String> {
    if error.is_remote() && error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED) {
        return Some("the server wants this request over HTTP/1.1: give `--http1`".to_owned());
    }
    let is_no_frame = error.is_library() && error.reason() == Some(h2::Reason::FRAME_SIZE_ERROR);
    is_no_frame.then(|| {
        "what came back is no HTTP/2; if the server does not speak it, leave out `--http2`".to_owned()
    })
}

/// What is wrong with a server's certificate, and what can be done.
fn of_certificate(why: &CertificateError) -> Option<String> {
    let at = |time: &UnixTime| {
        let time = i64::try_from(time.as_secs()).ok().and_then(|second| Timestamp::from_second(second).ok());
        time.map_or_else(String::new, |time| format!(" {time}"))
    };
    Some(match why {
        CertificateError::UnknownIssuer => {
            "the server's certificate was issued by nobody whom this machine trusts; `--cacert FILE` trusts its issuer".to_owned()
        }
        CertificateError::BadSignature => {
            "the server's certificate was not signed with the key that this machine knows of its issuer; if that was made anew, `--cacert FILE` trusts it".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the server's certificate was valid until{}: it has expired", at(not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the server's certificate is valid from{} on; is the clock of this machine right?", at(not_before))
        }
        old if is_of_version_1(old) => {
            "the server's certificate is of version 1 of X.509, which names no hosts: make it with extensions (`openssl x509 -req -extfile FILE`, with `subjectAltName` in FILE), or give `--insecure`".to_owned()
        }
        issuer if is_of_an_issuer(issuer) => {
            "the server's certificate is an issuer's own, which stands for a server only where it is itself given: `--cacert FILE`".to_owned()
        }
        _ => return None,
    })
}

/// What a link is called whose type tells.
fn kind_of_type(link: &(dyn Error + 'static), phase: Phase) -> Option<ErrorKind> {
    if let Some(error) = link.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Blocked { .. } | ResolveError::Private(_) => ErrorKind::BlockedAddress,
            _ if phase == Phase::ConnectingByProxy => ErrorKind::Proxy,
            ResolveError::Lookup(_) | ResolveError::NoAddress => ErrorKind::Dns,
        });
    }
    if link.is::<rustls::Error>() {
        return Some(ErrorKind::Tls);
    }
    if let Some(error) = link.downcast_ref::<h2::Error>() {
        // What the far end broke off, against what it got wrong.
        let broken_off = error.is_io() || error.is_remote();
        return Some(if broken_off { ErrorKind::Reset } else { ErrorKind::Protocol });
    }
    let error = link.downcast_ref::<hyper::Error>()?;
    if error.is_parse() {
        Some(ErrorKind::Protocol)
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Some(ErrorKind::Reset)
    } else {
        None
    }
}

/// What an `io::Error` is called by its kind.
fn kind_of_io(link: &(dyn Error + 'static), phase: Phase) -> Option<ErrorKind> {
    use io::ErrorKind as Io;

    let kind = link.downcast_ref::<io::Error>()?.kind();
    let broken = matches!(
        kind,
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof | Io::NotConnected
    );
    match phase {
        // A connection that breaks before it is ready breaks in its TLS handshake; plain ones have nothing to break in.
        Phase::Connecting | Phase::InTunnel => Some(if broken { ErrorKind::Tls } else { ErrorKind::Connect }),
        Phase::ConnectingByProxy => None,
        Phase::Exchanging if broken => Some(ErrorKind::Reset),
        Phase::Exchanging => match kind {
            Io::TimedOut => Some(ErrorKind::Timeout),
            // A chunk's size that is no number, a length that does not fit.
            Io::InvalidData | Io::InvalidInput => Some(ErrorKind::Protocol),
            // What tokio-util says of a connection that ends within a frame.
            Io::Other => Some(ErrorKind::Reset),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: &(dyn Error + 'static), phase: Phase) -> ErrorKind {
        Fault::of(error, phase).kind
    }

    #[test]
    fn the_innermost_known_error_gives_the_name() {
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, untrusted));
        assert_eq!(kind(&wrapped, Phase::Connecting), ErrorKind::Tls);
        let detail = Fault::of(&wrapped, Phase::Connecting).detail;
        assert!(detail.ends_with("`--cacert FILE` trusts its issuer"), "{detail}");

        let blocked = ResolveError::Blocked { address: [169, 254, 169, 254].into(), why: "link-local" };
        assert_eq!(kind(&io::Error::other(blocked), Phase::Connecting), ErrorKind::BlockedAddress);
        assert_eq!(kind(&ResolveError::NoAddress, Phase::Connecting), ErrorKind::Dns);
        assert_eq!(kind(&ResolveError::NoAddress, Phase::ConnectingByProxy), ErrorKind::Proxy);
    }

    #[test]
    fn what_can_be_done_is_said() {
        let wrong_name = CertificateError::NotValidForNameContext {
            expected: "10.0.0.7".try_into().expect("a name"),
            presented: vec!["DnsName(\"shop.example\")".to_owned()],
        };
        let wrong_name = rustls::Error::InvalidCertificate(wrong_name);
        let no_tls = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        for (error, phase, advice) in [
            (no_tls, Phase::Connecting, "write `http://` in the URL"),
            (wrong_name.clone(), Phase::Connecting, "and `--resolve` to say where that is"),
            // Which `--proxy` does not take beside it.
            (
                wrong_name.clone(),
                Phase::ConnectingByProxy,
                "a name that it is valid for in the URL of `--proxy`",
            ),
            (wrong_name, Phase::InTunnel, "a name that it is valid for and that the proxy finds"),
        ] {
            let detail = Fault::of(&io::Error::other(error), phase).detail;
            assert!(detail.ends_with(advice), "{detail}");
        }
        let too_many = Fault::of(&io::Error::from_raw_os_error(24), Phase::Connecting);
        assert_eq!(too_many.kind, ErrorKind::Connect);
        assert!(too_many.detail.ends_with("or give a smaller `--concurrency`"), "{too_many:?}");
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let by_proxy = Fault::of(&untrusted, Phase::ConnectingByProxy);
        assert_eq!(by_proxy.kind, ErrorKind::Tls);
        assert!(by_proxy.detail.starts_with("TLS with the proxy: the server's certificate"), "{by_proxy:?}");
    }

    #[test]
    fn the_same_io_error_means_what_its_moment_means() {
        use io::ErrorKind as Io;

        for (io, connecting, exchanging) in [
            (Io::ConnectionRefused, ErrorKind::Connect, ErrorKind::Other),
            (Io::TimedOut, ErrorKind::Connect, ErrorKind::Timeout),
            (Io::ConnectionReset, ErrorKind::Tls, ErrorKind::Reset),
            (Io::UnexpectedEof, ErrorKind::Tls, ErrorKind::Reset),
            (Io::BrokenPipe, ErrorKind::Tls, ErrorKind::Reset),
            (Io::InvalidInput, ErrorKind::Connect, ErrorKind::Protocol),
        ] {
            let error = io::Error::from(io);
            assert_eq!(kind(&error, Phase::Connecting), connecting, "{io}");
            assert_eq!(kind(&error, Phase::ConnectingByProxy), ErrorKind::Proxy, "{io}");
            assert_eq!(kind(&error, Phase::Exchanging), exchanging, "{io}");
        }
    }
}
