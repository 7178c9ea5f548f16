use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::encode;
use crate::whole::{whole, whole_or_none};
use crate::wire::null_is_left_out;

/// How a refire ended, or why there was none: the record's `retry`.
///
/// The names on the pipe are those of the fields here; [`wire`](crate::wire) gives each one's form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// When the request was sent, or when it was decided not to send it; UTC.
    pub time: Timestamp,
    /// The method sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The exact URL sent, without the mark (unless `--send-mark` sent it); none if no URL could be built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Requests that went out for this record; 0 when nothing was sent.
    #[serde(deserialize_with = "whole")]
    pub attempts: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether an earlier run was cut off while this request was under way, so that it may have been sent twice; left out if not.
    #[serde(default, deserialize_with = "null_is_left_out", skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt_retry: bool,
    /// Whether a refire before this one may have arrived, whatever became of this one: it was sent, or skipped, perhaps because it had been; left out if not.
    #[serde(default, deserialize_with = "null_is_left_out", skip_serializing_if = "std::ops::Not::not")]
    pub sent_before: bool,
    /// The status of the last answer, if its head came. A transport error is never written as a status.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From just before the request was handed to a connection until the answer was complete, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Bytes of the answer's body that were read.
    #[serde(default, deserialize_with = "whole_or_none", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What went wrong in transport. With an outcome other than `unanswered` it is a remark (`body_limit`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// Why nothing was sent; beside an outcome of something that was sent, why it was not sent again although it may be (see [`Retry::goes_on`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// One more sentence fragment for a person: the system's own words for `error` or `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Retry {
    /// A refire that was not made, as `skipped` or `unsent` according to `reason`.
    pub fn not_sent(time: Timestamp, reason: Reason) -> Self {
        Self {
            time,
            method: None,
            url: None,
            attempts: 0,
            outcome: reason.outcome(),
            in_doubt_retry: false,
            sent_before: false,
            status: None,
            duration_ms: None,
            bytes: None,
            error: None,
            reason: Some(reason),
            detail: None,
        }
    }

    /// Appends it as JSON: the object that stands in its record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        encode::push_retry(self, out);
    }

    /// Whether this is not the end: a stop came first, and the same run again goes on with the record. It may have been sent already, and
    /// then the outcome is that of its last request.
    pub fn goes_on(&self) -> bool {
        self.reason.is_some_and(|reason| reason.outcome() == Outcome::Unsent)
    }
}

/// How a refire ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered with 1xx to 3xx.
    Recovered,
    /// Answered with 4xx.
    Refused,
    /// Answered with 5xx (or a status beyond it).
    Failing,
    /// No whole answer came; `error` says why.
    Unanswered,
    /// Not to be sent; `reason` says why. Running again would skip it again.
    Skipped,
    /// Would have been sent, but the run was stopped first. Running again sends it.
    Unsent,
    /// A crash or an abort left open whether it arrived.
    InDoubt,
}

impl Outcome {
    /// The outcome that a status stands for (RFC 9110 §15).
    pub const fn of_status(status: u16) -> Self {
        match status {
            0..=399 => Self::Recovered,
            400..=499 => Self::Refused,
            _ => Self::Failing,
        }
    }

    /// Whether a request went out: everything but `skipped` and `unsent`.
    pub const fn is_sent(self) -> bool {
        !matches!(self, Self::Skipped | Self::Unsent)
    }

    /// All outcomes, in the order in which summaries list them.
    pub const ALL: [Self; 7] = [
        Self::Recovered,
        Self::Refused,
        Self::Failing,
        Self::Unanswered,
        Self::InDoubt,
        Self::Skipped,
        Self::Unsent,
    ];

    /// The word on the pipe.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Refused => "refused",
            Self::Failing => "failing",
            Self::Unanswered => "unanswered",
            Self::Skipped => "skipped",
            Self::Unsent => "unsent",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// Where in its way a refire broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The host name could not be resolved.
    Dns,
    /// The address is one that is never connected to (link-local, cloud metadata).
    BlockedAddress,
    /// No connection: refused, unreachable, not made in time, or given up by the server before it looked at the request.
    Connect,
    /// The TLS handshake failed: certificate, name, version.
    Tls,
    /// The proxy did not let the request through.
    Proxy,
    /// No whole answer within the total timeout.
    Timeout,
    /// The connection broke or was closed before the answer was whole.
    Reset,
    /// What came back is not HTTP, or breaks its rules.
    Protocol,
    /// The body was longer than the body limit; the rest was not read. The answer counts by its status.
    BodyLimit,
    /// Our own stop cut it off.
    Aborted,
    /// Anything else, or a kind that a later version knows.
    #[serde(other)]
    Other,
}

