//! One refire: from a planned request to the [`Retry`] that tells how it ended.
//!
//! ```text
//!   a connection ──▶ the intent is written down ──▶ the request ──▶ the answer
//! ```
//!
//! What ends before the request, ends without an intent: nothing was sent, and nothing is in doubt. A stop that lets what was sent end does not wait for a connection, over which
//! something would be sent after it; nor does a run whose time is over. Through a proxy to a server
//! without TLS the connection is made with the request, and is waited for. What a proxy does not let through, or the server says not to have looked at, has its intent, and ends like it.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use logretry_record::{ErrorKind, Outcome, Reason, Retry};
use tokio::time::Instant;

use crate::fault::Fault;
use crate::patience::{CutOffBy, MOMENT, Patience};
use crate::transport::{Ready as _, Request, Seen, Transport};

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) retry: Retry,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// Whether it is certain that no server has looked at the request: it ended as if there had been no connection.
    pub(crate) unprocessed: bool,
}

/// An answer, or the reason for which nothing was sent.
pub(crate) type Ended = Result<Answer, Reason>;

/// Sends `request` and waits for the end: a whole answer, a fault, the timeout, or an abort. An error is the reason for which nothing
/// was sent. `intent` is awaited last, with a connection in hand: it writes down that the request is about to be sent, or says why it must not be.
/// `begun` is called then.
pub(crate) async fn refire(
    transport: &impl Transport,
    request: &mut Request,
    patience: &mut Patience,
    intent: impl Future<Output = Result<(), Reason>>,
    begun: impl FnOnce() + Send,
) -> Ended {
    let time = Timestamp::now();
    let start = Instant::now();
    let mut seen = Seen::default();
    let deadline = start + patience.timeout();
    let (ready, mut took) = {
        // Pinned where they are made: futures are large, and to hand them on would copy them.
        let ready = pin!(transport.ready(request, start));
        let mut ready = pin!(patience.wait(CutOffBy::Drain, deadline, ready));
        // A connection that is kept takes no time, and needs no clock.
        match futures_util::poll!(ready.as_mut()) {
            Poll::Ready(ready) => (ready, Duration::ZERO),
            Poll::Pending => (ready.await, start.elapsed()),
        }
    };
    let end = match ready {
        Err(fault) if fault.kind == ErrorKind::Aborted => return Err(Reason::Stopped),
        _ if patience.is_over() => return Err(Reason::MaxTime),
        Err(fault) => Err(fault),
        // It came while the process was stopped: what is sent now could only be cut off.
        Ok(_) if took >= patience.timeout() => Err(patience.without_connection()),
        Ok(ready) => {
            // The journal's time is not counted; one that takes none needs no clock.
            let mut intent = pin!(intent);
            let (intended, start) = match futures_util::poll!(intent.as_mut()) {
                Poll::Ready(intended) => (intended, start + took),
                Poll::Pending => {
                    let (ready, intended) = (start + took, intent.await);
                    if ready.elapsed() >= MOMENT {
                        // A disk that stood still, or a process that did: the server may have closed the connection, which the runtime hears of in between.
                        tokio::task::yield_now().await;
                    }
                    (intended, Instant::now())
                }
            };
            intended?;
            begun();
            let deadline = start + patience.timeout().saturating_sub(took);
            let end = {
                let exchange = pin!(ready.exchange(request, &mut seen));
                patience.wait(CutOffBy::Abort, deadline, exchange).await
            };
            took += seen.whole.unwrap_or_else(Instant::now).saturating_duration_since(start);
            end
        }
    };
    let (outcome, fault) = match (seen.status, end) {
        // It talks another protocol now, which nobody has asked for (RFC 9110 §15.2.2): that is no answer.
        (Some(101), Ok(())) => {
            (Outcome::Unanswered, Some(Fault::new(ErrorKind::Protocol, "the server changed the protocol")))
        }
        (Some(status), Ok(())) => (Outcome::of_status(status), None),
        (Some(status), Err(fault)) if fault.kind == ErrorKind::BodyLimit => {
            (Outcome::of_status(status), Some(fault))
        }
        (_, Err(fault)) if fault.kind == ErrorKind::Aborted => (Outcome::InDoubt, Some(fault)),
        (_, Err(fault)) => (Outcome::Unanswered, Some(fault)),
        (None, Ok(())) => (Outcome::Unanswered, Some(Fault::new(ErrorKind::Other, "no answer"))),
    };
    // Whatever a server says later, what it has begun to answer it has looked at.
    let unprocessed = seen.status.is_none() && fault.as_ref().is_some_and(|fault| fault.unprocessed);
    let (error, detail) = fault.map(|fault| (fault.kind, fault.detail)).unzip();
    let retry = Retry {
        time,
        method: Some(request.planned.method().to_owned()),
        url: Some(request.planned.url()),
        attempts: 1,
        outcome,
        in_doubt_retry: false,
        sent_before: false,
        status: seen.status,
        duration_ms: Some(ms(took)),
        bytes: seen.status.map(|_| seen.bytes),
        error,
        reason: None,
        detail,
    };
    Ok(Answer { retry, retry_after: seen.retry_after, unprocessed })
}

/// Milliseconds, to the microsecond: finer digits are noise, and make lines longer.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests;
