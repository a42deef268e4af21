//! The behaviour that opens and accepts streams. Opens run in parallel; an accepted stream is never
//! lost without being counted.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::{ready, Ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, Stream, StreamProtocol, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::PeerId;
use tokio::runtime::Handle;

use crate::ffi::{status, Failure, FfiResult};

use super::done::Done;
use super::events::EventQueue;
use super::stream::{Connection, StreamHandle};

/// Opens under way in the whole host; further ones answer `would_block`.
pub const OPENS_PENDING_MAX: usize = 4096;

/// Protocols we accept, with how many streams of each may wait to be taken.
#[derive(Default)]
pub struct Protocols {
    accepted: RwLock<HashMap<StreamProtocol, usize>>,
}

impl Protocols {
    pub fn add(&self, protocol: StreamProtocol, limit: usize) -> FfiResult {
        let mut accepted = self.accepted.write().unwrap_or_else(|e| e.into_inner());
        if accepted.contains_key(&protocol) {
            return Err(Failure::new(status::EXISTS, format!("protocol {protocol}: accepted already")));
        }
        accepted.insert(protocol, limit);
        Ok(())
    }

    pub fn remove(&self, protocol: &StreamProtocol) -> FfiResult {
        let mut accepted = self.accepted.write().unwrap_or_else(|e| e.into_inner());
        accepted
            .remove(protocol)
            .map(|_| ())
            .ok_or_else(|| Failure::new(status::NOT_FOUND, format!("protocol {protocol}: not accepted")))
    }

    fn names(&self) -> Vec<StreamProtocol> {
        self.accepted.read().unwrap_or_else(|e| e.into_inner()).keys().cloned().collect()
    }

    fn limit(&self, protocol: &StreamProtocol) -> usize {
        let accepted = self.accepted.read().unwrap_or_else(|e| e.into_inner());
        accepted.get(protocol).copied().unwrap_or(0)
    }
}

/// Whether a connection made through this address leads through a relay.
pub fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Whether its streams are those of QUIC. A connection through a relay has yamux, however the relay is reached.
fn is_quic(address: &Multiaddr) -> bool {
    !is_relayed(address) && address.iter().any(|part| matches!(part, Protocol::Quic | Protocol::QuicV1))
}

/// A wish for a stream. Reports `not_connected` when it is dropped on the way.
pub struct OpenRequest {
    protocols: Vec<StreamProtocol>,
    timeout: Duration,
    done: Option<Done>,
    pending: Arc<AtomicUsize>,
}

impl OpenRequest {
    fn take(&mut self) -> Option<Done> {
        self.done.take()
    }
}

impl std::fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenRequest({:?})", self.protocols)
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
        if let Some(done) = self.take() {
            done.fail(status::NOT_CONNECTED, "the connection ended before the stream was open");
        }
    }
}

/// See the module. Lives in the swarm; `open` is called from the swarm task.
pub struct Behaviour {
    protocols: Arc<Protocols>,
    events: Arc<EventQueue>,
    runtime: Handle,
    /// Relayed ones first: the last one is used.
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    requests: VecDeque<(PeerId, ConnectionId, OpenRequest)>,
    pending: Arc<AtomicUsize>,
    waker: Option<Waker>,
}

impl Behaviour {
    pub fn new(protocols: Arc<Protocols>, events: Arc<EventQueue>, runtime: Handle) -> Self {
        Behaviour {
            protocols,
            events,
            runtime,
            connections: HashMap::new(),
            requests: VecDeque::new(),
            pending: Arc::default(),
            waker: None,
        }
    }

