//! A host for tests, with blocking calls over the completions the C side would use.

use std::ffi::c_void;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::{Duration, Instant};

use icl_bridge::ffi::{status, Slice};
use icl_bridge::p2p::config::{Config, Gossip, Reach, Routing, RoutingMode, SILENCE_MAX};
use icl_bridge::p2p::done::Done;
use icl_bridge::p2p::events::{kind, Event, EventQueue};
use icl_bridge::p2p::node::Node;
use icl_bridge::p2p::stream::StreamHandle;
use libp2p::gossipsub::{MessageAcceptance, MessageId};
use libp2p::identity::Keypair;
use libp2p::pnet::PreSharedKey;
use libp2p::swarm::StreamProtocol;
use libp2p::{Multiaddr, PeerId};

/// As in the library.
const _: Option<&str> = option_env!("ICL_CONTENT");

pub const LIMIT: Duration = Duration::from_secs(20);
pub const ECHO: StreamProtocol = StreamProtocol::new("/test/echo/1");

/// What a completion reported.
pub struct Outcome {
    pub status: i32,
    pub count: usize,
    pub stream: Option<Box<StreamHandle>>,
    pub detail: Vec<u8>,
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.detail).into_owned()
    }
    pub fn good(self) -> Self {
        assert_eq!(self.status, status::OK, "{}", self.text());
        self
    }
}

pub struct Pending(Receiver<Outcome>);

impl Pending {
    pub fn wait(&self) -> Outcome {
        self.0.recv_timeout(LIMIT).expect("the completion did not fire")
    }
    pub fn still_waiting(&self) -> bool {
        self.0.recv_timeout(Duration::from_millis(200)).is_err()
    }
}

unsafe extern "C" fn completed(ctx: *mut c_void, status: i32, count: usize, stream: *mut StreamHandle, detail: Slice) {
    let sender = Box::from_raw(ctx.cast::<Sender<Outcome>>());
    let stream = (!stream.is_null()).then(|| Box::from_raw(stream));
    let detail = detail.bytes().unwrap().to_vec();
    let _ = sender.send(Outcome { status, count, stream, detail });
}

pub fn done() -> (Done, Pending) {
    let (sender, receiver) = channel();
    (Done::new(completed, Box::into_raw(Box::new(sender)).cast()), Pending(receiver))
}

unsafe extern "C" fn ready(_: *mut c_void) {}

pub struct TestHost {
    pub node: Node,
    pub address: Multiaddr,
}

pub fn config(secret: Option<[u8; 32]>) -> Config {
    Config {
        keypair: Keypair::generate_ed25519(),
        secret: secret.map(PreSharedKey::new),
        agent_version: "test/1".into(),
        protocol_version: String::new(),
        announce: vec![],
        handshake_timeout: Duration::from_secs(5),
        connections_max: 0,
        idle_timeout: None,
        silence_max: SILENCE_MAX,
        routing: Routing {
            protocol: StreamProtocol::new("/ipfs/lan/kad/1.0.0"),
            mode: RoutingMode::Server,
            provider_keys_max: 0,
        },
        reach: Reach { private_addresses: true, ..Reach::default() },
        gossip: Some(Gossip {
            degree: 24,
            degree_low: 20,
            degree_high: 48,
            degree_score: 16,
            degree_out: 8,
            degree_lazy: 24,
            heartbeat: Duration::from_millis(100),
            history_length: 6,
            history_gossip: 2,
            duplicate_cache: Duration::from_secs(1800),
            message_max: 1 << 20,
            ihave_max: 10000,
            flood_publish: false,
            peer_exchange: true,
        }),
    }
}

impl TestHost {
    pub fn start(secret: Option<[u8; 32]>) -> TestHost {
        Self::start_with(config(secret), "/ip4/127.0.0.1/tcp/0")
    }

    pub fn start_with(config: Config, listen: &str) -> TestHost {
        let mut host = Self::start_deaf(config);
        host.address = host.listen(listen.parse().unwrap());
        host
    }

    /// Listens nowhere; its address is empty.
    pub fn start_deaf(config: Config) -> TestHost {
        let node = Node::start(config, EventQueue::new(ready, std::ptr::null_mut())).unwrap();
        TestHost { node, address: Multiaddr::empty() }
    }

