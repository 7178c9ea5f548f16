//! The record on the pipe, version 1: one JSON object a line, UTF-8, `\n` at the end.
//!
//! ```text
//! {"v":1,"id":"5b0f…","origin":{…},"original":{…},"retry":{…}}
//! ```
//!
//! The fields are those of [`RecordV1`], [`OriginV1`], [`ExchangeV1`] and [`Retry`]; `schema/record-v1.schema.json` in this
//! crate says the same to a machine. These rules hold for all of them:
//!
//! - A field that has no value is left out; `null` is read as left out.
//! - Readers ignore fields they do not know. A stage that selects or completes records passes them on.
//! - `v` stands on every record, so that `cat`, `split`, `sort` and `head` keep working. A version other than 1 is an
//!   error ([`DecodeError::Version`]) and not a reject: the program is too old for its input.
//! - A value that may hold arbitrary bytes is a string if it is UTF-8. If it is not, the field is left out and its twin,
//!   `NAME_base64`, holds the bytes in standard base64 (RFC 4648 §4). Nothing is ever replaced by U+FFFD. A record that has both is none.
//! - Times are RFC 3339 in UTC. Durations are milliseconds, with a fraction. Other numbers are whole; `502.0` is read as one.
//! - A line is at most [`RECORD_BYTES_MAX`] long.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BString;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::whole::{whole, whole_or_none};
use crate::{Exchange, Header, Origin, RecordId, Retry, Scheme};

/// The longest line that is read as a record: 16 MiB. A log line is at most 1 MiB by default, of which each byte can take
/// six in JSON (`\u0000`), and its target stands in the record a second and a third time.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// The version written and read here.
pub const VERSION: u64 = 1;

/// One record.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordV1<'a> {
    /// The version of the record: 1.
    #[serde(deserialize_with = "whole")]
    pub v: u64,
    /// 32 hexadecimal digits; see [`RecordId`].
    pub id: Cow<'a, str>,
    /// Where the log line stands.
    pub origin: OriginV1<'a>,
    /// What the server logged.
    pub original: ExchangeV1<'a>,
    /// How the refire ended; left out before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Cow<'a, Retry>>,
}

/// `origin`: where the log line stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct OriginV1<'a> {
    /// The file as it was named to the reader, or `-` for standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Cow<'a, str>>,
    /// Twin of `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_base64: Option<Cow<'a, str>>,
    /// Number of the line in its source, from 1.
    #[serde(deserialize_with = "whole")]
    pub line: u64,
    /// Bytes before the line, counted after decompression.
    #[serde(deserialize_with = "whole")]
    pub offset: u64,
    /// The format that understood the line, as `--format` takes it: a preset's name, or a whole pasted specification.
    pub format: Cow<'a, str>,
    /// The raw line, without its line end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    /// Twin of `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_base64: Option<Cow<'a, str>>,
}

/// `original`: what the server logged. crates/README.md maps each name to its OpenTelemetry attribute.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExchangeV1<'a> {
    /// When the request happened, or else when its line was written, RFC 3339 in UTC; see [`Exchange::time`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The method, case kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'a, str>>,
    /// The request target, ready to be sent again; see [`Exchange::target`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Cow<'a, str>>,
    /// The host as the log names it, with `:port` unless that is the scheme's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'a, str>>,
    /// Twin of `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_base64: Option<Cow<'a, str>>,
    /// `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// The status that the client got; 0 where the server wrote `000`.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the server took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Bytes sent to the client, as the format counts them.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The client's address or host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'a, str>>,
    /// Twin of `client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_base64: Option<Cow<'a, str>>,
    /// The `User-Agent` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Cow<'a, str>>,
    /// Twin of `user_agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent_base64: Option<Cow<'a, str>>,
    /// The server's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// Twin of `request_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id_base64: Option<Cow<'a, str>>,
    /// Headers of the request, in their order, where the log is a capture. Never those of the connection, `Host`, cookies or credentials.
    #[serde(default, deserialize_with = "null_is_left_out", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderV1<'a>>,
    /// The body of the request, byte for byte as it went over the wire (still compressed if it was); empty if there was none, left out if
    /// nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Cow<'a, str>>,
    /// Twin of `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<Cow<'a, str>>,
    /// What proves that no application has seen the request: `haproxy_no_server`, `haproxy_not_connected`, `nginx_no_upstream`,
    /// `nginx_not_connected`, `alb_not_dispatched`, `envoy_not_sent`. Left out where nothing does, which is no statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<Cow<'a, str>>,
    /// Parts of the request that the format has lost: `path`, `query`, `body`.
    #[serde(default, deserialize_with = "null_is_left_out", skip_serializing_if = "<[_]>::is_empty")]
    pub lossy: Cow<'a, [Cow<'static, str>]>,
}

