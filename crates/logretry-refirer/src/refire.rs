//! One refire: from a planned request to the [`Retry`] that tells how it ended.

use std::time::Duration;

use jiff::Timestamp;
use logretry_record::{ErrorKind, Outcome, Retry};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::transport::{Request, Seen, Transport};

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) retry: Retry,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

/// Sends `request` and waits for the end: a whole answer, a fault, the timeout, or `abort`.
pub(crate) async fn refire(
    transport: &impl Transport,
    request: &Request,
    timeout: Duration,
    abort: &CancellationToken,
) -> Answer {
    let time = Timestamp::now();
    let start = Instant::now();
    let mut seen = Seen::default();
    let end = tokio::select! {
        // What has already happened is told rather than cut off.
        biased;
        end = transport.exchange(request, &mut seen) => end,
        () = abort.cancelled() => Err(Fault::new(ErrorKind::Aborted, "cut off by a stop")),
        () = tokio::time::sleep(timeout) => {
            Err(Fault::new(ErrorKind::Timeout, format!("no whole answer within {timeout:?}")))
        }
    };
    let (outcome, fault) = match (seen.status, end) {
        (Some(status), Ok(())) => (Outcome::of_status(status), None),
        (Some(status), Err(fault)) if fault.kind == ErrorKind::BodyLimit => {
            (Outcome::of_status(status), Some(fault))
        }
        (_, Err(fault)) if fault.kind == ErrorKind::Aborted => (Outcome::InDoubt, Some(fault)),
        (_, Err(fault)) => (Outcome::Unanswered, Some(fault)),
        (None, Ok(())) => (Outcome::Unanswered, Some(Fault::new(ErrorKind::Other, "no answer"))),
    };
    let (error, detail) = fault.map(|fault| (fault.kind, fault.detail)).unzip();
    let retry = Retry {
        time,
        method: Some(request.planned.method().to_owned()),
        url: Some(request.planned.url()),
        attempts: 1,
        outcome,
        status: seen.status,
        duration_ms: Some(ms(start.elapsed())),
        bytes: seen.status.map(|_| seen.bytes),
        error,
        reason: None,
        detail,
    };
    Answer { retry, retry_after: seen.retry_after }
}

/// Milliseconds, to the microsecond: finer digits are noise, and make lines longer.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
