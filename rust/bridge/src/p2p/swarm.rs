//! The task that owns the swarm: runs commands, turns swarm events into ours, keeps deadlines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::core::ConnectedPoint;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError, TopicHash};
use libp2p::kad::{self, QueryId};
use libp2p::swarm::behaviour::ConnectionEstablished;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, FromSwarm, NetworkBehaviour, SwarmEvent};
use libp2p::{identify, Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::ffi::{status, Failure};

use super::behaviour::{Behaviour, BehaviourEvent};
use super::config::Config;
use super::done::{encode_list, Done};
use super::events::{kind, Event, EventQueue};
use super::reach::Reaching;
use super::routing::Query;
use super::transport::{dial_failure, full_text, handshake_failed};

/// Dials under way in the whole host; further ones answer `would_block`.
const DIALS_PENDING_MAX: usize = 1024;
/// Addresses of one peer that are taken from its identify message or a routing answer.
pub const ADDRESSES_PER_PEER_MAX: usize = 32;
/// How long a stop waits for connections to close cleanly.
const CLOSE_TIME_MAX: Duration = Duration::from_millis(500);

pub type Command = Box<dyn FnOnce(&mut State) + Send>;

/// What a deadline ends.
pub enum Deadline {
    Dial(PeerId, u64),
    Query(QueryId),
    /// Discovered peers without a connection are told again.
    Discovered(Duration),
}

struct DialWaiter {
    id: u64,
    connection: ConnectionId,
    addresses: Vec<Multiaddr>,
    /// This is the second attempt, from a port of its own.
    from_new_port: bool,
    limit: Duration,
    done: Done,
}

/// Everything the swarm task owns. Commands get it; nothing else does.
pub struct State {
    pub swarm: Swarm<Behaviour>,
    pub events: Arc<EventQueue>,
    pub reaching: Reaching,
    pub queries: HashMap<QueryId, Query>,
    private: bool,
    dials: HashMap<PeerId, Vec<DialWaiter>>,
    dials_count: usize,
    listens: HashMap<ListenerId, Done>,
    deadlines: BTreeMap<(Instant, u64), Deadline>,
    next_id: u64,
}

impl State {
    pub fn new(swarm: Swarm<Behaviour>, events: Arc<EventQueue>, config: &Config) -> Self {
        let mut state = State {
            swarm,
            events,
            reaching: Reaching::new(config),
            queries: HashMap::new(),
            private: config.secret.is_some(),
            dials: HashMap::new(),
            dials_count: 0,
            listens: HashMap::new(),
            deadlines: BTreeMap::new(),
            next_id: 0,
        };
        state.start_mdns(config);
        state
    }

    pub fn set_deadline(&mut self, limit: Duration, what: Deadline) -> u64 {
        self.next_id += 1;
        self.deadlines.insert((Instant::now() + limit, self.next_id), what);
        self.next_id
    }

    pub fn listen(&mut self, address: Multiaddr, done: Done) {
        match self.swarm.listen_on(address.clone()) {
            Ok(listener) => {
                self.listens.insert(listener, done);
            }
            Err(cause) => done.fail(status::IO, &format!("listening on {address}: {}", full_text(&cause))),
        }
    }

    /// Connects unless connected already.
    pub fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, limit: Duration, done: Done) {
        if self.swarm.is_connected(&peer) {
            return done.ok();
        }
        if peer == *self.swarm.local_peer_id() {
            return done.fail(status::INVALID, "dialing: that is this peer itself");
        }
        if self.dials_count >= DIALS_PENDING_MAX {
            return done.fail(status::WOULD_BLOCK, "too many peers are being dialed");
        }
        let known = self.dials.get(&peer).and_then(|waiters| {
            let same = waiters.iter().find(|w| addresses.iter().all(|a| w.addresses.contains(a)));
            same.map(|waiter| (waiter.connection, waiter.from_new_port))
        });
        let (connection, from_new_port) = match known {
            Some(known) => known,
            None => match self.attempt(peer, &addresses, false) {
                Ok(connection) => (connection, false),
                Err(failure) => return done.failure(failure),
            },
        };
        let id = self.set_deadline(limit, Deadline::Dial(peer, self.next_id + 1));
        self.dials_count += 1;
        let waiter = DialWaiter { id, connection, addresses, from_new_port, limit, done };
        self.dials.entry(peer).or_default().push(waiter);
    }

    /// Dials leave from the port we listen on, which hole punching needs, unless a new one is asked for.
    fn attempt(&mut self, peer: PeerId, addresses: &[Multiaddr], from_new_port: bool) -> Result<ConnectionId, Failure> {
        let mut options = DialOpts::peer_id(peer)
            .condition(PeerCondition::Always)
            .addresses(addresses.to_vec())
            .extend_addresses_through_behaviour();
        if from_new_port {
            options = options.allocate_new_port();
        }
        let options = options.build();
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => Ok(connection),
            Err(error) => Err(self.describe(&peer, &error)),
        }
    }

    /// Two peers that dial each other at one moment, both from the ports they listen on, make one TCP
    /// connection of which both believe to be the dialer, and its handshake fails on both sides. So whatever
    /// was reached and not understood is tried once more, from a new port; the deadline stays.
    fn on_dial_failed(&mut self, peer: PeerId, connection: ConnectionId, error: &DialError) {
        let failure = self.describe(&peer, error);
        let Some(waiters) = self.dials.get(&peer) else { return };
        let mut of_this = waiters.iter().filter(|w| w.connection == connection);
        let again = match of_this.next() {
            Some(first) if handshake_failed(error) && !first.from_new_port => {
                let addresses = first.addresses.clone();
                self.attempt(peer, &addresses, true).ok()
            }
            _ => None,
        };
        let Some(next) = again else {
            return self.end_dials(&peer, Some(connection), |waiter| waiter.done.failure(failure.clone()));
        };
        for waiter in self.dials.get_mut(&peer).into_iter().flatten().filter(|w| w.connection == connection) {
            waiter.connection = next;
            waiter.from_new_port = true;
        }
    }

    pub fn open_streams(&mut self) -> &mut super::streams::Behaviour {
        &mut self.swarm.behaviour_mut().streams
    }

    pub fn subscribe(&mut self, topic: &str, done: Done) {
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else { return no_gossip(done) };
        match gossip.subscribe(&IdentTopic::new(topic)) {
            Ok(_) => done.ok(),
            Err(cause) => done.fail(status::PUBLISH_FAILED, &format!("subscribing to {topic}: {cause}")),
        }
    }

    pub fn unsubscribe(&mut self, topic: &str, done: Done) {
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else { return no_gossip(done) };
        gossip.unsubscribe(&IdentTopic::new(topic));
        done.ok();
    }

    /// gossipsub says what we subscribe to once, when a peer's first connection begins. If that one was dead (the peer
    /// was killed and came back before we missed it) or ended with the words on the way, a peer with another connection
    /// never hears them and sends us nothing. So each end of a connection beside another counts as a first beginning.
    fn tell_subscriptions_again(&mut self, peer: PeerId, closed: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else { return };
        gossip.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
            peer_id: peer,
            connection_id: closed,
            endpoint,
            failed_addresses: &[],
            other_established: 0,
        }));
    }

    pub fn publish(&mut self, topic: &str, data: Vec<u8>, done: Done) {
        let size = data.len();
        let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() else { return no_gossip(done) };
        match gossip.publish(TopicHash::from_raw(topic), data) {
            // Nobody to send it to is not a failure: there may be only one of us.
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic) => done.ok(),
            Err(PublishError::AllQueuesFull(peers)) => done
                .fail(status::WOULD_BLOCK, &format!("publishing on {topic}: the queues of all {peers} peers are full")),
            Err(PublishError::MessageTooLarge) => {
                done.fail(status::INVALID, &format!("publishing on {topic}: {size} bytes are too many"))
            }
            Err(cause) => done.fail(status::PUBLISH_FAILED, &format!("publishing on {topic}: {cause}")),
        }
    }

    pub fn verdict(&mut self, id: &MessageId, source: &PeerId, verdict: MessageAcceptance) {
        if let Some(gossip) = self.swarm.behaviour_mut().gossip.as_mut() {
            gossip.report_message_validation_result(id, source, verdict);
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                if num_established.get() == 1 {
                    let mut event = Event::of_peer(kind::CONNECTED, &peer_id);
                    event.flag = endpoint.is_dialer() as i32;
                    event.data = endpoint.get_remote_address().to_vec();
                    self.events.push(event);
                }
                // After the event: who waited for the dial finds the peer among the connected ones.
                self.end_dials(&peer_id, None, |waiter| waiter.done.ok());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                let mut event = Event::of_peer(kind::DISCONNECTED, &peer_id);
                event.data = cause.map(|cause| full_text(&cause)).unwrap_or_default().into_bytes();
                self.events.push(event);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, endpoint, .. } => {
                self.tell_subscriptions_again(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(peer, connection_id, &error);
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.events.push(Event { kind: kind::LISTENING, data: address.to_vec(), ..Event::default() });
                if let Some(done) = self.listens.remove(&listener_id) {
                    done.ok_with(0, address.as_ref());
                }
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.events.push(Event { kind: kind::LISTENING_ENDED, data: address.to_vec(), ..Event::default() });
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                self.reaching.on_listener_closed(&listener_id);
                if let Some(done) = self.listens.remove(&listener_id) {
                    let text = reason.err().map(|cause| full_text(&cause)).unwrap_or_else(|| "closed".into());
                    done.fail(status::IO, &format!("listening: {text}"));
                }
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                let Some(author) = message.source else { return };
                let mut event = Event::of_peer(kind::MESSAGE, &author);
                event.source = propagation_source.to_bytes();
                event.name = message.topic.into_string().into_bytes();
                event.data = message.data;
                event.id = message_id.0;
                self.events.push(event);
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(&peer_id, info)
            }
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, stats, step }) => {
                self.on_query(id, result, &stats, step.last);
            }
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
            BehaviourEvent::Autonat(event) => self.on_autonat(event),
            BehaviourEvent::HolePunching(event) => self.on_hole_punched(event),
            _ => {}
        }
    }

    fn on_identified(&mut self, peer: &PeerId, mut info: identify::Info) {
        info.listen_addrs.truncate(ADDRESSES_PER_PEER_MAX);
        if info.protocols.contains(&self.reaching.routing_protocol) {
            self.add_addresses(peer, &info.listen_addrs);
        }
        self.on_possible_relay(peer, &info);
        let mut event = Event::of_peer(kind::IDENTIFIED, peer);
        event.name = info.agent_version.into_bytes();
        event.data = encode_list(&info.listen_addrs);
        event.id = encode_list(info.protocols.iter().map(|p| p.as_ref()));
        self.events.push(event);
    }

    /// Takes out the waiters for `peer` (only those of one attempt when `connection` is given).
    fn end_dials(&mut self, peer: &PeerId, connection: Option<ConnectionId>, mut end: impl FnMut(DialWaiter)) {
        let Some(waiters) = self.dials.remove(peer) else { return };
        let (ended, kept): (Vec<_>, Vec<_>) =
            waiters.into_iter().partition(|w| connection.is_none_or(|c| w.connection == c));
        if !kept.is_empty() {
            self.dials.insert(*peer, kept);
        }
        self.dials_count -= ended.len();
        ended.into_iter().for_each(&mut end);
    }

    fn describe(&self, peer: &PeerId, error: &DialError) -> Failure {
        match error {
            DialError::Transport(errors) => dial_failure(peer, errors, self.private),
            DialError::NoAddresses => {
                Failure::new(status::DIAL_FAILED, format!("dialing {peer}: no address of it is known"))
            }
            DialError::WrongPeerId { obtained, address } => Failure::new(
                status::DIAL_FAILED,
                format!("dialing {peer}: {address}: another peer answered: {obtained}"),
            ),
            DialError::Denied { cause } => {
                Failure::new(status::DIAL_FAILED, format!("dialing {peer}: refused here: {}", full_text(cause)))
            }
            other => Failure::new(status::DIAL_FAILED, format!("dialing {peer}: {}", full_text(other))),
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.keys().next().map(|(when, _)| *when)
    }

    fn on_deadline(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.deadlines.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Deadline::Dial(peer, id) => self.dial_timed_out(peer, id),
                Deadline::Query(id) => self.query_timed_out(id),
                Deadline::Discovered(interval) => self.tell_discovered_again(interval),
            }
        }
    }

    fn dial_timed_out(&mut self, peer: PeerId, id: u64) {
        let Some(waiters) = self.dials.get_mut(&peer) else { return };
        let Some(at) = waiters.iter().position(|w| w.id == id) else { return };
        let waiter = waiters.remove(at);
        if waiters.is_empty() {
            self.dials.remove(&peer);
        }
        self.dials_count -= 1;
        let tried = waiter.addresses.iter().map(|a| a.to_string()).collect::<Vec<_>>().join(", ");
        let hint = if self.private { " (one that answered and then fell silent has another secret)" } else { "" };
        let text = format!("dialing {peer}: no connection within {} ms to {tried}{hint}", waiter.limit.as_millis());
        waiter.done.fail(status::TIMEOUT, &text);
    }
}