impl ErrorKind {
    /// The word on the pipe.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::BlockedAddress => "blocked_address",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::BodyLimit => "body_limit",
            Self::Aborted => "aborted",
            Self::Other => "other",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $outcome:ident, $advice:literal;)+) => {
        /// Why a selected record was not sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $name,)+
            /// A reason that a later version knows.
            #[serde(other)]
            Other,
        }

        impl Reason {
            /// Every reason this version gives.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the pipe.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                    Self::Other => "other",
                }
            }

            /// What it means and what to do about it, for a person: a fragment that fits after "not sent: ".
            pub const fn advice(self) -> &'static str {
                match self {
                    $(Self::$name => $advice,)+
                    Self::Other => "a reason that this version does not know",
                }
            }

            /// [`Outcome::Skipped`] or [`Outcome::Unsent`].
            pub const fn outcome(self) -> Outcome {
                match self {
                    $(Self::$name => Outcome::$outcome,)+
                    Self::Other => Outcome::Skipped,
                }
            }
        }
    };
}

reasons! {
    /// The line holds no URL.
    NoTarget, "no_target", Skipped, "the log line holds no URL";
    /// The line names no host and no `--base-url` was given.
    NoHost, "no_host", Skipped, "the log line names no host; give --base-url";
    /// The host of the line is not one that the operator allowed.
    HostNotAllowed, "host_not_allowed", Skipped, "the host in the log is not allowed; name it with --allow-host, or, unless it stands in the request's own URL, give --base-url";
    /// The method is not one of `--methods`.
    MethodNotAllowed, "method_not_allowed", Skipped, "the method is not one of --methods (GET, HEAD and OPTIONS by default)";
    /// The method carries a body, and there is none to send.
    NoBody, "no_body", Skipped, "the method needs its body, and the log does not hold it whole; give it with --bodies, or read a capture (HAR, GoReplay)";
    /// Its path fits a pattern that the operator denied.
    DeniedPath, "denied_path", Skipped, "the path is one that --deny-path names";
    /// It changes something, and nothing proves that it has not been done.
    MayHaveArrived, "may_have_arrived", Skipped, "it changes something, and the log does not prove that no application has seen it (--undelivered asks for that)";
    /// Its method only reads, and its URL says that it acts.
    MayAct, "may_act", Skipped, "the URL says that it acts (logout, delete …); look at it, then give --allow-acting";
    /// Not origin form: `*`, `host:port`, or something that is no request target at all.
    TargetForm, "target_form", Skipped, "the request target has a form that cannot be sent again (`*`, `host:port`, no leading `/`, bytes that may not stand in a URL)";
    /// The target is longer than servers accept.
    TargetTooLong, "target_too_long", Skipped, "the request target is longer than 16 KiB";
    /// The log format has lost part of the URL.
    Lossy, "lossy", Skipped, "the log has lost part of the request; log the raw request, or give --allow-lossy";
    /// The target cannot go over this transport without being changed.
    TargetWouldChange, "target_would_change", Skipped, "over this proxy the request target could not be sent byte for byte";
    /// The same record came before, in the same run.
    Repeated, "repeated", Skipped, "the same line came before; give logs that are not of the same requests in runs of their own, each with its own -o";
    /// It was a dry run; `method` and `url` are what would have been sent.
    DryRun, "dry_run", Unsent, "this was a dry run; run again without --dry-run to send it";
    /// A stop was asked for before it was sent.
    Stopped, "stopped", Unsent, "the run was stopped first (the same run again goes on, if there is a ledger)";
    /// Its host kept failing and was given up.
    BreakerOpen, "breaker_open", Unsent, "the host kept failing and was given up (the same run again goes on, if there is a ledger)";
    /// `--max-requests` was reached.
    MaxRequests, "max_requests", Unsent, "--max-requests was reached (the same run again goes on, if there is a ledger)";
    /// `--max-time` was over.
    MaxTime, "max_time", Unsent, "--max-time was over (the same run again goes on, if there is a ledger)";
}
