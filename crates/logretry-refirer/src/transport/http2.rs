//! HTTP/2: a connection carries many requests at a time, each as a stream.
//!
//! A stream is ready when the server's limit of open streams leaves room for it, so that what is begun is also sent. A connection that is
//! full is joined by another.
//!
//! # What the server proves not to have looked at
//!
//! A server that retires a connection names the last stream that it has looked at or will (GOAWAY), and one that has no room for a stream refuses it
//! (`REFUSED_STREAM`). RFC 9113 §8.7 has both as guarantees that nothing of the request was processed. Such a request is sent over another connection, whatever its
//! method: it is still one request, as far as the server is concerned. Nothing else is taken for such a proof. What was refused twice rests before it goes out once more.
//!
//! A server that retires each connection after so many requests (nginx: `keepalive_requests`) ignores what was sent meanwhile, and would ignore much of it again and
//! again. So its number is remembered ([`Lifetime`]), and no more streams are begun on a connection than it will carry.
//!
//! # A connection on which nobody answers
//!
//! The machine behind it may be gone without a word: it lost its power, or its address went to another one. The system notices that after a quarter of an hour, and until then whatever
//! is sent there runs out of time, though the server is back. So nothing more is begun on a connection once a request on it was cut off; what is under way there goes on.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::Reason;
use h2::client::{Builder, SendRequest};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use logretry_record::ErrorKind;
use tokio::task::AbortHandle;

use super::stream::Stream;
use super::{Request, Seen};
use crate::fault::{Fault, Phase};

/// Bytes of an answer's head at most.
const HEAD_BYTES_MAX: u32 = 64 << 10;
/// Streams of a connection at most, if the server allows more.
pub(super) const STREAMS_MAX: usize = 100;

/// How many streams a connection to a site carries before its server retires it, as far as that has been seen.
#[derive(Debug, Clone)]
pub(super) struct Lifetime(Arc<AtomicU32>);

impl Default for Lifetime {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(u32::MAX)))
    }
}

impl Lifetime {
    fn streams(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// The stream `id` was left alone, so no more were carried than have a lower id: a client's are the odd numbers.
    fn ended_before(&self, id: u32) {
        self.0.fetch_min((id / 2).max(1), Ordering::Relaxed);
    }

    /// A connection has carried as many and was not retired: that was not what ended the others.
    fn forget(&self) {
        self.0.store(u32::MAX, Ordering::Relaxed);
    }
}

/// A connection; it is closed when nobody has it any more.
#[derive(Debug)]
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: AbortHandle,
    /// Why the server broke its handshake off, after it had been over for us.
    refusal: Arc<OnceLock<Fault>>,
    lifetime: Lifetime,
    /// Streams for which there was room, from its beginning.
    begun: AtomicU32,
    /// Whether a request was cut off before its answer was whole.
    cut_off: AtomicBool,
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
    /// The server has not looked at this request and will not: it retired its connection in good order (GOAWAY, `NO_ERROR`), or the connection was gone before
    /// anything was sent.
    LeftAlone,
    /// The same, because it refused the stream.
    Refused,
}

impl Http2 {
    /// A connection over `stream` that carries `streams_max` at once until its server says how many, and as many in all as `lifetime` says.
    pub(super) async fn over(
        stream: Stream,
        streams_max: usize,
        lifetime: Lifetime,
    ) -> Result<Arc<Self>, Fault> {
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .max_header_list_size(HEAD_BYTES_MAX)
            .initial_max_send_streams(streams_max)
            .handshake(stream)
            .await
            .map_err(|error| exchanging(&error))?;
        let refusal = Arc::new(OnceLock::new());
        let told = Arc::clone(&refusal);
        let driver = tokio::spawn(async move {
            let mut connection = pin!(connection);
            // What ends the connection also ends its streams, which tell why; but not this.
            let Err(error) = connection.as_mut().await else { return };
            let fault = exchanging(&error);
            if fault.unprocessed {
                let _ = told.set(fault);
            }
        });
        Ok(Arc::new(Self {
            sender,
            driver: driver.abort_handle(),
            refusal,
            lifetime,
            begun: AtomicU32::new(0),
            cut_off: AtomicBool::new(false),
        }))
    }