fn no_gossip(done: Done) {
    done.fail(status::UNAVAILABLE, "this host speaks no gossip");
}

/// Runs until `stop` turns true. Commands are taken also while the event queue is full; only what
/// comes from the network waits then.
pub async fn run(mut state: State, mut commands: mpsc::Receiver<Command>, mut stop: watch::Receiver<bool>) {
    let events = state.events.clone();
    loop {
        let deadline = state.next_deadline();
        let wait = async {
            match deadline {
                Some(when) => tokio::time::sleep_until(when).await,
                None => std::future::pending().await,
            }
        };
        let room = !events.full();
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            command = commands.recv() => match command {
                Some(command) => command(&mut state),
                None => break,
            },
            () = wait => state.on_deadline(),
            () = events.space(), if !room => {}
            event = state.swarm.select_next_some(), if room => state.on_event(event),
        }
    }
    close(state).await;
}

/// Says goodbye to every peer, so that what was written still leaves and they see a clean end.
async fn close(mut state: State) {
    let peers: Vec<_> = state.swarm.connected_peers().copied().collect();
    for peer in peers {
        let _ = state.swarm.disconnect_peer_id(peer);
    }
    let ended = async {
        while state.swarm.connected_peers().next().is_some() {
            state.swarm.select_next_some().await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIME_MAX, ended).await;
}
