//! Whether a request that failed is sent again in the same run, and when.
//!
//! A retry is the most expensive kind of request: it goes to a host that has just shown that it cannot bear what it has. So there
//! are three conditions. The record has attempts left. The outcome is one after which asking again is safe and may help. And the
//! *budget* of their host allows it: there are ten retries in it at first, and each first send puts a fifth of one into it, so that over a long run retries add a fifth to the
//! load at most, however many attempts each record may have. A host that fails altogether is then asked 1.2 times as often, not `attempts`
//! times. The model is tower's `TpsBudget`, which is Finagle's. Theirs forgets deposits after ten seconds; here a cap does the
//! same: good times are not saved up for a storm.
//!
//! The waits are exponential with full jitter, a random part of `first · 2ⁿ`: what failed together comes back apart.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use logretry_record::{ErrorKind, Outcome, Retry};

use crate::quantity::time;
use crate::{Options, Planned, RefirerError};

/// Retries that are allowed at the beginning, so that a short log may retry at all.
const FLOOR: f64 = 10.0;
/// What a first send adds.
const SHARE: f64 = 0.2;
/// Retries that are saved up at most.
const SAVED_MAX: f64 = 100.0;

/// `--backoff`: how long a record waits before it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait before the second request is random between nothing and this; then it doubles.
    pub first: Duration,
    /// What it doubles up to.
    pub max: Duration,
}

impl Backoff {
    /// The wait after so many requests; `random` is from 0 to 1.
    pub(crate) fn wait(self, attempts: u32, random: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        doubled.min(self.max).mul_f64(random)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), max: Duration::from_secs(60) }
    }
}

impl FromStr for Backoff {
    type Err = RefirerError;

    /// Reads `1s..60s`, or `1s` for one that does not grow.
    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let (first, max) = text.split_once("..").unwrap_or((text, text));
        let backoff = Self { first: time("--backoff", first)?, max: time("--backoff", max)? };
        if backoff.first > backoff.max { Err(RefirerError::Backoff(text.to_owned())) } else { Ok(backoff) }
    }
}

/// What is left for retries.
#[derive(Debug, Clone)]
pub(crate) struct Budget(f64);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(FLOOR)
    }

    /// A record is sent for the first time.
    pub(crate) fn deposit(&mut self) {
        self.0 = (self.0 + SHARE).min(SAVED_MAX);
    }

    /// Whether a retry is allowed, which is taken out then.
    pub(crate) fn withdraw(&mut self) -> bool {
        let allowed = self.0 >= 1.0;
        if allowed {
            self.0 -= 1.0;
        }
        allowed
    }
}

impl Options {
    /// Whether a record whose last request ended so may be sent again, as far as that record is concerned.
    pub(crate) fn may_go_again(&self, planned: &Planned, retry: &Retry) -> bool {
        may_go_again(self.attempts, self.idempotency.is_some(), planned, retry)
    }

    /// Whether the server says that a request has had no answer yet, and is to come again with the same key.
    pub(crate) fn is_outstanding(&self, planned: &Planned, retry: &Retry) -> bool {
        self.idempotency.is_some() && is_put_off(planned, retry)
    }
}

/// Whether a record whose last request ended so may be sent again, if it may have so many attempts; `has_key` says whether requests that change something have a key.
pub(crate) fn may_go_again(attempts: NonZeroU32, has_key: bool, planned: &Planned, last: &Retry) -> bool {
    last.attempts < attempts.get() && (may_help(planned, last) || (has_key && is_put_off(planned, last)))
}

/// Whether the server says of a request, if that had a key, that it is still at it (409), or would not look at it now (429; what is idempotent needs no key to be asked again then). Such a request is sent
/// again as it is, whatever its method, for a server that knows its key will not do it twice, and one that does not has refused it (draft-ietf-httpapi-idempotency-key-header §2.7, RFC 6585 §4).
fn is_put_off(planned: &Planned, retry: &Retry) -> bool {
    // The others have no key.
    let is_said = match retry.status {
        Some(409) => !planned.is_safe(),
        Some(429) => !planned.is_idempotent(),
        _ => false,
    };
    is_said && retry.outcome == Outcome::Refused
}

/// Whether asking again is safe and may help.
fn may_help(planned: &Planned, retry: &Retry) -> bool {
    let passing = match (retry.outcome, retry.status) {
        // Not implemented, wrong version, a loop, a network that wants a login: the same answer would come again.
        (Outcome::Failing, Some(status)) => !matches!(status, 501 | 505 | 506 | 508 | 510 | 511),
        (Outcome::Refused, Some(status)) => status == 429,
        (Outcome::Unanswered, _) => {
            !matches!(retry.error, Some(ErrorKind::BlockedAddress | ErrorKind::Tls | ErrorKind::Protocol))
        }
        _ => false,
    };
    // Of what is not idempotent nobody knows what half an exchange has done. Without a connection there was none.
    let is_unconnected = matches!(retry.error, Some(ErrorKind::Connect | ErrorKind::Dns));
    passing && (planned.is_idempotent() || is_unconnected)
}

#[cfg(test)]
mod tests;