/// One of `headers`.
#[derive(Debug, Serialize, Deserialize)]
pub struct HeaderV1<'a> {
    /// The name, case kept.
    pub name: Cow<'a, str>,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Cow<'a, str>>,
    /// Twin of `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<Cow<'a, str>>,
}

/// A line that is not a record.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A record of a version that this program does not know. Fatal for a stage: its neighbour is newer or older.
    #[error(
        "the record has version {0}, and this program reads version 1; use the same release for all stages"
    )]
    Version(u64),
    /// Not JSON, or not the shape of a record.
    #[error("not a record: {0}")]
    Json(#[source] serde_json::Error),
    /// `id` is not 32 hexadecimal digits.
    #[error("not a record: `id` is not 32 hexadecimal digits")]
    Id,
    /// A `…_base64` field is not base64.
    #[error("not a record: `{0}_base64` is not base64")]
    Base64(&'static str),
    /// A value and its `…_base64` twin: whoever has changed the one has forgotten the other, and nobody knows which he means.
    #[error("not a record: it has both `{0}` and `{0}_base64`")]
    Twins(&'static str),
    /// A field that every record has is missing.
    #[error("not a record: missing field `{0}`")]
    Missing(&'static str),
    /// Longer than [`RECORD_BYTES_MAX`].
    #[error("longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
}

type Parts = (RecordId, Origin, Exchange, Option<Retry>);

impl RecordV1<'_> {
    pub(crate) fn from_json(line: &[u8]) -> Result<Self, DecodeError> {
        if line.len() > RECORD_BYTES_MAX {
            return Err(DecodeError::TooLong);
        }
        match serde_json::from_slice::<Self>(line) {
            Ok(record) if record.v == VERSION => Ok(record),
            Ok(record) => Err(DecodeError::Version(record.v)),
            // A later version may have another shape, so its number is looked for on its own.
            Err(error) => match serde_json::from_slice::<VersionOnly>(line) {
                Ok(VersionOnly { v }) if v != VERSION => Err(DecodeError::Version(v)),
                _ => Err(DecodeError::Json(error)),
            },
        }
    }

    pub(crate) fn into_parts(self) -> Result<Parts, DecodeError> {
        let Self { v: _, id, origin, original, retry } = self;
        let id = id.parse().map_err(|_| DecodeError::Id)?;
        let origin = Origin {
            source: bytes("source", origin.source, origin.source_base64)?
                .ok_or(DecodeError::Missing("source"))?,
            line: origin.line,
            offset: origin.offset,
            format: origin.format.into_owned(),
            text: bytes("text", origin.text, origin.text_base64)?.ok_or(DecodeError::Missing("text"))?,
        };
        let original = Exchange {
            time: original.time,
            method: original.method.map(Cow::into_owned),
            target: original.target.map(Cow::into_owned),
            host: bytes("host", original.host, original.host_base64)?,
            scheme: original.scheme,
            status: original.status,
            duration_ms: original.duration_ms,
            bytes: original.bytes,
            client: bytes("client", original.client, original.client_base64)?,
            user_agent: bytes("user_agent", original.user_agent, original.user_agent_base64)?,
            request_id: bytes("request_id", original.request_id, original.request_id_base64)?,
            headers: original.headers.into_iter().map(HeaderV1::into_header).collect::<Result<_, _>>()?,
            body: bytes("body", original.body, original.body_base64)?,
            undelivered: original.undelivered.map(|proof| Cow::Owned(proof.into_owned())),
            lossy: original.lossy.into_owned(),
        };
        Ok((id, origin, original, retry.map(Cow::into_owned)))
    }
}

#[cfg(test)]
impl<'a> RecordV1<'a> {
    /// What is written by hand in `encode`, for tests to compare.
    pub(crate) fn from_parts(
        id: RecordId,
        origin: &'a Origin,
        original: &'a Exchange,
        retry: Option<&'a Retry>,
    ) -> Self {
        let (source, source_base64) = twins(Some(&origin.source));
        let (text, text_base64) = twins(Some(&origin.text));
        let (host, host_base64) = twins(original.host.as_ref());
        let (client, client_base64) = twins(original.client.as_ref());
        let (user_agent, user_agent_base64) = twins(original.user_agent.as_ref());
        let (request_id, request_id_base64) = twins(original.request_id.as_ref());
        let (body, body_base64) = twins(original.body.as_ref());
        Self {
            v: VERSION,
            id: Cow::Owned(id.to_string()),
            origin: OriginV1 {
                source,
                source_base64,
                line: origin.line,
                offset: origin.offset,
                format: Cow::Borrowed(&origin.format),
                text,
                text_base64,
            },
            original: ExchangeV1 {
                time: original.time,
                method: original.method.as_deref().map(Cow::Borrowed),
                target: original.target.as_deref().map(Cow::Borrowed),
                host,
                host_base64,
                scheme: original.scheme,
                status: original.status,
                duration_ms: original.duration_ms,
                bytes: original.bytes,
                client,
                client_base64,
                user_agent,
                user_agent_base64,
                request_id,
                request_id_base64,
                headers: original.headers.iter().map(HeaderV1::of).collect(),
                body,
                body_base64,
                undelivered: original.undelivered.as_deref().map(Cow::Borrowed),
                lossy: Cow::Borrowed(&original.lossy),
            },
            retry: retry.map(Cow::Borrowed),
        }
    }
}

impl<'a> HeaderV1<'a> {
    pub(crate) fn of(header: &'a Header) -> Self {
        let (value, value_base64) = twins(Some(&header.value));
        Self { name: Cow::Borrowed(&header.name), value, value_base64 }
    }

    fn into_header(self) -> Result<Header, DecodeError> {
        let value = bytes("value", self.value, self.value_base64)?.ok_or(DecodeError::Missing("value"))?;
        Ok(Header { name: self.name.into_owned(), value })
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    #[serde(deserialize_with = "whole")]
    v: u64,
}

/// What is not an `Option` here may be `null` all the same: tables and other languages' structs write so what has no value.
pub(crate) fn null_is_left_out<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    value: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

type Twins<'a> = (Option<Cow<'a, str>>, Option<Cow<'a, str>>);

/// The string form of `value`, or its base64 if it is not UTF-8.
pub(crate) fn twins(value: Option<&BString>) -> Twins<'_> {
    match value.map(|value| std::str::from_utf8(value).map_err(|_| value)) {
        None => (None, None),
        Some(Ok(text)) => (Some(Cow::Borrowed(text)), None),
        Some(Err(value)) => (None, Some(Cow::Owned(STANDARD.encode(value)))),
    }
}

fn bytes(
    name: &'static str,
    text: Option<Cow<'_, str>>,
    base64: Option<Cow<'_, str>>,
) -> Result<Option<BString>, DecodeError> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(DecodeError::Twins(name)),
        (None, Some(base64)) => {
            let bytes = STANDARD.decode(base64.as_bytes()).map_err(|_| DecodeError::Base64(name))?;
            Ok(Some(bytes.into()))
        }
        (Some(text), None) => Ok(Some(text.into_owned().into())),
        (None, None) => Ok(None),
    }
}

pub(crate) fn to_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a record is always JSON");
}
