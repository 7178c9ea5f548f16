use bstr::BString;
use jiff::Timestamp;
use logretry_record::{Exchange, Scheme};

use crate::field::{Field, HostFrom, Role, Shape};
use crate::format::Compiled;
use crate::request;
use crate::spans::Span;
use crate::target;
use crate::time::TimeParts;

/// A line whose fields have been found. Nothing is decoded until it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Parsed<'a> {
    pub(crate) format: &'a Compiled,
    pub(crate) line: &'a [u8],
    pub(crate) spans: &'a [Span],
}

/// One field of a line, as `logretry explain` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldView<'a> {
    /// As the format writes it: `$request`, `%>s`.
    pub name: &'a str,
    /// Its bytes in the line, still escaped.
    pub raw: &'a [u8],
    /// What it is used for (`status`, `host` …), or nothing.
    pub used_for: &'static str,
}

impl<'a> Parsed<'a> {
    /// The status that the client got; `None` where the server wrote `-`.
    pub fn status(&self) -> Option<u16> {
        match self.raw(self.format.uses.status) {
            &[a, b, c] => Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')),
            _ => None,
        }
    }

    /// When the request happened, if the line says so. A time without an offset is taken as UTC.
    pub fn time(&self) -> Option<Timestamp> {
        self.time_parts()?.timestamp()
    }

    /// Every field, in the order of the line.
    pub fn fields(&self) -> impl Iterator<Item = FieldView<'a>> + use<'a> {
        let (line, spans) = (self.line, self.spans);
        self.format.fields.iter().zip(spans).map(move |(field, span)| FieldView {
            name: &field.name,
            raw: span.of(line),
            used_for: field.role.about(),
        })
    }

    /// What the server logged about the request.
    pub fn exchange(&self) -> Exchange {
        let uses = &self.format.uses;
        let (method, target, is_lossy) = self.request();
        let (host, scheme) = self.origin();
        Exchange {
            time: self.time(),
            method,
            target,
            host,
            scheme,
            status: self.status(),
            duration_ms: uses.duration.and_then(|index| self.duration_ms(index)),
            bytes: uses.bytes.and_then(|index| self.bytes(index)),
            client: self.text(uses.client),
            user_agent: self.text(uses.user_agent),
            request_id: self.text(uses.request_id),
            lossy: if is_lossy { uses.path_lossy.clone() } else { Vec::new() },
        }
    }

    pub(crate) fn time_parts(&self) -> Option<TimeParts> {
        let mut parts = TimeParts::default();
        for &index in &self.format.uses.times {
            if let Shape::Time(form) = &self.field(index).shape {
                parts.read(form, self.raw(index))?;
            }
        }
        Some(parts)
    }

    pub(crate) fn has_target(&self) -> bool {
        self.request().1.is_some()
    }

    /// Method, target, and whether the target is made of parts that the server has changed.
    fn request(&self) -> (Option<String>, Option<String>, bool) {
        let uses = &self.format.uses;
        let mut target = String::new();
        let request = uses.request.and_then(|index| request::split(self.line, self.spans[index]));
        let method = match (request, uses.method) {
            (Some(request), _) => Some(request.method.of(self.line)),
            (None, Some(index)) => Some(self.raw(index)).filter(|raw| *raw != b"-" && request::is_token(raw)),
            (None, None) => None,
        };
        let method = method.map(|method| String::from_utf8_lossy(method).into_owned());
        let raw = request.map(|request| request.target.of(self.line)).or_else(|| self.present(uses.uri));
        let is_lossy = raw.is_none();
        if let Some(raw) = raw {
            target::push_raw(&self.format.escape.decode(raw), &mut target);
        } else if let Some(path) = self.present(uses.path) {
            target::push_decoded_path(&self.format.escape.decode(path), uses.query.is_some(), &mut target);
            self.push_query(&mut target);
        }
        if target.is_empty() { (method, None, false) } else { (method, Some(target), is_lossy) }
    }

    fn push_query(&self, target: &mut String) {
        let Some(index) = self.format.uses.query else { return };
        let Some(query) = self.present(Some(index)) else { return };
        if self.field(index).role == Role::Args {
            target.push('?');
        }
        target::push_raw(&self.format.escape.decode(query), target);
    }

    fn origin(&self) -> (Option<BString>, Option<Scheme>) {
        let uses = &self.format.uses;
        let mut scheme =
            uses.schemes.iter().find_map(|&index| match self.raw(index).to_ascii_lowercase().as_slice() {
                b"http" => Some(Scheme::Http),
                b"https" => Some(Scheme::Https),
                _ => None,
            });
        let port: Option<u16> =
            uses.port.and_then(|index| std::str::from_utf8(self.raw(index)).ok()?.parse().ok());
        scheme = scheme.or(match port {
            Some(443) => Some(Scheme::Https),
            Some(80) => Some(Scheme::Http),
            _ => None,
        });
        let found = uses.hosts.iter().find_map(|&index| {
            let host = self.text(Some(index)).filter(|host| host != "_")?;
            Some((host, self.field(index).role == Role::Host(HostFrom::Header)))
        });
        let Some((mut host, is_header)) = found else { return (None, scheme) };
        let is_default =
            |port| matches!(port, 80 | 443) || scheme.is_some_and(|scheme| scheme.default_port() == port);
        // The `Host` header is exact: if it has no port, the client gave none.
        if let Some(port) = port.filter(|&port| !is_header && port != 0 && !is_default(port))
            && !has_port(&host)
        {
            host.extend_from_slice(format!(":{port}").as_bytes());
        }
        (Some(host), scheme)
    }

    fn duration_ms(&self, index: usize) -> Option<f64> {
        let Role::Duration(unit) = self.field(index).role else { return None };
        let number: f64 = std::str::from_utf8(self.raw(index)).ok()?.parse().ok()?;
        // Rounded to nanoseconds, so that 1.002 s is 1002 ms and not a neighbour of it.
        Some((number * unit.in_ms() * 1e6).round() / 1e6).filter(|ms| ms.is_finite() && *ms >= 0.0)
    }

    fn bytes(&self, index: usize) -> Option<u64> {
        match (self.raw(index), self.field(index).role) {
            (b"-", Role::Bytes { dash_is_zero: true, .. }) => Some(0),
            (raw, _) => std::str::from_utf8(raw).ok()?.parse().ok(),
        }
    }

    /// The field's bytes, its escape undone; `None` if the server had no value for it.
    fn text(&self, index: Option<usize>) -> Option<BString> {
        self.present(index).map(|raw| self.format.escape.decode(raw).into_owned().into())
    }

    /// The field's bytes, unless they say that there is no value.
    pub(crate) fn present(&self, index: Option<usize>) -> Option<&'a [u8]> {
        Some(self.raw(index?)).filter(|raw| !matches!(*raw, b"-" | b"" | b"\"\""))
    }

    pub(crate) fn raw(&self, index: usize) -> &'a [u8] {
        self.spans[index].of(self.line)
    }

    pub(crate) fn field(&self, index: usize) -> &'a Field {
        &self.format.fields[index]
    }
}

/// Whether `host` ends in `:PORT`; an IPv6 address has its colons in brackets.
fn has_port(host: &[u8]) -> bool {
    memchr::memrchr(b':', host).is_some_and(|colon| !host[colon..].contains(&b']'))
}
