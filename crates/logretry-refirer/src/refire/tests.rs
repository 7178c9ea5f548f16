//! The order of steps, over a transport and a journal that note them.

use std::sync::{Arc, Mutex};

use logretry_record::RecordId;
use logretry_stage::Stops;

use super::*;
use crate::Options;

#[derive(Debug, Clone, Default)]
struct Steps {
    taken: Arc<Mutex<Vec<&'static str>>>,
    no_connection: bool,
    /// While it is made, the process is stopped for so long.
    stopped: Duration,
    no_room: bool,
    end: End,
}

#[derive(Debug, Clone, Copy, Default)]
enum End {
    #[default]
    Whole,
    /// The server says that it has looked at nothing, before its answer or amid it.
    BrokenOff(Option<u16>),
}

impl Steps {
    fn take(&self, step: &'static str) {
        self.taken.lock().expect("no panic").push(step);
    }

    /// As a slow disk would do it.
    async fn intend(&self) -> Result<(), Reason> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        self.take("intended");
        if self.no_room { Err(Reason::Stopped) } else { Ok(()) }
    }

    async fn refire(&self) -> (Ended, Vec<&'static str>) {
        let mut patience = Patience::new(Duration::from_secs(1), None, &Stops::default());
        let ended = refire(self, &mut request(), &mut patience, self.intend(), || self.take("begun")).await;
        (ended, self.taken.lock().expect("no panic").clone())
    }
}

impl Transport for Steps {
    type Ready = Self;

    async fn ready(&self, _: &Request, _: Instant) -> Result<Self, Fault> {
        if self.no_connection {
            return Err(Fault::new(ErrorKind::Connect, "nobody is there"));
        }
        tokio::time::advance(self.stopped).await;
        self.take("connected");
        Ok(self.clone())
    }
}

impl crate::transport::Ready for Steps {
    async fn exchange(self, _: &mut Request, seen: &mut Seen) -> Result<(), Fault> {
        self.take("sent");
        tokio::time::sleep(Duration::from_millis(10)).await;
        match self.end {
            End::Whole => {
                seen.status = Some(200);
                Ok(())
            }
            End::BrokenOff(status) => {
                seen.status = status;
                Err(Fault::new(ErrorKind::Tls, "a certificate is missing").before_the_request())
            }
        }
    }
}

fn request() -> Request {
    use logretry_record::{Exchange, Origin, Record};

    let mut options = Options::default();
    options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
    let original = Exchange { target: Some("/a".to_owned()), ..Exchange::default() };
    let id = RecordId::of_line(b"x", 0);
    let planned = options.judge(&Record::new(id, Origin::new("-", 1, 0, "combined", "x"), original));
    Request::new(planned.expect("a path is a path").into(), id, &options.headers)
}

#[tokio::test(start_paused = true)]
async fn the_intent_is_the_last_step_before_the_request() {
    let (ended, steps) = Steps::default().refire().await;
    assert_eq!(steps, ["connected", "intended", "begun", "sent"]);
    let retry = ended.expect("it was sent").retry;
    assert_eq!(
        (retry.outcome, retry.duration_ms),
        (Outcome::Recovered, Some(10.0)),
        "the disk's time is not the server's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_leaves_no_intent() {
    let (ended, steps) = Steps { no_connection: true, ..Steps::default() }.refire().await;
    assert_eq!(steps, [""; 0]);
    let retry = ended.expect("it was tried").retry;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Connect)));
}

/// What was sent then was cut off at once, and perhaps done.
#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_when_the_time_is_over_is_not_used() {
    let (ended, steps) = Steps { stopped: Duration::from_secs(8), ..Steps::default() }.refire().await;
    assert_eq!(steps, ["connected"]);
    let retry = ended.expect("it was tried").retry;
    assert_eq!((retry.outcome, retry.error), (Outcome::Unanswered, Some(ErrorKind::Connect)));
    assert_eq!(retry.detail.as_deref(), Some("no connection within 1s"));
}

/// A server closes what rests for long, also while the disk stands still, and the runtime must hear of it before the request goes out into nothing.
#[tokio::test(start_paused = true)]
async fn who_has_waited_long_for_the_disk_looks_at_the_connection_anew() {
    let steps = Steps::default();
    let runtime = steps.clone();
    let intent = async {
        tokio::time::sleep(MOMENT).await;
        tokio::spawn(async move { runtime.take("its turn") });
        Ok(())
    };
    let mut patience = Patience::new(Duration::from_secs(1), None, &Stops::default());
    let ended = refire(&steps, &mut request(), &mut patience, intent, || ()).await;
    assert_eq!(*steps.taken.lock().expect("no panic"), ["connected", "its turn", "sent"]);
    assert_eq!(ended.expect("it was sent").retry.outcome, Outcome::Recovered);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_not_sent() {
    let (ended, steps) = Steps { no_room: true, ..Steps::default() }.refire().await;
    assert_eq!(steps, ["connected", "intended"]);
    assert_eq!(ended.expect_err("it was not sent"), Reason::Stopped);
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_in_part_was_looked_at_whatever_the_server_says_then() {
    for (status, unprocessed) in [(None, true), (Some(200), false)] {
        let (ended, _) = Steps { end: End::BrokenOff(status), ..Steps::default() }.refire().await;
        assert_eq!(ended.expect("it was sent").unprocessed, unprocessed, "{status:?}");
    }
}
