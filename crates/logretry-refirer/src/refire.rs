//! One refire: from a planned request to the [`Retry`] that tells how it ended.

use std::time::Duration;

use jiff::Timestamp;
use logretry_record::{ErrorKind, Outcome, Retry};
use logretry_stage::Context;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::transport::{Request, Seen, Transport};

/// Sends `request` and waits for the end: a whole answer, a fault, the timeout, or `abort`.
pub(crate) async fn refire(
    transport: &impl Transport,
    request: &Request,
    timeout: Duration,
    abort: &CancellationToken,
) -> Retry {
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
    Retry {
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
    }
}

/// Milliseconds, to the microsecond: finer digits are noise, and make lines longer.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Keeps the numbers of a request that is under way. If it is dropped with its task, because nobody wants the answer any
/// more, the request still counts: as one that may have arrived.
pub(crate) struct InFlight {
    cx: Context,
    settled: bool,
}

impl InFlight {
    pub(crate) fn begin(cx: &Context) -> Self {
        cx.tally().take();
        cx.tally().in_flight(1);
        Self { cx: cx.clone(), settled: false }
    }

    pub(crate) fn settle(mut self, retry: &Retry) {
        self.cx.tally().settle(retry);
        self.settled = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.cx.tally().in_flight(-1);
        if !self.settled {
            let cut = Retry {
                time: Timestamp::now(),
                method: None,
                url: None,
                attempts: 1,
                outcome: Outcome::InDoubt,
                status: None,
                duration_ms: None,
                bytes: None,
                error: Some(ErrorKind::Aborted),
                reason: None,
                detail: None,
            };
            self.cx.tally().settle(&cut);
        }
    }
}
