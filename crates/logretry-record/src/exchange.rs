use std::borrow::Cow;

use bstr::BString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Header;

mod borrowed;

pub use borrowed::ExchangeRef;

/// What the server logged about one request: the record's `original`.
///
/// Every field may be missing, because most log formats hold only some of them. The names on the pipe are those of the
/// fields here; [`wire`](crate::wire) gives each one's form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exchange {
    /// When the server says that the request happened. Where its line does not say, when it was written, as far as what was around it tells.
    pub time: Option<Timestamp>,
    /// The method, a token of RFC 9110 §9.1, case kept.
    pub method: Option<String>,
    /// What the client sent as request target (RFC 9112 §3.2), ready to be sent again: the server's log escape is undone
    /// once, bytes that may not stand in a URL are percent-encoded, the fragment is dropped; nothing else is decoded,
    /// normalised or reordered. Pure ASCII without white space or controls.
    pub target: Option<String>,
    /// The host as the log names it, with `:port` if the log gives one that is not the scheme's own.
    /// It is what a *log* says: whether a refire may go there is the operator's decision.
    pub host: Option<BString>,
    /// The scheme, where the log tells it.
    pub scheme: Option<Scheme>,
    /// The status that the client got; `0` where the server wrote `000`.
    pub status: Option<u16>,
    /// How long the server took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Bytes sent to the client, as the format counts them (nginx `$body_bytes_sent`, Apache `%b` or `%O`).
    pub bytes: Option<u64>,
    /// The client's address or host name.
    pub client: Option<BString>,
    /// The `User-Agent` of the request.
    pub user_agent: Option<BString>,
    /// The server's id of the request (nginx `$request_id`, Apache `%L` or `UNIQUE_ID`).
    pub request_id: Option<BString>,
    /// The headers of the request that a refire may need, where the log is a capture that holds them: see [`Header::recorded`].
    pub headers: Vec<Header>,
    /// The body of the request, byte for byte as the client sent it, empty if it is known to be empty; none where nothing tells it.
    pub body: Option<BString>,
    /// What proves that no application has seen the request, where the log does (`haproxy_no_server`, `nginx_not_connected` …): it was refused by a
    /// proxy that never had a connection to pass it on.
    pub undelivered: Option<Cow<'static, str>>,
    /// What the format has lost of the request, part by part (`path`, `query`, `body`): such a target or body is not what the client sent.
    pub lossy: Vec<Cow<'static, str>>,
}

/// The two schemes that a refire can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant when none is written: 80 or 443 (RFC 9110 §4.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}
