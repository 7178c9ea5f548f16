//! HTTP/2: a connection carries many requests at a time, each as a stream.
//!
//! A stream is ready when the server's limit of open streams leaves room for it, so that what is begun is also sent. A connection that is
//! full is joined by another.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use tokio::task::AbortHandle;

use super::stream::Stream;
use super::{Request, Seen};
use crate::fault::{Fault, Phase};

/// Bytes of an answer's head at most.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Streams of a connection at most, if the server allows more.
const STREAMS_MAX: usize = 100;

/// A connection; it is closed when nobody has it any more.
#[derive(Debug)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: AbortHandle,
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Room for one request on a connection.
#[derive(Debug)]
pub(crate) struct Http2Stream(Arc<Http2>);

/// What came of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchanged {
    /// The answer has been read to its end.
    Whole,
    /// The server retired its connection in good order (GOAWAY, `NO_ERROR`) and said thereby that it has not looked at this request and
    /// will not (RFC 9113 §6.8). Sent over a new connection it is still one request, as far as the server is concerned.
    LeftAlone,
}

impl Http2 {
    pub(super) async fn over(stream: Stream) -> Result<Arc<Self>, Fault> {
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .max_header_list_size(HEAD_BYTES_MAX)
            .initial_max_send_streams(STREAMS_MAX)
            .handshake(stream)
            .await
            .map_err(|error| exchanging(&error))?;
        // What ends the connection also ends its streams, which tell why.
        let driver = tokio::spawn(async { drop(connection.await) }).abort_handle();
        Ok(Arc::new(Self { sender, driver }))
    }

    /// Whether it can carry streams.
    pub(super) fn is_open(&self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        !self.driver.is_finished()
            && matches!(self.sender.clone().poll_ready(&mut nobody), Poll::Ready(Ok(())))
    }

    /// Room for one more request, if there is some. To be asked by one at a time.
    pub(super) fn stream(self: &Arc<Self>) -> Option<Http2Stream> {
        // One holder is whoever keeps the connection, all others are streams.
        let open = Arc::strong_count(self) - 1;
        (open < self.sender.current_max_send_streams().min(STREAMS_MAX))
            .then(|| Http2Stream(Arc::clone(self)))
    }
}

impl Http2Stream {
    /// Sends `request` and reads the answer.
    pub(super) async fn exchange(
        self,
        request: &Request,
        seen: &mut Seen,
        body_bytes_max: u64,
    ) -> Result<Exchanged, Fault> {
        let answer = async {
            let mut sender = self.0.sender.clone();
            let (answer, mut body) = sender.send_request(built(request)?, request.body.is_empty())?;
            if !request.body.is_empty() {
                body.send_data(request.body.clone(), true)?;
            }
            answer.await.map_err(Ended::from)
        };
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(Ended::Http2(error)) if left_alone(&error) => return Ok(Exchanged::LeftAlone),
            Err(Ended::Http2(error)) => return Err(exchanging(&error)),
            Err(Ended::Fault(fault)) => return Err(fault),
        };
        seen.head(answer.status(), answer.headers());
        let mut body = answer.into_body();
        while let Some(piece) = body.data().await {
            let piece = piece.map_err(|error| exchanging(&error))?;
            seen.body(piece.len(), body_bytes_max)?;
            body.flow_control().release_capacity(piece.len()).map_err(|error| exchanging(&error))?;
        }
        Ok(Exchanged::Whole)
    }
}

/// Why there is no head.
enum Ended {
    Http2(h2::Error),
    Fault(Fault),
}

impl From<h2::Error> for Ended {
    fn from(error: h2::Error) -> Self {
        Self::Http2(error)
    }
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn left_alone(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
}

fn built(request: &Request) -> Result<http::Request<()>, Fault> {
    let planned = &request.planned;
    let mut built = http::Request::builder()
        .method(&planned.method)
        .uri(planned.url())
        .body(())
        .map_err(|error| exchanging(&error))?;
    *built.headers_mut() = request.headers();
    // It is in `:authority` (RFC 9113 §8.3.1).
    built.headers_mut().remove(HOST);
    if !request.body.is_empty() {
        built.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    Ok(built)
}

fn exchanging(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::of(error, Phase::Exchanging)
}
