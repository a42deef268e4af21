//! One multiplexed stream: pulled reads, whole writes, half close, reset.

use std::future::{poll_fn, Future};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};
use libp2p::{PeerId, Stream};
use tokio::runtime::Handle;

use crate::ffi::{status, Failure};

use super::done::Done;
use super::frames;

struct Inner {
    /// Gone after a reset.
    stream: Option<Stream>,
    read_waker: Option<Waker>,
    write_waker: Option<Waker>,
    write_closed: bool,
}

struct Shared {
    inner: Mutex<Inner>,
    reading: AtomicBool,
    writing: AtomicBool,
    connection: Arc<Connection>,
}

/// What the streams of one connection have in common.
pub struct Connection {
    alive: AtomicBool,
    /// An end that is read is a clean one. (QUIC reads an end also after a half close that failed.)
    sure_ends: bool,
    streams: Mutex<Vec<Weak<Shared>>>,
}

impl Connection {
    pub fn new(sure_ends: bool) -> Self {
        Connection { alive: AtomicBool::new(true), sure_ends, streams: Mutex::default() }
    }

    fn streams(&self) -> MutexGuard<'_, Vec<Weak<Shared>>> {
        self.streams.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn add(&self, stream: Weak<Shared>) {
        let mut streams = self.streams();
        if streams.len() == streams.capacity() {
            streams.retain(|stream| stream.strong_count() > 0);
            // Room for as many again, so that not every further stream has to go through all of them.
            let live = streams.len();
            streams.reserve(live + 1);
        }
        streams.push(stream);
    }

    /// The connection is over: ends what waits on its streams, since the multiplexer wakes nobody when it
    /// is closed by us. May be repeated.
    pub fn end(&self) {
        self.alive.store(false, Ordering::Release);
        let streams = std::mem::take(&mut *self.streams());
        streams.iter().filter_map(Weak::upgrade).for_each(|stream| stream.wake());
    }
}

/// What C holds as `icl_stream`. Dropping it resets the stream unless both directions have ended.
/// One read and one write (or half close) may be in flight at a time.
pub struct StreamHandle {
    shared: Arc<Shared>,
    runtime: Handle,
    remote: PeerId,
}

/// Memory of the C side that stays valid until the operation's callback.
struct Lent {
    ptr: *mut u8,
    len: usize,
}
// SAFETY: the C side promises not to touch the memory until the callback.
unsafe impl Send for Lent {}

fn reset_error(text: impl Into<String>) -> Failure {
    Failure::new(status::RESET, text)
}

