//! What a line says was asked for, and of whom.

use std::borrow::Cow;

use logretry_record::Scheme;
use memchr::{memchr, memchr_iter};

use crate::captures::captured_host;
use crate::field::{HostFrom, Role};
use crate::habits::{Absolute, Loses};
use crate::parsed::StepsRead;
use crate::request;
use crate::target;

/// The request of one line.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    /// UTF-8, as the target.
    pub(crate) method: Option<&'a [u8]>,
    pub(crate) target: Option<Cow<'a, [u8]>>,
    pub(crate) origin: Origin<'a>,
    pub(crate) lossy: Cow<'a, [Cow<'static, str>]>,
}

/// Host and scheme.
type Origin<'a> = (Option<Cow<'a, [u8]>>, Option<Scheme>);

/// The part of a logged target that a disk has damaged. NUL bytes, which no server writes, stand where its power was cut off; and where it was full, a line that was not
/// written to its end has the next one behind it, `/a… 203.0.113.9 - "GET /b`, in logs that leave quotes bare.
fn damaged(raw: &[u8]) -> Option<&'static str> {
    let at = memchr(0, raw).or_else(|| memchr_iter(b'"', raw).find(|&at| begins_a_request(raw, at)))?;
    Some(if raw[..at].contains(&b'?') { "query" } else { "path" })
}

/// Whether the quote at `at` is bare, and a method in capital letters stands behind it.
fn begins_a_request(raw: &[u8], at: usize) -> bool {
    let letters = raw[at + 1..].iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (3..=7).contains(&letters) && raw.get(at + 1 + letters) == Some(&b' ') && !raw[..at].ends_with(b"\\")
}

impl<'a> StepsRead<'a> {
    pub(crate) fn asking(&self) -> Asking<'a> {
        let uses = &self.format.uses;
        let request = uses.request.and_then(|index| request::split(self.line, self.spans[index]));
        let method = match (request, uses.method) {
            (Some(request), _) => Some(request.method.of(self.line)),
            (None, Some(index)) => Some(self.raw(index)).filter(|raw| *raw != b"-" && request::is_token(raw)),
            (None, None) => None,
        };
        let raw = request.map(|request| request.target.of(self.line)).or_else(|| self.present(uses.uri));
        let mut target = Cow::Borrowed(&b""[..]);
        let mut lossy = Cow::Borrowed(&[][..]);
        let mut origin = (None, None);
        if let Some(raw) = raw {
            let is_url =
                request.is_none() && uses.uri.is_some_and(|index| self.field(index).role == Role::Url);
            let absolute = if is_url { Absolute::Written } else { self.format.habits.absolute };
            let protocol = request.map_or(&[][..], |request| request.protocol.of(self.line));
            let decoded = self.decoded(raw);
            let loses = self.format.habits.loses;
            // Of a line that was cut the target is whole if the protocol behind it is.
            if loses != Loses::Nothing && (loses != Loses::End || protocol.len() < b"HTTP/1.1".len()) {
                lossy = loses.of(&decoded).iter().map(|&part| Cow::Borrowed(part)).collect();
            }
            let method = method.unwrap_or_default();
            let asked = match decoded {
                Cow::Borrowed(plain) => absolute.take(method, plain, protocol),
                Cow::Owned(decoded) => absolute.take(method, &decoded, protocol).into_owned(),
            };
            target = target::of_raw(&asked.target);
            if lossy.is_empty() && matches!(target, Cow::Owned(_)) {
                lossy = damaged(raw).into_iter().map(Cow::Borrowed).collect();
            }
            origin = (asked.host, asked.scheme);
        } else if let Some(path) = self.present(uses.path) {
            let path = self.decoded(path);
            let mut built = String::new();
            if uses.path.is_some_and(|index| self.field(index).role == Role::PathRaw) {
                target::push_raw(&path, &mut built);
            } else {
                target::push_decoded_path(&path, uses.query.is_some(), &mut built);
            }
            self.push_query(&mut built);
            target = Cow::Owned(built.into_bytes());
            lossy = Cow::Borrowed(&uses.path_lossy);
        }
        if target.is_empty() {
            lossy = Cow::Borrowed(&[]);
        }
        Asking {
            method,
            target: Some(target).filter(|target| !target.is_empty()),
            origin: self.origin(origin),
            lossy,
        }
    }

    fn push_query(&self, target: &mut String) {
        let Some(index) = self.format.uses.query else { return };
        let Some(query) = self.present(Some(index)) else { return };
        if self.field(index).role == Role::Args {
            target.push('?');
        }
        target::push_raw(&self.decoded(query), target);
    }

    /// Host and scheme: of the URL, if the server wrote it whole, else of the fields that have them.
    fn origin(&self, written: Origin<'a>) -> Origin<'a> {
        let uses = &self.format.uses;
        let scheme = written.1.or_else(|| uses.schemes.iter().find_map(|&index| scheme(self.raw(index))));
        let port: Option<u16> =
            uses.port.and_then(|index| std::str::from_utf8(self.raw(index)).ok()?.parse().ok());
        let scheme = scheme.or(match port {
            Some(443) => Some(Scheme::Https),
            Some(80) => Some(Scheme::Http),
            _ => None,
        });
        if written.0.is_some() {
            return (written.0, scheme);
        }
        let found = uses.hosts.iter().find_map(|&index| match self.field(index).role {
            Role::Host(HostFrom::Captured) => {
                captured_host(self.raw(index)).map(|host| (Cow::Borrowed(host), HostFrom::Header))
            }
            Role::Host(from) => {
                let host = self.text(Some(index)).filter(|host| **host != *b"_")?;
                Some((host, from))
            }
            _ => None,
        });
        let Some((mut host, from)) = found else { return (None, scheme) };
        let is_default =
            |port| matches!(port, 80 | 443) || scheme.is_some_and(|scheme| scheme.default_port() == port);
        // The `Host` header is exact: if it has no port, the client gave none.
        if let Some(port) = port.filter(|&port| from != HostFrom::Header && port != 0 && !is_default(port))
            && !has_port(&host)
        {
            host.to_mut().extend_from_slice(format!(":{port}").as_bytes());
        }
        (Some(host), scheme)
    }
}

/// A scheme's name, or a TLS version, or the name of a frontend of HAProxy, to which it adds `~` if TLS ended there.
fn scheme(raw: &[u8]) -> Option<Scheme> {
    match raw.to_ascii_lowercase().as_slice() {
        b"http" => Some(Scheme::Http),
        b"https" | [.., b'~'] | [b't', b'l', b's', ..] => Some(Scheme::Https),
        _ => None,
    }
}

/// Whether `host` ends in `:PORT`; an IPv6 address has its colons in brackets.
fn has_port(host: &[u8]) -> bool {
    memchr::memrchr(b':', host).is_some_and(|colon| !host[colon..].contains(&b']'))
}
