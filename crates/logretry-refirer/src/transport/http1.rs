//! HTTP/1.1: a connection carries one request at a time, and the next one when the answer has been read to its end.
//!
//! # Two ways to read an answer
//!
//! Nearly every answer is small and plain, and comes as a whole: [`bare`] reads such ones, in a tenth of the time that the HTTP library takes for them. Whatever else comes, or does
//! not, is the library's to decide on ([`driven`]): it is [`told`] what has happened on the connection, as if it had been there from the beginning, and keeps it from then on.
//!
//! # Nobody polls a connection that rests
//!
//! While it rests, the sockets of the operating system remember what happens to it, and it is asked when it is taken out.
//!
//! # A server that closes a connection that rests
//!
//! It may do so at any time (RFC 9112 §9.3.1). If that is known before the request is written, another connection is taken; nothing was
//! sent. If the close crosses the request on its way, nobody can tell whether the server has seen it: that is a reset, and it is not sent a
//! second time (RFC 9110 §9.2.2 would allow it for some methods; one intent is one request). To make that rare, connections rest for three quarters of
//! a second at most, which is less than any server lets them, and a method that must not arrive twice (POST, PATCH) gets a new one.

mod bare;
mod driven;
mod told;

use bare::Bare;
use driven::Driven;

use super::stream::Stream;
use super::{Request, Seen};
use crate::fault::Fault;

/// A connection on which nothing is under way.
#[derive(Debug)]
pub(crate) struct Http1(Reader);

/// Who reads the answers.
#[derive(Debug)]
enum Reader {
    Bare(Box<Bare>),
    Driven(Driven),
}

/// What came of an exchange.
#[derive(Debug)]
pub(super) enum Exchanged<C = Http1> {
    /// The answer has been read to its end; the connection can be used again.
    Whole(C),
    /// The answer has been read to its end.
    Last,
    /// The server had closed the connection before anything was written to it.
    NotSent,
}

impl Http1 {
    pub(super) fn over(stream: Stream) -> Self {
        Self(Reader::Bare(Box::new(Bare::new(stream))))
    }

    /// Whether a request can be written to it, as far as the operating system has told.
    pub(super) fn is_open(&mut self) -> bool {
        match &mut self.0 {
            Reader::Bare(bare) => bare.is_open(),
            Reader::Driven(driven) => driven.is_open(),
        }
    }

    /// Sends `request` and reads the answer.
    pub(super) async fn exchange(
        self,
        request: &mut Request,
        seen: &mut Seen,
        body_bytes_max: u64,
    ) -> Result<Exchanged, Fault> {
        let driven = match self.0 {
            Reader::Driven(driven) => driven,
            Reader::Bare(bare) => match bare.exchange(request, seen, body_bytes_max).await {
                Ok(bare) => return Ok(Exchanged::Whole(Self(Reader::Bare(bare)))),
                Err(told) => Driven::over(told).await?,
            },
        };
        Ok(match driven.exchange(request, seen, body_bytes_max).await? {
            Exchanged::Whole(driven) => Exchanged::Whole(Self(Reader::Driven(driven))),
            Exchanged::Last => Exchanged::Last,
            Exchanged::NotSent => Exchanged::NotSent,
        })
    }
}
