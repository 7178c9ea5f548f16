//! What a refire waits for at most.
//!
//! Each request may run out of time, and each may be cut off. To enter both with the runtime anew for every request costs as much as half of its
//! way through the HTTP library, and nearly always for nothing. So a [`Patience`] is used for one request after the other: a timer that is put off costs
//! next to nothing, and one that was never waited for is not even put off.
//!
//! # After a pause
//!
//! A process can be stopped for longer than a request may take (Ctrl-Z, a container that is paused, a virtual machine that is moved). What it hears first then is its alarms, and only after that what
//! has come meanwhile. So an alarm that rings much too late is set once more, for a moment, in which what lies there can be read.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use logretry_record::ErrorKind;
use logretry_stage::Stops;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::fault::Fault;

/// How late an alarm rings at least if nobody was there to hear it, and how long what has come meanwhile is waited for.
pub(crate) const MOMENT: Duration = Duration::from_millis(100);

/// An alarm and ears for stops, for one request at a time.
#[derive(Debug)]
pub(crate) struct Patience {
    /// From the name lookup to the last byte of the answer.
    timeout: Duration,
    /// When nothing more is sent.
    closes: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    drain: Pin<Box<WaitForCancellationFutureOwned>>,
    abort: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Which stop is not waited through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutOffBy {
    /// The one after which nothing more is sent.
    Drain,
    /// The one that does not wait for what has been sent either.
    Abort,
}

impl Patience {
    /// Must be called within a runtime.
    pub(crate) fn new(timeout: Duration, closes: Option<Instant>, stops: &Stops) -> Self {
        Self {
            timeout,
            closes,
            alarm: Box::pin(sleep_until(Instant::now())),
            drain: Box::pin(stops.drain.clone().cancelled_owned()),
            abort: Box::pin(stops.abort.clone().cancelled_owned()),
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether nothing more is sent by now.
    pub(crate) fn is_over(&self) -> bool {
        self.closes.is_some_and(|closes| closes <= Instant::now())
    }

    /// Waits for `step`, until `deadline` or the stop at most, and before something is sent until nothing more is.
    pub(crate) async fn wait<T>(
        &mut self,
        cut_off_by: CutOffBy,
        deadline: Instant,
        step: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        // What has no connection has not been sent, whichever time it is that runs out first.
        let (stopped, deadline, kind, missing) = match cut_off_by {
            CutOffBy::Drain => {
                let deadline = self.closes.map_or(deadline, |closes| closes.min(deadline));
                (&mut self.drain, deadline, ErrorKind::Connect, "connection")
            }
            CutOffBy::Abort => (&mut self.abort, deadline, ErrorKind::Timeout, "whole answer"),
        };
        let mut step = pin!(step);
        let (mut is_set, mut may_be_deaf) = (false, true);
        poll_fn(|cx| {
            // What has already happened is told rather than cut off.
            if let Poll::Ready(end) = step.as_mut().poll(cx) {
                return Poll::Ready(end);
            }
            if stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Fault::new(ErrorKind::Aborted, "cut off by a stop")));
            }
            if !std::mem::replace(&mut is_set, true) {
                self.alarm.as_mut().reset(deadline);
            }
            let mut rung = self.alarm.as_mut().poll(cx);
            if rung.is_ready() && std::mem::take(&mut may_be_deaf) && deadline.elapsed() >= MOMENT {
                self.alarm.as_mut().reset(Instant::now() + MOMENT);
                rung = self.alarm.as_mut().poll(cx);
            }
            rung.map(|()| Err(late(kind, missing, self.timeout)))
        })
        .await
    }

    /// What is said of a request that has had its time before it had a connection.
    pub(crate) fn without_connection(&self) -> Fault {
        late(ErrorKind::Connect, "connection", self.timeout)
    }
}

fn late(kind: ErrorKind, missing: &str, timeout: Duration) -> Fault {
    Fault::new(kind, format!("no {missing} within {timeout:?}"))
}

/// Those that nobody uses; as many as requests were ever under way at once.
#[derive(Debug)]
pub(crate) struct Patiences {
    timeout: Duration,
    closes: Option<Instant>,
    stops: Stops,
    resting: Mutex<Vec<Patience>>,
}

impl Patiences {
    /// Those of a run that sends nothing more from `closes` on.
    pub(crate) fn new(timeout: Duration, closes: Option<Instant>, stops: Stops) -> Self {
        Self { timeout, closes, stops, resting: Mutex::default() }
    }