    /// Opens a stream with the first of `protocols` that the peer speaks.
    pub fn open(&mut self, peer: PeerId, protocols: Vec<StreamProtocol>, timeout: Duration, done: Done) {
        let Some(connection) = self.connections.get(&peer).and_then(|c| c.last()).copied() else {
            return done.fail(status::NOT_CONNECTED, &format!("not connected to {peer}"));
        };
        if self.pending.load(Ordering::Acquire) >= OPENS_PENDING_MAX {
            return done.fail(status::WOULD_BLOCK, "too many streams are being opened");
        }
        self.pending.fetch_add(1, Ordering::AcqRel);
        let request = OpenRequest { protocols, timeout, done: Some(done), pending: self.pending.clone() };
        self.requests.push_back((peer, connection, request));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn handler(&mut self, connection: ConnectionId, peer: PeerId, at: &Multiaddr) -> Handler {
        let connections = self.connections.entry(peer).or_default();
        let place = if is_relayed(at) { 0 } else { connections.len() };
        connections.insert(place, connection);
        Handler {
            peer,
            protocols: self.protocols.clone(),
            events: self.events.clone(),
            runtime: self.runtime.clone(),
            requests: VecDeque::new(),
            connection: Arc::new(Connection::new(!is_quic(at))),
        }
    }

    fn forget(&mut self, peer: &PeerId, connection: ConnectionId) {
        if let Some(connections) = self.connections.get_mut(peer) {
            connections.retain(|known| *known != connection);
            if connections.is_empty() {
                self.connections.remove(peer);
            }
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(connection, peer, local))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        at: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(connection, peer, at))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.forget(&closed.peer_id, closed.connection_id),
            // Another behaviour denied a connection after we had made its handler.
            FromSwarm::DialFailure(failure) => {
                if let Some(peer) = failure.peer_id {
                    self.forget(&peer, failure.connection_id);
                }
            }
            FromSwarm::ListenFailure(failure) => {
                if let Some(peer) = failure.peer_id {
                    self.forget(&peer, failure.connection_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, connection, event)) = self.requests.pop_front() {
            return Poll::Ready(ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::One(connection), event });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// One connection's part of the behaviour.
pub struct Handler {
    peer: PeerId,
    protocols: Arc<Protocols>,
    events: Arc<EventQueue>,
    runtime: Handle,
    requests: VecDeque<OpenRequest>,
    connection: Arc<Connection>,
}

impl Handler {
    fn stream(&self, stream: Stream) -> StreamHandle {
        StreamHandle::new(stream, self.peer, self.connection.clone(), self.runtime.clone())
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.connection.end();
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenRequest;
    type ToBehaviour = Infallible;
    type InboundProtocol = Negotiate;
    type OutboundProtocol = Negotiate;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = OpenRequest;

    fn listen_protocol(&self) -> SubstreamProtocol<Negotiate> {
        SubstreamProtocol::new(Negotiate(self.protocols.names()), ())
    }

    fn on_behaviour_event(&mut self, request: OpenRequest) {
        self.requests.push_back(request);
    }

    /// Comes before the multiplexer is closed, which may take as long as the peer takes to read.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Option<Infallible>> {
        self.connection.end();
        Poll::Ready(None)
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Negotiate, OpenRequest, Infallible>> {
        // The connection is polled again after each request it was given, so no waker is kept.
        match self.requests.pop_front() {
            None => Poll::Pending,
            Some(request) => {
                let upgrade = Negotiate(request.protocols.clone());
                let timeout = request.timeout;
                let protocol = SubstreamProtocol::new(upgrade, request).with_timeout(timeout);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Negotiate, Negotiate, (), OpenRequest>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                let (stream, name) = protocol;
                let limit = self.protocols.limit(&name);
                self.events.push_stream(&self.peer, &name, self.stream(stream), limit);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, mut info }) => {
                let (stream, name) = protocol;
                if let Some(done) = info.take() {
                    done.ok_stream(self.stream(stream), name.as_ref());
                }
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { mut info, error }) => {
                if let Some(done) = info.take() {
                    done.failure(open_failure(&self.peer, &info.protocols, error));
                }
            }
            _ => {}
        }
    }
}

fn open_failure(peer: &PeerId, protocols: &[StreamProtocol], error: StreamUpgradeError<Infallible>) -> Failure {
    let names = protocols.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ");
    match error {
        StreamUpgradeError::Timeout => {
            Failure::new(status::TIMEOUT, format!("opening a stream to {peer} ({names}): timed out"))
        }
        StreamUpgradeError::NegotiationFailed => {
            Failure::new(status::UNSUPPORTED_PROTOCOL, format!("{peer} speaks none of {names}"))
        }
        StreamUpgradeError::Io(cause) => {
            Failure::new(status::RESET, format!("opening a stream to {peer} ({names}): {cause}"))
        }
        StreamUpgradeError::Apply(never) => match never {},
    }
}

/// Agrees on one of the names and hands out the bare stream.
pub struct Negotiate(Vec<StreamProtocol>);

impl UpgradeInfo for Negotiate {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Negotiate {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}

impl OutboundUpgrade<Stream> for Negotiate {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}
