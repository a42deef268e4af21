//! yamux with resets that differ from clean ends, and with an eye on connections that fell silent.
//!
//! The yamux crate reads "end" after a reset or a lost connection as after a clean end, and sends a clean
//! end for a stream that is given up after the peer's end. Both would pass off a torn stream as a complete
//! one. And it says nothing about a stream that is given up after our own end, so that the peer goes on
//! writing to nobody. So a filter between yamux and the encrypted connection notes the ends and resets that
//! arrive, by stream number, turns the end of a stream that was given up into a reset, and sends the resets
//! that yamux leaves out. It also ends a connection on which nothing is heard any more.

mod known;
mod silence;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{ready, Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use futures::TryFutureExt;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::yamux;

use known::{Cursor, Header, Known, HEADER_BYTES};
pub use silence::ping_interval;
use silence::Silence;

type Shared = Arc<Mutex<Known>>;

thread_local! {
    static TEARING: Cell<bool> = const { Cell::new(false) };
}

/// Drops a stream so that the peer sees a reset unless both directions have ended. (The layers above
/// yamux have no call for this; a plain drop would read as a clean end there, or as nothing.)
pub fn tear_down(stream: libp2p::Stream) {
    drop_torn(stream);
}

fn drop_torn<S>(stream: S) {
    TEARING.set(true);
    drop(stream);
    TEARING.set(false);
}

fn lock(shared: &Shared) -> MutexGuard<'_, Known> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A header of which this many bytes are written.
type Begun = (Header, usize);

/// The connection below yamux.
pub struct Filter<C> {
    inner: C,
    shared: Shared,
    incoming: Cursor,
    outgoing: Cursor,
    /// A frame of yamux with a changed header.
    patched: Option<Begun>,
    /// A reset of our own.
    reset: Option<Begun>,
    silence: Silence,
    /// The last write found no room.
    stalled: bool,
}

impl<C: AsyncWrite + Unpin> Filter<C> {
    /// yamux does not read while an answer of its own waits to be written, so silence is looked for here
    /// as well. Room after a stall is a sign of life: the peer has taken bytes.
    fn write_inner(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.inner).poll_write(cx, bytes) {
            if std::mem::take(&mut self.stalled) {
                self.silence.heard();
            }
            return Poll::Ready(result);
        }
        self.stalled = true;
        self.silence.poll(cx).map(Err)
    }

    fn write_header(&mut self, cx: &mut Context<'_>, (header, written): Begun) -> Poll<io::Result<usize>> {
        match ready!(self.write_inner(cx, &header.0[written..]))? {
            0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => Poll::Ready(Ok(count)),
        }
    }

    /// Writes the resets that are due, if no frame of yamux is half written.
    fn write_resets(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.reset.is_none() && self.patched.is_none() && self.outgoing.between_frames() {
                self.reset = lock(&self.shared).next_reset().map(|header| (header, 0));
            }
            let Some(reset) = self.reset else { return Poll::Ready(Ok(())) };
            let count = ready!(self.write_header(cx, reset))?;
            self.reset = rest_of(reset, count);
        }
    }
}

fn rest_of((header, written): Begun, count: usize) -> Option<Begun> {
    (written + count < HEADER_BYTES).then_some((header, written + count))
}

impl<C: AsyncRead + Unpin> AsyncRead for Filter<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        // What is there comes before the look at the clock, which may have gone on while we were stopped.
        let Poll::Ready(result) = Pin::new(&mut this.inner).poll_read(cx, buffer) else {
            return this.silence.poll(cx).map(Err);
        };
        let count = result?;
        this.silence.heard();
        let shared = &this.shared;
        this.incoming.pass(&buffer[..count], |header| lock_if_news(shared, header, Known::on_read));
        Poll::Ready(Ok(count))
    }
}

