//! The protocols of a host, put together.

use std::sync::Arc;
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::gossipsub::{self, MessageAuthenticity, MessageId, ValidationMode};
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{autonat, dcutr, identify, kad, mdns, ping, relay};
use tokio::runtime::Handle;

use crate::ffi::{Failure, FfiResult};

use super::config::{Config, Gossip, RoutingMode};
use super::events::EventQueue;
use super::frames::ping_interval;
use super::streams::{self, Protocols};

/// How much of the author's id goes into a message id.
const MESSAGE_ID_AUTHOR_BYTES: usize = 16;
/// Messages that may wait for one slow peer.
const GOSSIP_QUEUE_MAX: usize = 512;
/// Concurrent requests of one routing query.
const KAD_PARALLELISM: usize = 10;
/// AutoNAT asks again after the first delay, but within these.
const AUTONAT_RETRY_MIN: Duration = Duration::from_secs(1);
const AUTONAT_RETRY_MAX: Duration = Duration::from_secs(90);
const KAD_QUERY_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub streams: streams::Behaviour,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub gossip: Toggle<gossipsub::Behaviour>,
    pub kad: kad::Behaviour<MemoryStore>,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
    pub autonat: Toggle<autonat::v1::Behaviour>,
    pub relay_client: Toggle<relay::client::Behaviour>,
    pub relay_server: Toggle<relay::Behaviour>,
    pub hole_punching: Toggle<dcutr::Behaviour>,
}

impl Behaviour {
    /// `relay_client` comes with its transport.
    pub fn new(
        config: &Config,
        relay_client: Option<relay::client::Behaviour>,
        protocols: Arc<Protocols>,
        events: Arc<EventQueue>,
        runtime: Handle,
    ) -> FfiResult<Self> {
        let id = config.keypair.public().to_peer_id();
        let identify = identify::Config::new_with_signed_peer_record(config.protocol_version.clone(), &config.keypair)
            .with_agent_version(config.agent_version.clone())
            .with_push_listen_addr_updates(true)
            .with_hide_listen_addrs(!config.announce.is_empty());
        let most = (config.connections_max != 0).then_some(config.connections_max);
        Ok(Behaviour {
            limits: connection_limits::Behaviour::new(ConnectionLimits::default().with_max_established(most)),
            streams: streams::Behaviour::new(protocols, events, runtime),
            identify: identify::Behaviour::new(identify),
            // Pings only keep the connection from falling silent: the multiplexer ends one that does, see
            // `frames.rs`, so what they answer is of no interest.
            ping: ping::Behaviour::new(ping::Config::new().with_interval(ping_interval(config.silence_max))),
            gossip: config.gossip.as_ref().map(|wanted| gossip(config, wanted)).transpose()?.into(),
            kad: routing(config),
            // It is started by the swarm task, which can tell when that fails.
            mdns: None.into(),
            autonat: config.reach.autonat_delay.map(|delay| autonat(config, delay)).into(),
            relay_client: relay_client.into(),
            relay_server: config.reach.relay_server.then(|| relay::Behaviour::new(id, relay::Config::default())).into(),
            hole_punching: config.reach.hole_punching.then(|| dcutr::Behaviour::new(id)).into(),
        })
    }
}

fn autonat(config: &Config, delay: Duration) -> autonat::v1::Behaviour {
    let settings = autonat::v1::Config {
        boot_delay: delay,
        retry_interval: delay.max(AUTONAT_RETRY_MIN).min(AUTONAT_RETRY_MAX),
        only_global_ips: !config.reach.private_addresses,
        ..autonat::v1::Config::default()
    };
    autonat::v1::Behaviour::new(config.keypair.public().to_peer_id(), settings)
}

fn gossip(config: &Config, wanted: &Gossip) -> FfiResult<gossipsub::Behaviour> {
    let mut builder = gossipsub::ConfigBuilder::default();
    builder
        .mesh_n(wanted.degree)
        .mesh_n_low(wanted.degree_low)
        .mesh_n_high(wanted.degree_high)
        .mesh_outbound_min(wanted.degree_out)
        .retain_scores(wanted.degree_score)
        .gossip_lazy(wanted.degree_lazy)
        .heartbeat_interval(wanted.heartbeat)
        .history_length(wanted.history_length)
        .history_gossip(wanted.history_gossip)
        .duplicate_cache_time(wanted.duplicate_cache)
        .max_transmit_size(wanted.message_max)
        .max_control_messages_sent(wanted.ihave_max)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX)
        .flood_publish(wanted.flood_publish)
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(message_id);
    if wanted.peer_exchange {
        builder.do_px();
    }
    let built = builder.build().map_err(|cause| Failure::invalid(format!("gossip settings: {cause}")))?;
    gossipsub::Behaviour::new(MessageAuthenticity::Signed(config.keypair.clone()), built)
        .map_err(|cause| Failure::invalid(format!("gossip settings: {cause}")))
}

/// The first 16 bytes of the author's id and the sequence number, as the Go peers compute it.
fn message_id(message: &gossipsub::Message) -> MessageId {
    let mut id = Vec::with_capacity(MESSAGE_ID_AUTHOR_BYTES + 8);
    if let Some(author) = &message.source {
        let author = author.to_bytes();
        id.extend_from_slice(&author[..author.len().min(MESSAGE_ID_AUTHOR_BYTES)]);
    }
    id.extend_from_slice(&message.sequence_number.unwrap_or(0).to_be_bytes());
    MessageId::from(id)
}

fn routing(options: &Config) -> kad::Behaviour<MemoryStore> {
    let wanted = &options.routing;
    let id = options.keypair.public().to_peer_id();
    let mut config = kad::Config::new(wanted.protocol.clone());
    if let Some(parallelism) = std::num::NonZeroUsize::new(KAD_PARALLELISM) {
        config.set_parallelism(parallelism);
    }
    config.set_query_timeout(KAD_QUERY_TIMEOUT);
    // Values of others are never kept (we could not check them), provider records only when asked for.
    if wanted.provider_keys_max == 0 {
        config.set_record_filtering(kad::StoreInserts::FilterBoth);
    }
    let store = MemoryStore::with_config(
        id,
        MemoryStoreConfig {
            max_records: 0,
            max_provided_keys: wanted.provider_keys_max,
            ..MemoryStoreConfig::default()
        },
    );
    let mut routing = kad::Behaviour::with_config(id, store, config);
    // A relayed address must not make us a server, so the automatic mode is not used: see `reach.rs`.
    let server = match wanted.mode {
        RoutingMode::Server => true,
        RoutingMode::Client => false,
        RoutingMode::WhenReachable => !options.announce.is_empty(),
    };
    routing.set_mode(Some(if server { kad::Mode::Server } else { kad::Mode::Client }));
    routing
}

#[cfg(test)]
mod tests {
    use libp2p::PeerId;

    use super::*;

    #[test]
    fn message_ids_are_those_of_the_go_peers() {
        let author =
            PeerId::from_bytes(&[&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20][..], &(0u8..32).collect::<Vec<_>>()].concat());
        // Not a valid curve point is fine for an identity multihash.
        let author = author.unwrap();
        let message = gossipsub::Message {
            source: Some(author),
            data: vec![],
            sequence_number: Some(0x0102030405060708),
            topic: gossipsub::TopicHash::from_raw("t"),
        };
        let expected: Vec<u8> =
            [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[1, 2, 3, 4, 5, 6, 7, 8]]
                .concat();
        assert_eq!(message_id(&message).0, expected);
    }
}
