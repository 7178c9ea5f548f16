use crate::keyed::quantity::Unit;

/// What the value of a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Status,
    /// A request line.
    Request,
    /// A URL: whole, if it has `://`, else path and query.
    Url,
    /// What the client sent as its target.
    Target,
    /// nginx `$request_uri` (the target) or `$uri` (its path, decoded): which, the query beside it tells.
    Uri,
    /// A path as the client sent it; the query has a key of its own.
    Path,
    /// A path that may have been decoded; the query has a key of its own.
    DecodedPath,
    /// What a path was matched with: `/pets/{id}`.
    Template,
    /// A query with or without its `?`.
    Query,
    Method,
    Host,
    /// A host, if a part of the URL stands beside it; else it may be the machine or the client.
    HostOrMachine,
    /// The server's configured name: a host if there is no better.
    ServerName,
    Port,
    Scheme,
    /// There if the connection was encrypted.
    Tls,
    Time,
    Date,
    /// The time of day.
    Clock,
    Duration(Unit),
    Bytes,
    Client,
    UserAgent,
    RequestId,
    /// nginx `$upstream_addr`, which may prove that no application has seen the request.
    UpstreamAddress,
    /// nginx `$upstream_connect_time`, likewise.
    UpstreamConnect,
    /// Envoy `%RESPONSE_FLAGS%`, likewise.
    ResponseFlags,
    /// Envoy `%RESPONSE_CODE_DETAILS%`, which may disprove it.
    ResponseDetails,
    /// Envoy `%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%`, likewise.
    ServiceTime,
    /// Envoy `%UPSTREAM_REQUEST_ATTEMPT_COUNT%`, likewise.
    Attempts,
    /// Says which family the line is of.
    Sign,
    /// Says whether the line is the one that tells of its request.
    Only,
    Other,
}

/// Each purpose's word in a spec, and what a person is told about it.
const WORDS: &[(&str, Purpose, &str)] = &[
    ("status", Purpose::Status, "status"),
    ("request", Purpose::Request, "request line: method and URL"),
    ("url", Purpose::Url, "URL"),
    ("target", Purpose::Target, "URL: path and query"),
    ("uri", Purpose::Uri, "URL: path"),
    ("path", Purpose::Path, "URL: path"),
    ("decoded_path", Purpose::DecodedPath, "URL: path, decoded by the server (lossy)"),
    ("template", Purpose::Template, "URL: what its path was matched with (lossy)"),
    ("query", Purpose::Query, "URL: query"),
    ("method", Purpose::Method, "method"),
    ("host", Purpose::Host, "host"),
    ("host_or_machine", Purpose::HostOrMachine, "host, if the URL stands beside it"),
    ("server_name", Purpose::ServerName, "host, if there is no other"),
    ("port", Purpose::Port, "port"),
    ("scheme", Purpose::Scheme, "scheme"),
    ("tls", Purpose::Tls, "scheme: https, if it is there"),
    ("time", Purpose::Time, "time"),
    ("date", Purpose::Date, "time"),
    ("clock", Purpose::Clock, "time"),
    ("duration_s", Purpose::Duration(Unit::Seconds), "duration"),
    ("duration_ms", Purpose::Duration(Unit::Millis), "duration"),
    ("duration_us", Purpose::Duration(Unit::Micros), "duration"),
    ("duration_ns", Purpose::Duration(Unit::Nanos), "duration"),
    ("bytes", Purpose::Bytes, "bytes"),
    ("client", Purpose::Client, "client"),
    ("user_agent", Purpose::UserAgent, "user agent"),
    ("request_id", Purpose::RequestId, "request id"),
    ("upstream_addr", Purpose::UpstreamAddress, PROOF),
    ("upstream_connect_time", Purpose::UpstreamConnect, PROOF),
    ("response_flags", Purpose::ResponseFlags, PROOF),
    ("response_code_details", Purpose::ResponseDetails, PROOF),
    ("upstream_service_time", Purpose::ServiceTime, PROOF),
    ("upstream_request_attempt_count", Purpose::Attempts, PROOF),
    ("sign", Purpose::Sign, ""),
    ("only", Purpose::Only, ""),
];

const PROOF: &str = "whether any application has seen it";

/// The words of a spec, for messages.
pub(crate) const KNOWN: &str = "status, url, target, path, query, request, method, host, scheme, port, time, duration_ms (_s, _us, _ns), bytes, \
     client, user_agent, request_id, upstream_addr, upstream_connect_time, response_flags, response_code_details, upstream_service_time, upstream_request_attempt_count";

impl Purpose {
    /// The purpose that `word` stands for.
    pub(crate) fn named(word: &str) -> Option<Self> {
        WORDS.iter().find(|(known, ..)| *known == word).map(|&(_, purpose, _)| purpose)
    }

    /// What a person is told about the key.
    pub(crate) fn about(self) -> &'static str {
        WORDS.iter().find(|(_, purpose, _)| *purpose == self).map_or("", |&(_, _, about)| about)
    }

    /// Whether the value is a part of the URL that gets the mark.
    pub(crate) fn is_url(self) -> bool {
        matches!(self, Self::Request | Self::Query) || self.is_target()
    }

    /// Whether the value may be the target, or the path of it.
    pub(crate) fn is_target(self) -> bool {
        matches!(self, Self::Url | Self::Target | Self::Uri | Self::Path | Self::DecodedPath | Self::Template)
    }

    /// Whether two different values make two different requests, or something else of whether they arrived.
    pub(crate) fn is_key(self) -> bool {
        self.is_url()
            || matches!(
                self,
                Self::Status
                    | Self::Method
                    | Self::Host
                    | Self::HostOrMachine
                    | Self::Port
                    | Self::Scheme
                    | Self::UpstreamAddress
                    | Self::UpstreamConnect
                    | Self::ResponseFlags
                    | Self::ResponseDetails
                    | Self::ServiceTime
                    | Self::Attempts
            )
    }
}