    pub fn listen(&self, at: Multiaddr) -> Multiaddr {
        let (done, pending) = done();
        self.node.submit(done, |state, done| state.listen(at, done));
        Multiaddr::try_from(pending.wait().good().detail).unwrap()
    }

    pub fn id(&self) -> PeerId {
        *self.node.id()
    }

    pub fn dial(&self, to: PeerId, at: Multiaddr, limit: Duration) -> Outcome {
        let (done, pending) = done();
        self.node.submit(done, move |state, done| state.dial(to, vec![at], limit, done));
        pending.wait()
    }

    pub fn connect(&self, other: &TestHost) {
        self.dial(other.id(), other.address.clone(), LIMIT).good();
    }

    pub fn begin_open(&self, to: PeerId, protocols: Vec<StreamProtocol>) -> Pending {
        let (done, pending) = done();
        self.node.submit(done, move |state, done| state.open_streams().open(to, protocols, LIMIT, done));
        pending
    }

    pub fn open(&self, to: PeerId) -> Box<StreamHandle> {
        self.begin_open(to, vec![ECHO]).wait().good().stream.unwrap()
    }

    /// The next event that `wanted` accepts; others are dropped.
    pub fn event(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        let until = Instant::now() + LIMIT;
        loop {
            match self.node.events.pop() {
                Some(event) if wanted(&event) => return event,
                Some(_) => {}
                None => {
                    assert!(Instant::now() < until, "the event did not come");
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    pub fn inbound(&self) -> StreamHandle {
        self.event(|event| event.kind == kind::STREAM).stream.unwrap()
    }
}

/// Two connected hosts; the second accepts [`ECHO`].
pub fn pair(secret: Option<[u8; 32]>, waiting_max: usize) -> (TestHost, TestHost) {
    let (a, b) = (TestHost::start(secret), TestHost::start(secret));
    b.node.protocols.add(ECHO, waiting_max).unwrap();
    a.connect(&b);
    (a, b)
}

pub fn write(stream: &StreamHandle, data: &[u8]) -> Outcome {
    let (done, pending) = done();
    unsafe { stream.write(data.as_ptr(), data.len(), done) };
    pending.wait()
}

pub fn read(stream: &StreamHandle, room: usize) -> Result<Vec<u8>, Outcome> {
    let mut buffer = vec![0u8; room];
    let (done, pending) = done();
    unsafe { stream.read(buffer.as_mut_ptr(), buffer.len(), done) };
    let outcome = pending.wait();
    if outcome.status != status::OK {
        return Err(outcome);
    }
    buffer.truncate(outcome.count);
    Ok(buffer)
}

pub fn close_write(stream: &StreamHandle) {
    let (done, pending) = done();
    stream.close_write(done);
    pending.wait().good();
}

pub fn subscribe(host: &TestHost, topic: &'static str) {
    let (done, pending) = done();
    host.node.submit(done, move |state, done| state.subscribe(topic, done));
    pending.wait().good();
}

pub fn publish(host: &TestHost, topic: &'static str, data: Vec<u8>) -> Outcome {
    let (done, pending) = done();
    host.node.submit(done, move |state, done| state.publish(topic, data, done));
    pending.wait()
}

/// Publishes until the other side has heard it: subscriptions travel in their own time.
pub fn gossip(from: &TestHost, to: &TestHost, topic: &'static str, size: usize) {
    for attempt in 0u8..200 {
        publish(from, topic, vec![attempt; size]).good();
        std::thread::sleep(Duration::from_millis(20));
        while let Some(event) = to.node.events.pop() {
            if event.kind == kind::MESSAGE {
                assert_eq!(event.peer, from.id().to_bytes());
                assert_eq!(event.name, topic.as_bytes());
                assert_eq!(event.data.len(), size);
                assert_eq!(event.id.len(), 24);
                assert_eq!(event.id[..16], from.id().to_bytes()[..16]);
                let (id, source) = (MessageId::new(&event.id), from.id());
                to.node.tell(move |state| state.verdict(&id, &source, MessageAcceptance::Accept)).unwrap();
                return;
            }
        }
    }
    panic!("the message did not arrive");
}