/// Most frames change nothing that is known, and must not pay for the lock.
fn lock_if_news(shared: &Shared, header: &Header, note: fn(&mut Known, &Header)) {
    if header.is_news() {
        note(&mut lock(shared), header);
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Filter<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.write_resets(cx))?;
        if this.patched.is_none() && this.outgoing.between_frames() {
            if let Some(header) = buffer.first_chunk::<HEADER_BYTES>() {
                let header = Header(*header);
                if header.is_news() && lock(&this.shared).turns_to_reset(&header) {
                    this.patched = Some((header.with_reset(), 0));
                }
            }
        }
        let count = match this.patched {
            Some(patched) => {
                let count = ready!(this.write_header(cx, patched))?;
                this.patched = rest_of(patched, count);
                count
            }
            None => ready!(this.write_inner(cx, buffer))?,
        };
        let shared = &this.shared;
        this.outgoing.pass(&buffer[..count], |header| lock_if_news(shared, header, Known::on_written));
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = buffers.iter().find(|buffer| !buffer.is_empty()).map_or(&[][..], |buffer| buffer);
        self.poll_write(cx, first)
    }

    /// yamux flushes whenever it is polled, which the drop of a stream brings about. So resets leave soon
    /// also when yamux has nothing to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_resets(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// A yamux stream that tells a clean end from any other, and gives up with a reset.
pub struct Stream {
    inner: yamux::Stream,
    shared: Shared,
    /// Without it every end is taken for a loss.
    id: Option<u32>,
    closed: bool,
}

impl Stream {
    fn new(inner: yamux::Stream, shared: Shared) -> Stream {
        let id = stream_number(&inner);
        if let Some(id) = id {
            lock(&shared).on_stream(id);
        }
        Stream { inner, shared, id, closed: false }
    }
}

/// The number of a stream, which yamux shows in its debug text alone.
fn stream_number(stream: &yamux::Stream) -> Option<u32> {
    let text = format!("{stream:?}");
    let (_, rest) = text.split_once("id: ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

impl Drop for Stream {
    /// The drop of the inner stream comes after this and has the connection polled.
    fn drop(&mut self) {
        if let Some(id) = self.id {
            lock(&self.shared).on_drop(id, self.closed, TEARING.get());
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if count == 0 && !buffer.is_empty() && !self.id.is_some_and(|id| lock(&self.shared).has_ended(id)) {
            let text = "stream reset by the peer or connection lost";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, text)));
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_close(cx))?;
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

/// A yamux connection over a [`Filter`].
pub struct Muxer<C> {
    inner: yamux::Muxer<Filter<C>>,
    shared: Shared,
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> StreamMuxer for Muxer<C> {
    type Substream = Stream;
    type Error = yamux::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, yamux::Error>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(Stream::new(stream, self.shared.clone())))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, yamux::Error>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(Stream::new(stream, self.shared.clone())))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), yamux::Error>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, yamux::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

/// The upgrade that makes a [`Muxer`].
#[derive(Clone)]
pub struct Config {
    pub yamux: yamux::Config,
    /// A connection on which nothing is heard for this long is lost.
    pub silence_max: Duration,
}

impl UpgradeInfo for Config {
    type Info = <yamux::Config as UpgradeInfo>::Info;
    type InfoIter = <yamux::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.yamux.protocol_info()
    }
}

type Upgraded<C> = Pin<Box<dyn std::future::Future<Output = Result<Muxer<C>, io::Error>> + Send>>;

fn filter<C>(inner: C, silence_max: Duration) -> (Filter<C>, Shared) {
    let shared = Shared::default();
    let filter = Filter {
        inner,
        shared: shared.clone(),
        incoming: Cursor::default(),
        outgoing: Cursor::default(),
        patched: None,
        reset: None,
        silence: Silence::new(silence_max),
        stalled: false,
    };
    (filter, shared)
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Upgraded<C>;

    fn upgrade_inbound(self, connection: C, info: Self::Info) -> Self::Future {
        let (filter, shared) = filter(connection, self.silence_max);
        Box::pin(self.yamux.upgrade_inbound(filter, info).map_ok(move |inner| Muxer { inner, shared }))
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Upgraded<C>;

    fn upgrade_outbound(self, connection: C, info: Self::Info) -> Self::Future {
        let (filter, shared) = filter(connection, self.silence_max);
        Box::pin(self.yamux.upgrade_outbound(filter, info).map_ok(move |inner| Muxer { inner, shared }))
    }
}
