//! What happened, waiting for the owner to take it: a bounded queue that C empties.

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use libp2p::swarm::StreamProtocol;
use libp2p::PeerId;
use tokio::sync::Notify;

use super::stream::StreamHandle;

/// The swarm rests while this many events wait.
pub const EVENTS_WAITING_MAX: usize = 4096;
/// The swarm rests while waiting events hold this many bytes.
pub const EVENT_BYTES_WAITING_MAX: usize = 16 << 20;

/// `kind` values of `icl_p2p_event`.
pub mod kind {
    pub const CONNECTED: i32 = 1;
    pub const DISCONNECTED: i32 = 2;
    pub const STREAM: i32 = 3;
    pub const MESSAGE: i32 = 4;
    pub const LISTENING: i32 = 5;
    pub const LISTENING_ENDED: i32 = 6;
    pub const IDENTIFIED: i32 = 7;
    pub const FAILED: i32 = 8;
    pub const DISCOVERED: i32 = 9;
    pub const REACHABILITY: i32 = 10;
    pub const PROVIDER: i32 = 11;
    pub const HOLE_PUNCHED: i32 = 12;
    pub const WARNING: i32 = 13;
}

/// One event; which fields mean what is told in `include/icl_p2p.h`.
#[derive(Default)]
pub struct Event {
    pub kind: i32,
    pub flag: i32,
    pub stream: Option<StreamHandle>,
    pub peer: Vec<u8>,
    pub source: Vec<u8>,
    pub name: Vec<u8>,
    pub data: Vec<u8>,
    pub id: Vec<u8>,
}

impl Event {
    pub fn of_peer(kind: i32, peer: &PeerId) -> Self {
        Event { kind, peer: peer.to_bytes(), ..Event::default() }
    }

    fn size(&self) -> usize {
        self.peer.len() + self.source.len() + self.name.len() + self.data.len() + self.id.len()
    }
}

/// `ready` callback of the owner.
pub type ReadyFn = unsafe extern "C" fn(ctx: *mut c_void);

#[derive(Default)]
struct State {
    waiting: VecDeque<Event>,
    bytes: usize,
    /// Streams that wait, by protocol.
    streams: HashMap<String, usize>,
    /// The owner was told and has not yet seen the queue empty.
    told: bool,
    closed: bool,
}

/// Bounded for what the swarm produces (it rests while [`EventQueue::full`]) and, by protocol, for
/// inbound streams (refused when too many wait). Any thread.
pub struct EventQueue {
    state: Mutex<State>,
    ready: ReadyFn,
    ctx: *mut c_void,
    space: Notify,
    streams_refused: AtomicU64,
}

// SAFETY: the C side promises that `ready` may run on any thread.
unsafe impl Send for EventQueue {}
// SAFETY: as above; everything else is behind the mutex.
unsafe impl Sync for EventQueue {}

impl EventQueue {
    pub fn new(ready: ReadyFn, ctx: *mut c_void) -> Self {
        EventQueue { state: Mutex::default(), ready, ctx, space: Notify::new(), streams_refused: AtomicU64::new(0) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing under this lock can panic half way through a change.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds an event. The caller has seen that the queue is not full, or the event is the last one.
    pub fn push(&self, event: Event) {
        let tell = {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state.bytes += event.size();
            state.waiting.push_back(event);
            !std::mem::replace(&mut state.told, true)
        };
        if tell {
            // SAFETY: the owner keeps callback and context valid until the node has stopped.
            unsafe { (self.ready)(self.ctx) };
        }
    }

    /// Adds an inbound stream unless `limit` streams of its protocol wait already; then the stream is
    /// reset (by being dropped) and counted.
    pub fn push_stream(&self, peer: &PeerId, protocol: &StreamProtocol, stream: StreamHandle, limit: usize) {
        {
            let mut state = self.lock();
            let waiting = state.streams.entry(protocol.to_string()).or_default();
            if *waiting >= limit {
                drop(state);
                self.streams_refused.fetch_add(1, Ordering::Relaxed);
                return;
            }
            *waiting += 1;
        }
        let mut event = Event::of_peer(kind::STREAM, peer);
        event.name = protocol.as_ref().as_bytes().to_vec();
        event.stream = Some(stream);
        self.push(event);
    }

    /// The oldest event; `None` re-arms the `ready` callback.
    pub fn pop(&self) -> Option<Event> {
        let mut state = self.lock();
        let Some(event) = state.waiting.pop_front() else {
            state.told = false;
            return None;
        };
        state.bytes -= event.size();
        if event.stream.is_some() {
            let name = String::from_utf8_lossy(&event.name).into_owned();
            if let Some(waiting) = state.streams.get_mut(&name) {
                *waiting -= 1;
                if *waiting == 0 {
                    state.streams.remove(&name);
                }
            }
        }
        drop(state);
        self.space.notify_one();
        Some(event)
    }

    pub fn full(&self) -> bool {
        let state = self.lock();
        state.waiting.len() >= EVENTS_WAITING_MAX || state.bytes >= EVENT_BYTES_WAITING_MAX
    }

    /// Resolves when something was taken out.
    pub async fn space(&self) {
        self.space.notified().await;
    }

    /// Drops what waits (streams are reset) and refuses what comes.
    pub fn close(&self) {
        let waiting = {
            let mut state = self.lock();
            state.closed = true;
            state.bytes = 0;
            state.streams.clear();
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }

    /// Inbound streams that were reset because too many of their protocol waited.
    pub fn streams_refused(&self) -> u64 {
        self.streams_refused.load(Ordering::Relaxed)
    }
}
