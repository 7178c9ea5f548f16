//! What has happened on a connection, for one who comes late.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::stream::{Stream, is_gone};

/// What has happened since the connection rested, in this order.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Bytes that were written.
    pub(super) sent: Vec<u8>,
    /// Why no more could be written.
    pub(super) broken: Option<io::Error>,
    /// Bytes that were read.
    pub(super) read: Vec<u8>,
    /// What came instead of more of them: the end of the stream, or an error.
    pub(super) end: Option<io::Result<()>>,
}

/// A connection on which everything happens once more to whoever uses it, and goes on from there: what he writes again is not written to the stream a second time, and what was read, he
/// reads when he has written what it answered.
///
/// That more cannot be written to a connection that is gone, he is not told but by reading: a server may have answered before it had read a long request, and closed.
#[derive(Debug)]
pub(super) struct Told {
    stream: Stream,
    story: Story,
    /// Bytes that have been written again.
    repeated: usize,
    /// Bytes that have been read again.
    reread: usize,
    /// Whoever wants to read before he has written.
    waits: Option<Waker>,
}

impl Told {
    pub(super) fn new(stream: Stream, story: Story) -> Self {
        Self { stream, story, repeated: 0, reread: 0, waits: None }
    }

    /// Whether all of the writing has happened again.
    fn has_written(&self) -> bool {
        self.repeated == self.story.sent.len() && self.story.broken.is_none()
    }

    /// Takes a part of `bytes` as written again; none, if the writing goes on from here.
    fn repeat(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        if self.has_written() {
            return None;
        }
        let rest = &self.story.sent[self.repeated..];
        let length = rest.len().min(bytes.len());
        let result = if rest.is_empty() {
            self.story.broken.take().map_or(Ok(0), Err)
        } else if rest[..length] == bytes[..length] {
            self.repeated += length;
            Ok(length)
        } else {
            Err(io::Error::other("the request was begun in other words"))
        };
        if self.has_written() {
            self.waits.take().into_iter().for_each(Waker::wake);
        }
        Some(result)
    }
}

/// The end of writing, unless reading tells it, and perhaps an answer before.
fn unless_gone<T>(end: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    match end {
        Poll::Ready(Err(error)) if is_gone(&error) => Poll::Pending,
        _ => end,
    }
}

impl AsyncRead for Told {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.has_written() {
            self.waits = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let rest = &self.story.read[self.reread..];
        if !rest.is_empty() {
            let length = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..length]);
            self.reread += length;
            return Poll::Ready(Ok(()));
        }
        match self.story.end.take() {
            Some(end) => Poll::Ready(end),
            None => Pin::new(&mut self.stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Told {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.repeat(bytes) {
            Some(result) => Poll::Ready(result),
            None => unless_gone(Pin::new(&mut self.stream).poll_write(cx, bytes)),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = pieces.iter().find(|piece| !piece.is_empty());
        match self.repeat(first.map_or(&[], |piece| piece)) {
            Some(result) => Poll::Ready(result),
            None => unless_gone(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.repeated == self.story.sent.len()
            && self.repeated > 0
            && let Some(result) = self.repeat(&[])
        {
            return Poll::Ready(result.map(drop));
        }
        unless_gone(Pin::new(&mut self.stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection with this story, and its other end.
    async fn told(story: Story) -> (Told, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).await;
        let (server, _) = listener.accept().await.expect("a connection");
        (Told::new(Stream::Plain(stream.expect("a connection")), story), server)
    }

    #[tokio::test]
    async fn what_was_written_is_not_written_again_and_what_was_read_comes_after_it() {
        let (sent, read) = (b"GET /".to_vec(), b"HTTP".to_vec());
        let (told, mut server) = told(Story { sent, read, ..Story::default() }).await;
        let (mut reader, mut writer) = tokio::io::split(told);
        let mut answer = [0; 6];
        let write = async {
            writer.write_all(b"GET / HTTP/1.1").await.expect("it is open");
            let mut heard = [0; 9];
            server.read_exact(&mut heard).await.expect("it is open");
            server.write_all(b"/1").await.expect("it is open");
            heard
        };
        // The reader is asked first.
        let (end, heard) = tokio::join!(reader.read_exact(&mut answer), write);
        end.expect("it is open");
        assert_eq!((&answer, &heard), (b"HTTP/1", b" HTTP/1.1"));
    }

    #[tokio::test]
    async fn an_error_comes_where_it_came() {
        let broken = || Some(io::ErrorKind::BrokenPipe.into());
        let end = || Some(Err(io::ErrorKind::ConnectionReset.into()));
        let (mut told, _server) =
            told(Story { sent: b"GET".to_vec(), broken: broken(), end: end(), ..Story::default() }).await;
        told.write_all(b"GET").await.expect("that much went out");
        assert_eq!(told.flush().await.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        assert_eq!(
            told.read(&mut [0]).await.map_err(|error| error.kind()),
            Err(io::ErrorKind::ConnectionReset)
        );
    }

    /// Who answers before all has been read, and closes, resets the connection; curl shows such an answer too.
    #[tokio::test]
    async fn an_answer_to_a_request_that_cannot_be_written_to_its_end_is_read() {
        let (mut told, mut server) = told(Story::default()).await;
        told.write_all(b"POST / HTTP/1.1").await.expect("it is open");
        server.read_u8().await.expect("a request");
        server.write_all(b"HTTP/1.1 413").await.expect("it is open");
        drop(server);
        for _ in 0..2 {
            let body = told.write_all(b"body");
            assert!(body.now_or_never().is_none(), "it is not told that it is gone");
        }
        let mut answer = [0; 12];
        told.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 413");
        assert!(!matches!(told.read(&mut answer).await, Ok(1..)), "and then the end");
    }

    #[tokio::test]
    async fn nobody_goes_on_in_other_words() {
        let (mut told, _server) = told(Story { sent: b"GET /a".to_vec(), ..Story::default() }).await;
        assert!(told.write_all(b"GET /b").await.is_err());
    }
}