    /// Takes one out. Must be called within a runtime.
    pub(crate) fn take(&self) -> Patience {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        resting.unwrap_or_else(|| Patience::new(self.timeout, self.closes, &self.stops))
    }

    /// Puts one back.
    pub(crate) fn put(&self, patience: Patience) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).push(patience);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(time: Duration) -> Result<(), Fault> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    fn kind(end: Result<(), Fault>) -> Option<ErrorKind> {
        end.err().map(|fault| fault.kind)
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_has_its_own_time() {
        let [second, long] = [1, 3].map(Duration::from_secs);
        let mut patience = Patience::new(2 * second, None, &Stops::default());
        for (takes, expected) in [
            (second, None),
            (long, Some(ErrorKind::Timeout)),
            (Duration::ZERO, None),
            (long, Some(ErrorKind::Timeout)),
            (second, None),
        ] {
            let start = Instant::now();
            assert_eq!(
                kind(patience.wait(CutOffBy::Abort, start + 2 * second, after(takes)).await),
                expected
            );
            assert!(start.elapsed() <= 2 * second, "{takes:?} took {:?}", start.elapsed());
        }
    }

    /// The runtime of a process that was stopped rings the alarms before it looks what has come.
    #[tokio::test(start_paused = true)]
    async fn what_came_while_nobody_could_hear_it_is_heard_after_the_alarm() {
        let second = Duration::from_secs(1);
        for (stopped, lies_there, expected) in [
            (8 * second, true, None),
            (8 * second, false, Some(ErrorKind::Timeout)),
            (2 * second, true, Some(ErrorKind::Timeout)),
        ] {
            let mut patience = Patience::new(2 * second, None, &Stops::default());
            let deadline = Instant::now() + 2 * second;
            let told_of = async {
                sleep_until(deadline).await;
                if !lies_there {
                    std::future::pending::<()>().await;
                }
                after(MOMENT / 2).await
            };
            let mut end = pin!(patience.wait(CutOffBy::Abort, deadline, told_of));
            assert!(futures_util::poll!(end.as_mut()).is_pending());
            tokio::time::advance(stopped).await;
            let woken = Instant::now();
            assert_eq!(kind(end.await), expected, "{stopped:?}");
            assert!(woken.elapsed() <= MOMENT, "{:?}", woken.elapsed());
        }
    }

    /// Whoever reads of an answer that did not come looks for what is wrong with a server that was never reached.
    #[tokio::test(start_paused = true)]
    async fn what_has_not_come_in_time_is_named() {
        let mut patience = Patience::new(Duration::from_secs(2), None, &Stops::default());
        for (step, kind, missing) in [
            (CutOffBy::Drain, ErrorKind::Connect, "no connection within 2s"),
            (CutOffBy::Abort, ErrorKind::Timeout, "no whole answer within 2s"),
        ] {
            let end = patience.wait(step, Instant::now(), std::future::pending::<Result<(), Fault>>()).await;
            assert_eq!(end, Err(Fault::new(kind, missing)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_cuts_off_what_it_concerns_and_what_comes_after() {
        use CutOffBy::{Abort, Drain};

        let stops = Stops::default();
        let patiences = Patiences::new(Duration::from_secs(60), None, stops.clone());
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut patience = patiences.take();
        assert_eq!(kind(patience.wait(Drain, deadline, after(Duration::from_secs(1))).await), None);
        for (stop, token) in [(Drain, &stops.drain), (Abort, &stops.abort)] {
            patiences.put(patience);
            patience = patiences.take();
            let cut = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                token.cancel();
            };
            let (end, ()) = tokio::join!(patience.wait(stop, deadline, after(Duration::from_secs(30))), cut);
            assert_eq!(kind(end), Some(ErrorKind::Aborted), "{stop:?}");
            assert_eq!(
                kind(patience.wait(stop, deadline, std::future::pending()).await),
                Some(ErrorKind::Aborted),
                "{stop:?}"
            );
            assert_eq!(kind(patience.wait(stop, deadline, async { Ok(()) }).await), None, "it has happened");
            if stop == Drain {
                assert_eq!(kind(patience.wait(Abort, deadline, after(Duration::from_secs(1))).await), None);
            }
        }
    }
}
