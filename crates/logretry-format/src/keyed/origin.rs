use bstr::BString;
use logretry_record::Scheme;

use crate::keyed::asked::Asked;
use crate::keyed::purpose::Purpose;
use crate::keyed::read::KeyedRead;

/// A URL with its host in it.
pub(crate) struct Whole {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: BString,
    /// Where what the client sent begins.
    pub(crate) rest: usize,
}

impl Whole {
    /// Takes `scheme://host…` or `host.name/…` apart; `None` if `url` is neither.
    pub(crate) fn of(url: &[u8]) -> Option<Self> {
        let prefixed =
            |prefix: &[u8]| url.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let (scheme, start) = match () {
            () if prefixed(b"http://") => (Some(Scheme::Http), 7),
            () if prefixed(b"https://") => (Some(Scheme::Https), 8),
            () => (None, 0),
        };
        let rest =
            url[start..].iter().position(|byte| b"/?#".contains(byte)).map_or(url.len(), |end| start + end);
        let host = &url[start..rest];
        let is_host = !host.is_empty()
            && host.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
        let is_certain = scheme.is_some() || (host.contains(&b'.') && rest < url.len());
        let mut host = BString::from(host);
        strip_port(&mut host, scheme);
        (is_host && is_certain).then_some(Self { scheme, host, rest })
    }
}

impl KeyedRead<'_> {
    pub(crate) fn origin(&self, asked: &Asked) -> (Option<BString>, Option<Scheme>) {
        let (named, scheme) = match &asked.origin {
            Some((host, scheme)) => (Some(host.clone()), *scheme),
            None => (None, None),
        };
        let scheme = scheme.or_else(|| self.scheme());
        let host = named
            .or_else(|| self.named_host())
            .or_else(|| self.host_beside_url())
            .or_else(|| self.server_name());
        let host = host.map(|mut host| {
            strip_port(&mut host, scheme);
            host
        });
        (host, scheme)
    }

    /// The host in a key that is for nothing else.
    pub(crate) fn named_host(&self) -> Option<BString> {
        self.slots(|purpose| purpose == Purpose::Host).find_map(|slot| self.host(slot))
    }

    fn server_name(&self) -> Option<BString> {
        self.slots(|purpose| purpose == Purpose::ServerName).find_map(|slot| self.host(slot))
    }

    /// `host` alone names the machine in many logs, the client in others. Where a part of the URL stands beside it, it is the host.
    fn host_beside_url(&self) -> Option<BString> {
        let slot = self
            .slots(|purpose| purpose == Purpose::HostOrMachine)
            .find(|&slot| self.present(slot).is_some())?;
        let beside = |name: &str| name.rfind('.').map_or(0, |point| point + 1);
        let name = &self.keyed.keys[slot].name;
        let family = &name[..beside(name)];
        let is_beside = self
            .slots(|purpose| purpose.is_target() || matches!(purpose, Purpose::Query | Purpose::Scheme))
            .filter(|&other| self.is_there(other))
            .any(|other| {
                let name = &self.keyed.keys[other].name;
                &name[..beside(name)] == family
            });
        let mut clients = self.slots(|purpose| purpose == Purpose::Client);
        let is_client = clients.any(|client| self.present(client) == self.present(slot));
        if is_beside && !is_client { self.host(slot) } else { None }
    }

    fn host(&self, slot: usize) -> Option<BString> {
        // `_` is nginx's server name for requests without one.
        self.plain(slot).map(|plain| BString::from(plain.bytes)).filter(|host| host != "_")
    }

    fn scheme(&self) -> Option<Scheme> {
        let named = |slot| match self.present(slot)?.to_ascii_lowercase().as_slice() {
            b"http" | b"ws" => Some(Scheme::Http),
            b"https" | b"wss" => Some(Scheme::Https),
            _ => None,
        };
        let by_port = |slot| match self.present(slot)? {
            b"443" => Some(Scheme::Https),
            b"80" => Some(Scheme::Http),
            _ => None,
        };
        let by_tls = |slot| {
            match self.present(slot).map(<[u8]>::to_ascii_lowercase).as_deref() {
                Some(b"on" | b"1") => return Some(Scheme::Https),
                Some(b"off" | b"0") => return Some(Scheme::Http),
                // Of gateways that name it or not, nothing says which it was.
                None if self.keyed.has_gateway_parameters && !self.is_there(slot) => return None,
                _ => {}
            }
            let is_encrypted = self.present(slot).is_some() || self.is_object(slot);
            Some(if is_encrypted { Scheme::Https } else { Scheme::Http })
        };
        self.slots(|purpose| purpose == Purpose::Scheme)
            .find_map(named)
            .or_else(|| self.slots(|purpose| purpose == Purpose::Port).find_map(by_port))
            .or_else(|| self.slots(|purpose| purpose == Purpose::Tls).find_map(by_tls))
    }
}

/// Whether two names mean the same host, whatever their ports.
pub(crate) fn same_host(one: &[u8], other: &[u8]) -> bool {
    name(one).eq_ignore_ascii_case(name(other))
}

fn name(host: &[u8]) -> &[u8] {
    match port_at(host) {
        Some(colon) => &host[..colon],
        None => host,
    }
}

fn strip_port(host: &mut BString, scheme: Option<Scheme>) {
    let Some((colon, scheme)) = port_at(host).zip(scheme) else { return };
    if host[colon + 1..] == *scheme.default_port().to_string().as_bytes() {
        host.truncate(colon);
    }
}

/// Where the colon before the port is; an IPv6 address has its own in brackets.
fn port_at(host: &[u8]) -> Option<usize> {
    let colon = memchr::memrchr(b':', host)?;
    let before = &host[..colon];
    (before.ends_with(b"]") || !before.contains(&b':')).then_some(colon)
}
