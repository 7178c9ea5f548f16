use std::borrow::Cow;

use bstr::{BString, ByteVec as _};
use jiff::Timestamp;

use crate::{Exchange, Header, Scheme};

/// An [`Exchange`] whose values still stand in the line that told of it, as far as they stand there as they are.
///
/// It is for whoever reads many lines and keeps few of them: where nothing had to be decoded, nothing is allocated. Each field is what that of
/// the same name is there; what is a string there is UTF-8 here.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "each field is documented once, in `Exchange`")]
pub struct ExchangeRef<'a> {
    pub time: Option<Timestamp>,
    pub method: Option<Cow<'a, [u8]>>,
    pub target: Option<Cow<'a, [u8]>>,
    pub host: Option<Cow<'a, [u8]>>,
    pub scheme: Option<Scheme>,
    pub status: Option<u16>,
    pub duration_ms: Option<f64>,
    pub bytes: Option<u64>,
    pub client: Option<Cow<'a, [u8]>>,
    pub user_agent: Option<Cow<'a, [u8]>>,
    pub request_id: Option<Cow<'a, [u8]>>,
    pub headers: Cow<'a, [Header]>,
    pub body: Option<Cow<'a, [u8]>>,
    pub undelivered: Option<Cow<'static, str>>,
    pub lossy: Cow<'a, [Cow<'static, str>]>,
}

impl ExchangeRef<'_> {
    /// The same, with values of its own.
    pub fn into_owned(self) -> Exchange {
        let bytes = |value: Option<Cow<'_, [u8]>>| value.map(|value| BString::from(value.into_owned()));
        let text = |value: Option<Cow<'_, [u8]>>| value.map(|value| value.into_owned().into_string_lossy());
        Exchange {
            time: self.time,
            method: text(self.method),
            target: text(self.target),
            host: bytes(self.host),
            scheme: self.scheme,
            status: self.status,
            duration_ms: self.duration_ms,
            bytes: self.bytes,
            client: bytes(self.client),
            user_agent: bytes(self.user_agent),
            request_id: bytes(self.request_id),
            headers: self.headers.into_owned(),
            body: bytes(self.body),
            undelivered: self.undelivered,
            lossy: self.lossy.into_owned(),
        }
    }
}

impl<'a> From<&'a Exchange> for ExchangeRef<'a> {
    fn from(exchange: &'a Exchange) -> Self {
        let bytes = |value: &'a Option<BString>| value.as_ref().map(|value| Cow::Borrowed(value.as_slice()));
        Self {
            time: exchange.time,
            method: exchange.method.as_deref().map(|text| Cow::Borrowed(text.as_bytes())),
            target: exchange.target.as_deref().map(|text| Cow::Borrowed(text.as_bytes())),
            host: bytes(&exchange.host),
            scheme: exchange.scheme,
            status: exchange.status,
            duration_ms: exchange.duration_ms,
            bytes: exchange.bytes,
            client: bytes(&exchange.client),
            user_agent: bytes(&exchange.user_agent),
            request_id: bytes(&exchange.request_id),
            headers: Cow::Borrowed(&exchange.headers),
            body: bytes(&exchange.body),
            undelivered: exchange.undelivered.clone(),
            lossy: Cow::Borrowed(&exchange.lossy),
        }
    }
}

impl From<Exchange> for ExchangeRef<'_> {
    fn from(exchange: Exchange) -> Self {
        let bytes = |value: Option<BString>| value.map(|value| Cow::Owned(value.into()));
        Self {
            time: exchange.time,
            method: exchange.method.map(|text| Cow::Owned(text.into_bytes())),
            target: exchange.target.map(|text| Cow::Owned(text.into_bytes())),
            host: bytes(exchange.host),
            scheme: exchange.scheme,
            status: exchange.status,
            duration_ms: exchange.duration_ms,
            bytes: exchange.bytes,
            client: bytes(exchange.client),
            user_agent: bytes(exchange.user_agent),
            request_id: bytes(exchange.request_id),
            headers: Cow::Owned(exchange.headers),
            body: bytes(exchange.body),
            undelivered: exchange.undelivered,
            lossy: Cow::Owned(exchange.lossy),
        }
    }
}
