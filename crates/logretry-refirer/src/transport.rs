//! The seam between deciding what to send and how it gets onto the wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use jiff::Timestamp;
use logretry_record::{ErrorKind, RecordId, USER_AGENT_PREFIX};
use tokio::time::Instant;

use crate::Planned;
use crate::fault::Fault;
use crate::retry_after::retry_after;

mod dialer;
mod http1;
mod http2;
mod pool;
mod proxied;
mod race;
mod shared;
mod stream;
mod tunnel;
mod wire;

pub(crate) use wire::Wire;

/// Gets connections, over which requests are sent.
pub(crate) trait Transport: Send + Sync + 'static {
    /// A connection that is ready for one request.
    type Ready: Ready;

    /// Gets a connection for `request`, one that is kept as of `now` or a new one, TLS handshake included. Nothing of the request is sent.
    fn ready(
        &self,
        request: &Request,
        now: Instant,
    ) -> impl Future<Output = Result<Self::Ready, Fault>> + Send;

    /// One of the same kind with connections of its own, for another runtime. None if there cannot be one.
    fn apart(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Sends a request once and reads its answer.
///
/// One call is at most one request that a server looks at: no redirect, no second try, whatever happens; what the protocol proves not to have been looked at is no try.
/// Dropping the future cuts the exchange off.
pub(crate) trait Ready: Send + 'static {
    /// Returns when the answer is whole. What came of it stands in `seen`, also when the future is dropped before its end. The headers of
    /// `request` may be gone then: it is not asked for a second time.
    fn exchange(
        self,
        request: &mut Request,
        seen: &mut Seen,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A request as it goes out.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) planned: Arc<Planned>,
    headers: Headers,
    /// Empty for a request without a body.
    pub(crate) body: Bytes,
}

/// The headers of a request, `Host` among them.
#[derive(Debug)]
enum Headers {
    /// Those that every request has, for the record with this id.
    Own(RecordId),
    All(HeaderMap),
}

/// What has come of an answer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Its status, once its head has come.
    pub(crate) status: Option<u16>,
    /// How long its head asks to leave the host alone.
    pub(crate) retry_after: Option<Duration>,
    /// Bytes of its body.
    pub(crate) bytes: u64,
    /// When it was whole, if anybody has looked at the clock.
    pub(crate) whole: Option<Instant>,
}

impl Seen {
    /// The head has come.
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status.as_u16());
        // RFC 9110 §10.2.3 and RFC 6585 §4: these are the answers in which it means something.
        if matches!(status.as_u16(), 503 | 429 | 300..=399) {
            self.retry_after = retry_after(headers, Timestamp::now());
        }
    }

    /// Counts a piece of the body; an error ends the reading.
    fn body(&mut self, piece: usize, bytes_max: u64) -> Result<(), Fault> {
        self.bytes += piece as u64;
        if self.bytes > bytes_max {
            return Err(Fault::new(
                ErrorKind::BodyLimit,
                format!("more than {bytes_max} bytes; the rest was not read"),
            ));
        }
        Ok(())
    }
}

impl Request {
    /// The request for `planned`, which carries the id of its record to the server's log.
    pub(crate) fn new(planned: Arc<Planned>, id: RecordId, headers: &HeaderMap) -> Self {
        if planned.payload.is_none() && headers.is_empty() {
            return Self { planned, headers: Headers::Own(id), body: Bytes::new() };
        }
        let mut all = HeaderMap::with_capacity(headers.len() + 8);
        // RFC 9110 §7.2: it should stand first.
        all.insert(header::HOST, planned.site.header());
        let body = planned.payload.as_deref().map_or_else(Bytes::new, |payload| {
            all.extend(payload.headers.clone());
            payload.body.clone()
        });
        // RFC 9110 §8.6: such a method says that it has no body. Nobody does it for an empty one.
        if planned.payload.is_some() && body.is_empty() && !planned.method.is_safe() {
            all.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        // What the operator gives counts instead of what was captured.
        headers.keys().for_each(|name| drop(all.remove(name)));
        all.extend(headers.clone());
        add_own(&mut all, id);
        Self { planned, headers: Headers::All(all), body }
    }

    /// The headers, to be changed.
    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        if let Headers::Own(_) = self.headers {
            self.headers = Headers::All(self.headers());
        }
        match &mut self.headers {
            Headers::All(all) => all,
            Headers::Own(_) => unreachable!("they have just been made"),
        }
    }

    /// All headers, in their order.
    fn headers(&self) -> HeaderMap {
        match &self.headers {
            Headers::All(all) => all.clone(),
            Headers::Own(id) => {
                let mut all = HeaderMap::with_capacity(8);
                all.insert(header::HOST, self.planned.site.header());
                add_own(&mut all, *id);
                all
            }
        }
    }
}

/// What every request has besides its `Host`.
fn add_own(headers: &mut HeaderMap, id: RecordId) {
    let agent = HeaderValue::from_bytes(&agent(id)).expect("a version and an id are ASCII");
    headers.insert(header::USER_AGENT, agent);
    // Nothing is decoded here, so a compressed answer would only be a bomb to count.
    headers.entry(header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static(OWN_ENCODING));
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static(OWN_ACCEPT));
}

const OWN_ENCODING: &str = "identity";
const OWN_ACCEPT: &str = "*/*";

const AGENT: &str = concat!("logretry/", env!("CARGO_PKG_VERSION"), " id=");

fn agent(id: RecordId) -> [u8; AGENT.len() + 32] {
    debug_assert!(AGENT.starts_with(USER_AGENT_PREFIX), "it is what the loop guard looks for");
    // Once for every request, so without the formatting machinery.
    let mut agent = [0; AGENT.len() + 32];
    agent[..AGENT.len()].copy_from_slice(AGENT.as_bytes());
    agent[AGENT.len()..].copy_from_slice(&id.digits());
    agent
}

/// What is said when there is no connection in time.
fn not_connected(timeout: Duration) -> Fault {
    Fault::new(ErrorKind::Connect, format!("no connection within {timeout:?}"))
}
