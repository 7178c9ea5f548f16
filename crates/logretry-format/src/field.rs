use std::sync::Arc;

use crate::time::TimeForm;

/// One field of a format.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// As the format writes it: `$request`, `%>s`.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) shape: Shape,
    /// Where it stands in the spec.
    pub(crate) at: usize,
}

/// What a field is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The whole request line as the client sent it.
    Request,
    /// Path and query as the client sent them.
    Uri,
    Method,
    /// A whole URL that the producer wrote.
    Url,
    /// A path that the server has decoded or normalised.
    Path,
    /// A path as the client sent it, without its query.
    PathRaw,
    /// nginx `$is_args`: `?` or nothing.
    IsArgs,
    /// A query without its `?`.
    Args,
    /// A query with its `?`, or nothing.
    Query,
    Host(HostFrom),
    /// The server's port.
    Port,
    /// Better sources have lower numbers.
    Scheme(u8),
    /// `last`: what the client got, internal redirects included.
    Status {
        last: bool,
    },
    Time,
    /// Bytes sent; better sources have lower numbers.
    Bytes {
        rank: u8,
        dash_is_zero: bool,
    },
    Duration(Unit),
    Client,
    UserAgent,
    RequestId,
    Other,
}

/// Where a host name comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostFrom {
    /// The `Host` header as it was sent.
    Header,
    /// The name that the server matched, without a port.
    Matched,
    /// The server's configured name.
    Configured,
    /// One of the headers that HAProxy captures, if it looks like a host.
    Captured,
}

/// What a duration is counted in, finest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Micros,
    Millis,
    /// Seconds with decimals.
    SecondsExact,
    /// Whole seconds.
    Seconds,
}

impl Unit {
    /// How many milliseconds one of it is.
    pub(crate) fn in_ms(self) -> f64 {
        match self {
            Self::Micros => 0.001,
            Self::Millis => 1.0,
            Self::SecondsExact | Self::Seconds => 1000.0,
        }
    }
}

/// How the end of a field is found.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// `-` and nothing else.
    Dash,
    /// Three digits, or `-`.
    Status,
    /// Digits, or `-`.
    Number,
    /// The same, or nothing: nginx has no port for a connection through a Unix socket (`ngx_http_variables.c`).
    Port,
    /// Digits with a fraction, or `-`.
    Decimal,
    /// A time, piece by piece.
    Time(TimeForm),
    /// A time in the first of these forms that fits it.
    AnyTime(Arc<[TimeForm]>),
    /// nginx `$upstream_*`: items joined by `, ` and ` : `.
    List,
    /// Anything without white space or quotes, at least one byte, whatever follows.
    Word,
    /// A host with a dot or a colon in it, or `-`.
    HostWord,
    /// A name of a host, without a port: it has a letter, or is an address with a port behind it.
    HostName,
    /// An IP address, or `-`.
    Address,
    /// HAProxy's captured headers, `{a|b}` or nothing. `space`: with the space that then follows.
    Captures { space: bool },
    /// The same where each is in quotes, `"a" "b"` or nothing.
    QuotedCaptures { space: bool },
    /// A word, or what is in quotes: HAProxy 2.6 writes the termination state without them whatever the format says, later ones do as it says.
    MaybeQuoted,
    /// Spaces, if any.
    Spaces,
    /// Nothing, or a space and all that follows.
    Rest,
    /// Anything without white space.
    Token,
    /// Method, target, protocol; or what a producer writes where it has none of them.
    RequestLine,
    /// Anything, up to the literal that follows.
    Text,
}

impl Shape {
    /// Whether the end is found from the field's own bytes, whatever follows.
    pub(crate) fn is_definite(&self) -> bool {
        !matches!(self, Self::AnyTime(_) | Self::Token | Self::RequestLine | Self::Text)
    }
}

impl Field {
    /// The field where its producer writes it in brackets, which no format string shows.
    pub(crate) fn in_brackets(self) -> [Piece; 3] {
        [Piece::Literal(b"[".to_vec()), Piece::Field(self), Piece::Literal(b"]".to_vec())]
    }

    /// The form in which `raw`, this field's bytes, is a time.
    pub(crate) fn time_form(&self, raw: &[u8]) -> Option<&TimeForm> {
        match &self.shape {
            Shape::Time(form) => Some(form),
            Shape::AnyTime(forms) => forms.iter().find(|form| form.end(raw, 0) == Some(raw.len())),
            _ => None,
        }
    }
}

impl Role {
    /// What a person is told about the field.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Request => "request line: method and URL",
            Self::Uri => "URL: path and query",
            Self::Url => "URL",
            Self::Method => "method",
            Self::Path => "URL: path, decoded by the server (lossy)",
            Self::PathRaw => "URL: path",
            Self::IsArgs | Self::Args | Self::Query => "URL: query",
            Self::Host(_) => "host",
            Self::Port => "port",
            Self::Scheme(_) => "scheme",
            Self::Status { .. } => "status",
            Self::Time => "time",
            Self::Bytes { .. } => "bytes",
            Self::Duration(_) => "duration",
            Self::Client => "client",
            Self::UserAgent => "user agent",
            Self::RequestId => "request id",
            Self::Other => "",
        }
    }

    /// Whether two readings of a line that differ in this field are two requests.
    pub(crate) fn is_key(self) -> bool {
        matches!(
            self,
            Self::Request
                | Self::Uri
                | Self::Url
                | Self::Method
                | Self::Path
                | Self::PathRaw
                | Self::IsArgs
                | Self::Args
                | Self::Query
                | Self::Host(_)
                | Self::Port
                | Self::Scheme(_)
                | Self::Status { .. }
        )
    }
}

/// A format string taken apart, before it is known how fields end.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    Field(Field),
}