    /// Streams that it carries at once: what the server has said, if that has come.
    pub(super) fn streams_max(&self) -> usize {
        self.sender.current_max_send_streams().clamp(1, STREAMS_MAX)
    }

    /// Whether it can carry streams: it is not broken, its server has not begun to retire it, and answers in time.
    pub(super) fn is_open(&self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        !self.driver.is_finished()
            && !self.cut_off.load(Ordering::Relaxed)
            && matches!(self.sender.clone().poll_ready(&mut nobody), Poll::Ready(Ok(())))
    }

    /// Room for one more request, if there is some. To be asked by one at a time.
    pub(super) fn stream(self: &Arc<Self>) -> Option<Http2Stream> {
        // One holder is whoever keeps the connection, all others are streams.
        let open = Arc::strong_count(self) - 1;
        let begun = self.begun.load(Ordering::Relaxed);
        if open == 0 && begun >= self.lifetime.streams() {
            self.lifetime.forget();
        }
        let has_room = open < self.sender.current_max_send_streams().min(STREAMS_MAX);
        (has_room && begun < self.lifetime.streams()).then(|| {
            self.begun.store(begun + 1, Ordering::Relaxed);
            Http2Stream(Arc::clone(self))
        })
    }
}

/// Marks its connection if it is dropped before the exchange has ended.
struct UnderWay<'c>(Option<&'c Http2>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0 {
            connection.cut_off.store(true, Ordering::Relaxed);
        }
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
        let mut under_way = UnderWay(Some(&self.0));
        let end = self.converse(request, seen, body_bytes_max).await;
        under_way.0 = None;
        end
    }

    /// What `error` is called that ended the exchange.
    fn fault(&self, error: &h2::Error) -> Fault {
        self.0.refusal.get().cloned().unwrap_or_else(|| exchanging(error))
    }

    async fn converse(
        &self,
        request: &Request,
        seen: &mut Seen,
        body_bytes_max: u64,
    ) -> Result<Exchanged, Fault> {
        let mut sender = self.0.sender.clone();
        let (answer, mut stream) = match sender.send_request(built(request)?, request.body.is_empty()) {
            Ok(begun) => begun,
            Err(error) => {
                let fault = self.fault(&error);
                // It has ended since there was room on it, and no stream was begun. If it was refused, another one would be as well.
                let is_passed_over = (error.is_go_away() || error.is_io()) && !fault.unprocessed;
                return if is_passed_over { Ok(Exchanged::LeftAlone) } else { Err(fault) };
            }
        };
        let id = answer.stream_id().as_u32();
        let answer = async {
            if !request.body.is_empty() {
                stream.send_data(request.body.clone(), true)?;
            }
            answer.await
        };
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(error) if is_beyond_the_last(&error) => {
                if error.reason() != Some(Reason::NO_ERROR) {
                    let fault = Fault::new(ErrorKind::Connect, exchanging(&error).detail);
                    return Err(fault.before_the_request());
                }
                self.0.lifetime.ended_before(id);
                return Ok(Exchanged::LeftAlone);
            }
            Err(error) if is_refused(&error) => return Ok(Exchanged::Refused),
            Err(error) => return Err(self.fault(&error)),
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

/// Whether the server gave its connection up, with whatever reason, and named a stream before this one as the last that it has looked at. The library tells no other
/// streams of it: those up to the last one end as they end.
pub(super) fn is_beyond_the_last(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote()
}

/// Whether the server refused the stream.
pub(super) fn is_refused(error: &h2::Error) -> bool {
    error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM)
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
