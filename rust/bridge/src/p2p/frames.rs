//! yamux with resets that are told from clean ends.
//!
//! The yamux crate reads "end" after a reset as after a clean end, and sends a clean end for a stream
//! that is given up after the peer's end. Both would pass off a torn stream as a complete one. So a
//! filter between yamux and the encrypted connection notes the resets that arrive, by stream number,
//! and turns the end of a stream that was given up into a reset.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{ready, Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};
use futures::TryFutureExt;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::yamux;

/// Size of a yamux frame header: version, type, flags (2), stream number (4), length (4).
const HEADER_BYTES: usize = 12;
const TYPE_DATA: u8 = 0;
const FLAG_FIN: u16 = 4;
const FLAG_RST: u16 = 8;

/// What filter and streams of one connection know of each other.
#[derive(Default)]
struct Known {
    /// Live streams; only their resets are noted, so the sets stay as small as the number of streams.
    live: HashSet<u32>,
    /// Resets that arrived for live streams.
    reset: HashSet<u32>,
    /// Streams torn down here: if yamux sends an end for one of them, it becomes a reset.
    given_up: HashSet<u32>,
}

type Shared = Arc<Mutex<Known>>;

thread_local! {
    static TEARING: Cell<bool> = const { Cell::new(false) };
}

/// Drops a stream so that the peer sees a reset even if it has ended its own direction. (The layers
/// above yamux have no call for this; a plain drop would read as a clean end there.)
pub fn tear_down(stream: libp2p::Stream) {
    TEARING.set(true);
    drop(stream);
    TEARING.set(false);
}

fn lock(shared: &Shared) -> MutexGuard<'_, Known> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Follows the frames of one direction through reads or writes of any size.
#[derive(Default)]
struct Cursor {
    header: [u8; HEADER_BYTES],
    filled: usize,
    body_left: usize,
}

impl Cursor {
    /// Takes bytes that passed; calls `on_header` with each whole header.
    fn pass(&mut self, mut bytes: &[u8], mut on_header: impl FnMut(&[u8; HEADER_BYTES])) {
        while !bytes.is_empty() {
            if self.body_left > 0 {
                let count = self.body_left.min(bytes.len());
                self.body_left -= count;
                bytes = &bytes[count..];
                continue;
            }
            let count = (HEADER_BYTES - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
            if self.filled == HEADER_BYTES {
                self.filled = 0;
                if self.header[0] == 0 && self.header[1] == TYPE_DATA {
                    self.body_left = number(&self.header, 8) as usize;
                }
                on_header(&self.header);
            }
        }
    }

    fn at_header(&self) -> bool {
        self.filled == 0 && self.body_left == 0
    }
}

fn number(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn flags(header: &[u8; HEADER_BYTES]) -> u16 {
    u16::from_be_bytes([header[2], header[3]])
}

/// The connection below yamux.
pub struct Filter<C> {
    inner: C,
    shared: Shared,
    incoming: Cursor,
    outgoing: Cursor,
    /// A changed header of which this many bytes are written.
    patched: Option<([u8; HEADER_BYTES], usize)>,
}

impl<C: AsyncRead + Unpin> AsyncRead for Filter<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let count = ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
        let shared = &this.shared;
        this.incoming.pass(&buffer[..count], |header| {
            if flags(header) & FLAG_RST != 0 {
                let mut known = lock(shared);
                let stream = number(header, 4);
                if known.live.contains(&stream) {
                    known.reset.insert(stream);
                }
            }
        });
        Poll::Ready(Ok(count))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Filter<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.patched.is_none() && this.outgoing.at_header() {
            if let Some(header) = buffer.first_chunk::<HEADER_BYTES>() {
                let last = flags(header) & (FLAG_FIN | FLAG_RST) != 0;
                if last && lock(&this.shared).given_up.remove(&number(header, 4)) {
                    let mut changed = *header;
                    changed[2..4].copy_from_slice(&((flags(header) & !FLAG_FIN) | FLAG_RST).to_be_bytes());
                    this.patched = Some((changed, 0));
                }
            }
        }
        let count = match &mut this.patched {
            Some((header, written)) => {
                let count = ready!(Pin::new(&mut this.inner).poll_write(cx, &header[*written..]))?;
                *written += count;
                count
            }
            None => ready!(Pin::new(&mut this.inner).poll_write(cx, buffer))?,
        };
        if matches!(this.patched, Some((_, HEADER_BYTES))) {
            this.patched = None;
        }
        this.outgoing.pass(&buffer[..count], |_| {});
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

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// A yamux stream that tells a reset from an end, and gives up with a reset.
pub struct Stream {
    inner: yamux::Stream,
    shared: Shared,
    id: Option<u32>,
    closed: bool,
}

impl Stream {
    fn new(inner: yamux::Stream, shared: Shared) -> Stream {
        let id = stream_number(&inner);
        if let Some(id) = id {
            lock(&shared).live.insert(id);
        }
        Stream { inner, shared, id, closed: false }
    }

    fn was_reset(&self) -> bool {
        self.id.is_some_and(|id| lock(&self.shared).reset.contains(&id))
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
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut known = lock(&self.shared);
        known.live.remove(&id);
        let over = known.reset.remove(&id) || self.closed;
        if TEARING.get() && !over {
            known.given_up.insert(id);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if count == 0 && !buffer.is_empty() && self.was_reset() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
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
pub struct Config(pub yamux::Config);

impl UpgradeInfo for Config {
    type Info = <yamux::Config as UpgradeInfo>::Info;
    type InfoIter = <yamux::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.protocol_info()
    }
}

type Upgraded<C> = Pin<Box<dyn std::future::Future<Output = Result<Muxer<C>, io::Error>> + Send>>;

fn filter<C>(inner: C) -> (Filter<C>, Shared) {
    let shared = Shared::default();
    let filter = Filter {
        inner,
        shared: shared.clone(),
        incoming: Cursor::default(),
        outgoing: Cursor::default(),
        patched: None,
    };
    (filter, shared)
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Upgraded<C>;

    fn upgrade_inbound(self, connection: C, info: Self::Info) -> Self::Future {
        let (filter, shared) = filter(connection);
        Box::pin(self.0.upgrade_inbound(filter, info).map_ok(move |inner| Muxer { inner, shared }))
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Upgraded<C>;

    fn upgrade_outbound(self, connection: C, info: Self::Info) -> Self::Future {
        let (filter, shared) = filter(connection);
        Box::pin(self.0.upgrade_outbound(filter, info).map_ok(move |inner| Muxer { inner, shared }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_whatever_the_pieces() {
        let mut bytes = Vec::new();
        for (stream, flag, body) in [(1u32, 0u16, 5usize), (2, FLAG_RST, 0), (3, FLAG_FIN, 300)] {
            bytes.extend_from_slice(&[0, TYPE_DATA]);
            bytes.extend_from_slice(&flag.to_be_bytes());
            bytes.extend_from_slice(&stream.to_be_bytes());
            bytes.extend_from_slice(&(body as u32).to_be_bytes());
            bytes.extend(std::iter::repeat_n(0xff, body));
        }
        for size in 1..bytes.len() {
            let mut cursor = Cursor::default();
            let mut seen = Vec::new();
            for piece in bytes.chunks(size) {
                cursor.pass(piece, |header| seen.push((number(header, 4), flags(header))));
            }
            assert_eq!(seen, [(1, 0), (2, FLAG_RST), (3, FLAG_FIN)], "pieces of {size}");
            assert!(cursor.at_header());
        }
    }
}