fn io_failure(error: io::Error) -> Failure {
    use io::ErrorKind::*;
    match error.kind() {
        // The multiplexer says "write zero" for a stream or connection that is gone.
        WriteZero | BrokenPipe | ConnectionReset | ConnectionAborted | UnexpectedEof | NotConnected => {
            reset_error(format!("stream reset or connection lost: {error}"))
        }
        _ => Failure::new(status::IO, format!("stream: {error}")),
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Failure>> {
        let mut inner = self.lock();
        let Inner { stream, read_waker, write_closed, .. } = &mut *inner;
        let Some(stream) = stream.as_mut() else {
            return Poll::Ready(Err(reset_error("stream was reset")));
        };
        let mut result = Pin::new(&mut *stream).poll_read(cx, buffer);
        if result.is_pending() {
            *read_waker = Some(cx.waker().clone());
            if self.connection.alive.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            // Something may have arrived after the first look and before the connection ended.
            result = Pin::new(&mut *stream).poll_read(cx, buffer);
        }
        match result {
            Poll::Pending => Poll::Ready(Err(reset_error("connection closed"))),
            Poll::Ready(Ok(0)) if !self.connection.sure_ends && self.is_lost(stream, *write_closed) => {
                Poll::Ready(Err(reset_error("stream reset by the peer or connection lost")))
            }
            Poll::Ready(Ok(count)) => Poll::Ready(Ok(count)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(io_failure(error))),
        }
    }

    /// Whether an end that was read is none. While our direction is open, an empty write tells: it fails
    /// unless the end was clean.
    fn is_lost(&self, stream: &mut Stream, write_closed: bool) -> bool {
        if write_closed {
            return !self.connection.alive.load(Ordering::Acquire);
        }
        let mut probe = Context::from_waker(Waker::noop());
        matches!(Pin::new(stream).poll_write(&mut probe, &[]), Poll::Ready(Err(_)))
    }

    fn poll_output<T>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<Result<T, Failure>> {
        let mut inner = self.lock();
        let Some(stream) = inner.stream.as_mut() else {
            return Poll::Ready(Err(reset_error("stream was reset")));
        };
        match poll(Pin::new(stream), cx) {
            Poll::Pending => {
                inner.write_waker = Some(cx.waker().clone());
                if self.connection.alive.load(Ordering::Acquire) {
                    return Poll::Pending;
                }
                Poll::Ready(Err(reset_error("connection closed")))
            }
            Poll::Ready(result) => Poll::Ready(result.map_err(io_failure)),
        }
    }

    async fn write_all(&self, mut data: &[u8]) -> Result<(), Failure> {
        if self.lock().write_closed {
            return Err(Failure::new(status::CLOSED, "stream: our direction is closed already"));
        }
        while !data.is_empty() {
            let count = poll_fn(|cx| self.poll_output(cx, |s, cx| s.poll_write(cx, data))).await?;
            if count == 0 {
                return Err(reset_error("stream takes no more data"));
            }
            data = &data[count..];
        }
        poll_fn(|cx| self.poll_output(cx, |s, cx| s.poll_flush(cx))).await
    }

    async fn close_write(&self) -> Result<(), Failure> {
        poll_fn(|cx| self.poll_output(cx, |s, cx| s.poll_close(cx))).await?;
        self.lock().write_closed = true;
        Ok(())
    }

    /// Marks one direction as busy.
    fn claim(&self, busy: &AtomicBool, text: &str) -> Result<(), Failure> {
        if !busy.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // After a reset the operation in flight may not have noticed yet.
        if self.lock().stream.is_none() {
            return Err(reset_error("stream was reset"));
        }
        Err(Failure::new(status::INVALID, text))
    }

    fn reset(&self) {
        let stream = self.lock().stream.take();
        if let Some(stream) = stream {
            frames::tear_down(stream);
        }
        self.wake();
    }

    /// Has the operations in flight look again.
    fn wake(&self) {
        let mut inner = self.lock();
        let wakers = [inner.read_waker.take(), inner.write_waker.take()];
        drop(inner);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl StreamHandle {
    pub fn new(stream: Stream, remote: PeerId, connection: Arc<Connection>, runtime: Handle) -> Self {
        let inner = Inner { stream: Some(stream), read_waker: None, write_waker: None, write_closed: false };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            reading: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            connection,
        });
        shared.connection.add(Arc::downgrade(&shared));
        StreamHandle { shared, runtime, remote }
    }

    pub fn remote(&self) -> &PeerId {
        &self.remote
    }

    /// Reads at most `len` bytes into `ptr`; the callback gets the count, 0 at the clean end.
    ///
    /// # Safety
    /// `ptr` must point to `len` writable bytes until `done` fires.
    pub unsafe fn read(&self, ptr: *mut u8, len: usize, done: Done) {
        if ptr.is_null() || len == 0 {
            return done.fail(status::INVALID, "read: no room given");
        }
        let shared = self.shared.clone();
        if let Err(failure) = shared.claim(&shared.reading, "read: another read is in flight") {
            return done.failure(failure);
        }
        let lent = Lent { ptr, len };
        self.run(async move {
            let lent = lent;
            let buffer = std::slice::from_raw_parts_mut(lent.ptr, lent.len);
            let result = poll_fn(|cx| shared.poll_read(cx, buffer)).await;
            shared.reading.store(false, Ordering::Release);
            match result {
                Ok(count) => done.ok_with(count, &[]),
                Err(failure) => done.failure(failure),
            }
        });
    }

    /// Writes all of it; done means handed to the flow-controlled connection.
    ///
    /// # Safety
    /// `ptr` must point to `len` readable bytes until `done` fires.
    pub unsafe fn write(&self, ptr: *const u8, len: usize, done: Done) {
        if ptr.is_null() && len != 0 {
            return done.fail(status::INVALID, "write: null pointer");
        }
        let shared = self.shared.clone();
        if let Err(failure) = shared.claim(&shared.writing, "write: another write is in flight") {
            return done.failure(failure);
        }
        let lent = Lent { ptr: ptr.cast_mut(), len };
        self.run(async move {
            let lent = lent;
            let data = if lent.len == 0 { &[] } else { std::slice::from_raw_parts(lent.ptr, lent.len) };
            let result = shared.write_all(data).await;
            shared.writing.store(false, Ordering::Release);
            match result {
                Ok(()) => done.ok_with(data.len(), &[]),
                Err(failure) => done.failure(failure),
            }
        });
    }

    /// Ends our direction; counts as a write.
    pub fn close_write(&self, done: Done) {
        let shared = self.shared.clone();
        if let Err(failure) = shared.claim(&shared.writing, "close: a write is in flight") {
            return done.failure(failure);
        }
        self.run(async move {
            let result = shared.close_write().await;
            shared.writing.store(false, Ordering::Release);
            done.result(result);
        });
    }

    /// Ends both directions at once; operations in flight answer `reset`. May be repeated.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Polls once on the caller's thread, which spares two thread changes when nothing has to wait.
    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work = Box::pin(work);
        let mut cx = Context::from_waker(Waker::noop());
        if work.as_mut().poll(&mut cx).is_pending() {
            self.runtime.spawn(work);
        }
    }
}

impl Drop for StreamHandle {
    fn drop(&mut self) {
        self.shared.reset();
    }
}
