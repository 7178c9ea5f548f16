//! A connection that is the HTTP library's.
//!
//! hyper splits a connection into a sender and a driver, and expects the driver to be a task of its own. Here the two stay together, and
//! whoever has the connection drives it: a request costs no switch between tasks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use tokio::task::unconstrained;

use super::Exchanged;
use super::told::Told;
use crate::fault::{Fault, Phase};
use crate::transport::stream::Measured;
use crate::transport::{Request, Seen};

/// Bytes of an answer's head at most, and what is read at once. Its fields are limited to 100 by hyper.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes before the end of an answer's head at most, those of interim answers (1xx) with it: hyper passes over these as long as they come, and lets nobody else have his turn.
const INTERIM_BYTES_MAX: u64 = 256 << 10;

type Driver = http1::Connection<TokioIo<Measured<Told>>, Full<Bytes>>;
type Answered = Result<http::Response<Incoming>, TrySendError<http::Request<Full<Bytes>>>>;

/// A connection on which nothing is under way.
#[derive(Debug)]
pub(super) struct Driven {
    sender: http1::SendRequest<Full<Bytes>>,
    /// None once it has ended. What ended it is told to the request that is under way.
    driver: Option<Pin<Box<Driver>>>,
    /// Bytes that may still be read.
    rest: Arc<AtomicU64>,
}

impl Driven {
    /// Takes a connection over, with what has happened on it.
    pub(super) async fn over(stream: Told) -> Result<Self, Fault> {
        let rest = Arc::new(AtomicU64::new(INTERIM_BYTES_MAX));
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(Measured::new(stream, Arc::clone(&rest))))
            .await
            .map_err(|error| exchanging(&error))?;
        Ok(Self { sender, driver: Some(Box::pin(driver)), rest })
    }

    /// Whether a request can be written to it, as far as the operating system has told.
    pub(super) fn is_open(&mut self) -> bool {
        // Nobody is to be woken: whoever takes it looks for himself.
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends `request` and reads the answer.
    pub(super) async fn exchange(
        mut self,
        request: &mut Request,
        seen: &mut Seen,
        body_bytes_max: u64,
    ) -> Result<Exchanged<Self>, Fault> {
        self.rest.store(INTERIM_BYTES_MAX, Ordering::Relaxed);
        let answer = match self.send(built(request)).await {
            Ok(answer) => answer,
            Err(mut error) => {
                let not_sent = error.take_message();
                let fault = exchanging(&error.into_error());
                // Another connection would be refused as well.
                let Some(not_sent) = not_sent.filter(|_| !fault.unprocessed) else {
                    return Err(fault);
                };
                *request.headers_mut() = not_sent.into_parts().0.headers;
                return Ok(Exchanged::NotSent);
            }
        };
        // The body has a limit of its own.
        self.rest.store(u64::MAX, Ordering::Relaxed);
        seen.head(answer.status(), answer.headers());
        let mut body = answer.into_body();
        while !body.is_end_stream() {
            let Some(frame) = self.frame(&mut body).await else { break };
            let frame = frame.map_err(|error| exchanging(&error))?;
            seen.body(frame.data_ref().map_or(0, Bytes::len), body_bytes_max)?;
        }
        drop(body);
        Ok(if self.is_open() { Exchanged::Whole(self) } else { Exchanged::Last })
    }

    /// Drives the connection until the head of the answer is there.
    async fn send(&mut self, request: http::Request<Full<Bytes>>) -> Answered {
        let mut answer = pin!(unconstrained(self.sender.try_send_request(request)));
        poll_fn(|cx| {
            self.drive(cx);
            // Only the driver makes answers, so they need to wake nobody.
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    /// Drives the connection until a piece of the body is there, or its end.
    async fn frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        let mut next = || Pin::new(&mut *body).poll_frame(&mut Context::from_waker(Waker::noop()));
        poll_fn(|cx| {
            // Asking for a piece is what makes the driver read one.
            if let Poll::Ready(frame) = next() {
                return Poll::Ready(frame);
            }
            self.drive(cx);
            next()
        })
        .await
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        // Unconstrained: tokio would otherwise now and then pretend that nothing has happened, and wake nobody.
        let ended = self
            .driver
            .as_mut()
            .is_some_and(|driver| pin!(unconstrained(driver.as_mut())).poll(cx).is_ready());
        if ended {
            self.driver = None;
        }
    }
}

/// In origin form, with the headers of `request`.
fn built(request: &mut Request) -> http::Request<Full<Bytes>> {
    let mut built = http::Request::new(Full::new(request.body.clone()));
    *built.method_mut() = request.planned.method.clone();
    *built.uri_mut() = request.planned.target.clone().into();
    *built.headers_mut() = std::mem::take(request.headers_mut());
    built
}

fn exchanging(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Exchanging)
}
