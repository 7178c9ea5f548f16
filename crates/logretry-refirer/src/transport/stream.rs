use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio_rustls::client::TlsStream;

use crate::fault::links;

/// Whether the other end has closed the connection, as the end of a writing tells.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// What HTTP is spoken over.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// TLS with the server through the stream to a proxy.
    Tunnelled(Box<TlsStream<Stream>>),
}

impl Stream {
    /// Whether the server chose HTTP/2 in the handshake.
    pub(super) fn chose_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
            Self::Tunnelled(tls) => tls.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// Reads what is there. Nobody is woken when more comes.
    pub(super) fn read_now(&mut self, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        // To wait for nothing takes a lock, which a plain stream does without.
        if let Self::Plain(tcp) = self {
            return match tcp.try_read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                read => Poll::Ready(read),
            };
        }
        let mut buffer = ReadBuf::new(bytes);
        let read = poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, &mut buffer));
        // Unconstrained: tokio would otherwise now and then pretend that nothing is there.
        let read = pin!(unconstrained(read)).poll(&mut Context::from_waker(Waker::noop()));
        read.map_ok(|()| buffer.filled().len())
    }

    /// The end of writing. A server that breaks TLS off says why and closes, and then writing may fail before that has been read: it is the better reason.
    fn explained<T>(&mut self, cx: &mut Context<'_>, end: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match (&end, &*self) {
            (Poll::Ready(Err(error)), Self::Tls(_) | Self::Tunnelled(_)) if is_gone(error) => {}
            _ => return end,
        }
        // With no room, so that an answer that is there is left to whoever reads.
        match Pin::new(self).poll_read(cx, &mut ReadBuf::new(&mut [])) {
            // What can be read of a connection that is gone is there, but the runtime has not heard of it yet; then this is asked again.
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(why)) if links(&why).any(<dyn std::error::Error>::is::<rustls::Error>) => {
                Poll::Ready(Err(why))
            }
            Poll::Ready(_) => end,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
            Self::Tunnelled(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let end = match this {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
            Self::Tunnelled(tls) => Pin::new(tls).poll_write(cx, bytes),
        };
        this.explained(cx, end)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let end = match (&mut *this, pieces) {
            // A request without a body: the system takes one piece for less than a list of one.
            (Self::Plain(tcp), [piece]) => Pin::new(tcp).poll_write(cx, piece),
            (Self::Plain(tcp), pieces) => Pin::new(tcp).poll_write_vectored(cx, pieces),
            (Self::Tls(tls), pieces) => Pin::new(tls).poll_write_vectored(cx, pieces),
            (Self::Tunnelled(tls), pieces) => Pin::new(tls).poll_write_vectored(cx, pieces),
        };
        this.explained(cx, end)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
            Self::Tunnelled(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let end = match this {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Self::Tunnelled(tls) => Pin::new(tls).poll_flush(cx),
        };
        this.explained(cx, end)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Tunnelled(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// A stream from which no more is read than a number says, which somebody else sets.
#[derive(Debug)]
pub(super) struct Measured<S> {
    stream: S,
    rest: Arc<AtomicU64>,
}

impl<S> Measured<S> {
    pub(super) fn new(stream: S, rest: Arc<AtomicU64>) -> Self {
        Self { stream, rest }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Measured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.rest.load(Ordering::Relaxed);
        if rest == 0 {
            let error = io::Error::new(io::ErrorKind::InvalidData, "interim answers (1xx) without an end");
            return Poll::Ready(Err(error));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let length = u64::try_from(buffer.filled().len() - before).unwrap_or(u64::MAX);
        self.rest.store(rest.saturating_sub(length), Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Measured<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
