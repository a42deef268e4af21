//! What a host is started with, checked.

use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::pnet::PreSharedKey;
use libp2p::swarm::StreamProtocol;
use libp2p::Multiaddr;

use crate::ffi::{Failure, FfiResult};

use super::done::decode_list;

/// The usual [`Config::silence_max`].
pub const SILENCE_MAX: Duration = Duration::from_secs(45);

/// Parameters of the gossip mesh, as named by the gossipsub specification.
#[derive(Clone, Debug)]
pub struct Gossip {
    pub degree: usize,
    pub degree_low: usize,
    pub degree_high: usize,
    pub degree_score: usize,
    pub degree_out: usize,
    pub degree_lazy: usize,
    pub heartbeat: Duration,
    pub history_length: usize,
    pub history_gossip: usize,
    pub duplicate_cache: Duration,
    pub message_max: usize,
    pub ihave_max: usize,
    pub flood_publish: bool,
    pub peer_exchange: bool,
}

/// When this host answers the routing queries of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutingMode {
    Server,
    Client,
    /// While AutoNAT (or `announce`) says that others can reach it.
    WhenReachable,
}

/// The routing table (Kademlia) and the provider records in it.
#[derive(Clone, Debug)]
pub struct Routing {
    pub protocol: StreamProtocol,
    pub mode: RoutingMode,
    /// Keys of which provider records are kept for others; 0: provider records are not spoken.
    pub provider_keys_max: usize,
}

/// How peers find and reach each other beyond plain dialing. All off by default.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// How often the local network is asked for peers.
    pub mdns_interval: Option<Duration>,
    /// Dials and listens through relays; reserves places at them while not reachable directly.
    pub relay_client: bool,
    /// Relays for others while reachable.
    pub relay_server: bool,
    /// Turns relayed connections into direct ones (dcutr).
    pub hole_punching: bool,
    /// Asks others whether they can dial us, first after this delay; also does it for them.
    pub autonat_delay: Option<Duration>,
    /// QUIC v1 beside TCP. Not under a secret: it has no private networks.
    pub quic: bool,
    /// Addresses of private networks count as reachable for others.
    pub private_addresses: bool,
}

#[derive(Clone)]
pub struct Config {
    pub keypair: Keypair,
    pub secret: Option<PreSharedKey>,
    pub agent_version: String,
    pub protocol_version: String,
    /// Announced instead of the listen addresses when not empty.
    pub announce: Vec<Multiaddr>,
    /// Limit of one connection attempt, handshakes included.
    pub handshake_timeout: Duration,
    /// 0: no limit.
    pub connections_max: u32,
    /// Connections without a stream are closed after this; none: they are kept.
    pub idle_timeout: Option<Duration>,
    /// Connections on which nothing is heard for this long, pings included, are lost. (QUIC has its own
    /// limit.)
    pub silence_max: Duration,
    /// None: no gossip is spoken.
    pub gossip: Option<Gossip>,
    pub routing: Routing,
    pub reach: Reach,
}

/// A key in libp2p's PrivateKey protobuf form.
pub fn keypair(bytes: &[u8]) -> FfiResult<Keypair> {
    // The cause could quote key material, so it is left out.
    Keypair::from_protobuf_encoding(bytes)
        .map_err(|_| Failure::invalid("private_key: not a libp2p Ed25519 or RSA private key"))
}

/// Nothing, or 32 bytes.
pub fn secret(bytes: &[u8]) -> FfiResult<Option<PreSharedKey>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key: [u8; 32] =
        bytes.try_into().map_err(|_| Failure::invalid(format!("secret: 32 bytes are needed, not {}", bytes.len())))?;
    Ok(Some(PreSharedKey::new(key)))
}

/// A list (see `decode_list`) of binary multiaddresses.
pub fn addresses(bytes: &[u8], what: &str) -> FfiResult<Vec<Multiaddr>> {
    decode_list(bytes, what)?.into_iter().map(|item| address(item, what)).collect()
}

pub fn address(bytes: &[u8], what: &str) -> FfiResult<Multiaddr> {
    Multiaddr::try_from(bytes.to_vec())
        .map_err(|cause| Failure::invalid(format!("{what}: not a binary multiaddress: {cause}")))
}
