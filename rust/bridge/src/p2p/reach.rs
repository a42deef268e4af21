//! How peers find and reach each other beyond plain dialing: the local network's announcements, whether
//! others can dial us, relays, hole punching.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use libp2p::autonat::v1::{self as autonat, NatStatus};
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::StreamProtocol;
use libp2p::{dcutr, identify, kad, mdns, relay, Multiaddr, PeerId};

use super::config::{Config, RoutingMode};
use super::done::encode_list;
use super::events::{kind, Event};
use super::streams::is_relayed;
use super::swarm::{Deadline, State, ADDRESSES_PER_PEER_MAX};
use super::transport::full_text;

/// Relays at which a place is reserved.
const RELAYS_MAX: usize = 2;
/// Peers of the local network that are remembered while they announce themselves.
const DISCOVERED_MAX: usize = 1024;
/// Relays remembered for when one is needed.
const RELAY_CANDIDATES_MAX: usize = 16;

/// What the swarm task remembers for this.
pub struct Reaching {
    pub routing_protocol: StreamProtocol,
    pub private_addresses: bool,
    /// Addresses of private networks belong into the routing table: a table of the local network (its protocol's
    /// name says so) is made of them.
    pub private_routes: bool,
    server_when_reachable: bool,
    reserve: bool,
    unreachable: bool,
    candidates: Vec<(PeerId, Multiaddr)>,
    reserved: HashMap<ListenerId, PeerId>,
    /// By the announcements of the local network that have not expired.
    discovered: BTreeMap<PeerId, Vec<Multiaddr>>,
}

impl Reaching {
    pub fn new(config: &Config) -> Self {
        Reaching {
            routing_protocol: config.routing.protocol.clone(),
            private_addresses: config.reach.private_addresses,
            private_routes: config.reach.private_addresses || config.routing.protocol.as_ref().contains("/lan/"),
            server_when_reachable: config.routing.mode == RoutingMode::WhenReachable && config.announce.is_empty(),
            reserve: config.reach.relay_client && config.announce.is_empty(),
            unreachable: false,
            candidates: Vec::new(),
            reserved: HashMap::new(),
            discovered: BTreeMap::new(),
        }
    }

    pub fn on_listener_closed(&mut self, listener: &ListenerId) {
        if let Some(relay) = self.reserved.remove(listener) {
            self.candidates.retain(|(peer, _)| *peer != relay);
        }
    }
}

/// Whether others on the internet could use the address. Names count: they are not looked up for this.
pub fn is_global(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || shared || a >= 224)
        }
        Some(Protocol::Ip6(ip)) => ip.segments()[0] & 0xe000 == 0x2000,
        Some(_) => true,
        None => false,
    }
}

impl State {
    pub fn start_mdns(&mut self, config: &Config) {
        let Some(query_interval) = config.reach.mdns_interval else { return };
        let settings = mdns::Config { query_interval, ..mdns::Config::default() };
        match mdns::tokio::Behaviour::new(settings, *self.swarm.local_peer_id()) {
            Ok(behaviour) => {
                self.swarm.behaviour_mut().mdns = Some(behaviour).into();
                self.set_deadline(query_interval, Deadline::Discovered(query_interval));
            }
            Err(cause) => {
                let text = format!("peers of the local network are not looked for: {}", full_text(&cause));
                self.events.push(Event { kind: kind::WARNING, name: text.into_bytes(), ..Event::default() });
            }
        }
    }

    pub fn on_mdns(&mut self, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(found) => {
                let mut new = BTreeSet::new();
                for (peer, address) in found {
                    let known = &mut self.reaching.discovered;
                    if known.len() >= DISCOVERED_MAX && !known.contains_key(&peer) {
                        continue;
                    }
                    let addresses = known.entry(peer).or_default();
                    if addresses.len() < ADDRESSES_PER_PEER_MAX && !addresses.contains(&address) {
                        addresses.push(address);
                        new.insert(peer);
                    }
                }
                new.into_iter().for_each(|peer| self.tell_discovered(&peer));
            }
            mdns::Event::Expired(gone) => {
                for (peer, address) in gone {
                    let Entry::Occupied(mut entry) = self.reaching.discovered.entry(peer) else { continue };
                    entry.get_mut().retain(|known| *known != address);
                    if entry.get().is_empty() {
                        entry.remove();
                    }
                }
            }
        }
    }

    fn tell_discovered(&self, peer: &PeerId) {
        let Some(addresses) = self.reaching.discovered.get(peer) else { return };
        let mut event = Event::of_peer(kind::DISCOVERED, peer);
        event.data = encode_list(addresses);
        self.events.push(event);
    }

    /// An announcement is reported once in its life, however often it is repeated. Who could not be connected
    /// then, or was lost since, is told again at the pace of the queries.
    pub fn tell_discovered_again(&mut self, interval: Duration) {
        let apart: Vec<_> =
            self.reaching.discovered.keys().filter(|peer| !self.swarm.is_connected(peer)).copied().collect();
        apart.iter().for_each(|peer| self.tell_discovered(peer));
        self.set_deadline(interval, Deadline::Discovered(interval));
    }

    pub fn on_autonat(&mut self, event: autonat::Event) {
        let autonat::Event::StatusChanged { old, new } = event else { return };
        if let NatStatus::Public(address) = &old {
            self.swarm.remove_external_address(address);
        }
        let mut event = Event { kind: kind::REACHABILITY, ..Event::default() };
        match &new {
            NatStatus::Unknown => {}
            NatStatus::Public(address) => {
                event.flag = 1;
                event.data = address.to_vec();
                self.swarm.add_external_address(address.clone());
            }
            NatStatus::Private => event.flag = 2,
        }
        if self.reaching.server_when_reachable {
            let mode = if new.is_public() { kad::Mode::Server } else { kad::Mode::Client };
            self.swarm.behaviour_mut().kad.set_mode(Some(mode));
        }
        self.events.push(event);
        self.reaching.unreachable = new == NatStatus::Private;
        self.reserve_at_relays();
    }

    /// Remembers a peer that relays for others, at an address that does not itself lead through a relay.
    pub fn on_possible_relay(&mut self, peer: &PeerId, info: &identify::Info) {
        let reaching = &mut self.reaching;
        if !reaching.reserve || !info.protocols.contains(&relay::HOP_PROTOCOL_NAME) {
            return;
        }
        let usable = |address: &&Multiaddr| !is_relayed(address) && (reaching.private_addresses || is_global(address));
        let Some(address) = info.listen_addrs.iter().find(usable) else { return };
        let known = reaching.candidates.iter().any(|(candidate, _)| candidate == peer);
        if known || reaching.candidates.len() >= RELAY_CANDIDATES_MAX {
            return;
        }
        reaching.candidates.push((*peer, address.clone()));
        self.reserve_at_relays();
    }

    /// While nobody can dial us, others reach us through relays. A place that is lost is sought elsewhere
    /// with the next candidate.
    fn reserve_at_relays(&mut self) {
        if !self.reaching.unreachable {
            return;
        }
        for (peer, address) in self.reaching.candidates.clone() {
            if self.reaching.reserved.len() >= RELAYS_MAX {
                return;
            }
            if self.reaching.reserved.values().any(|relay| *relay == peer) {
                continue;
            }
            let mut through = address;
            if through.iter().last() != Some(Protocol::P2p(peer)) {
                through.push(Protocol::P2p(peer));
            }
            through.push(Protocol::P2pCircuit);
            if let Ok(listener) = self.swarm.listen_on(through) {
                self.reaching.reserved.insert(listener, peer);
            }
        }
    }

    pub fn on_hole_punched(&mut self, event: dcutr::Event) {
        let mut out = Event::of_peer(kind::HOLE_PUNCHED, &event.remote_peer_id);
        match event.result {
            Ok(_) => out.flag = 1,
            Err(cause) => out.name = full_text(&cause).into_bytes(),
        }
        self.events.push(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_global_ones() {
        let global = |text: &str| is_global(&text.parse().unwrap());
        for text in ["/ip4/8.8.8.8/tcp/1", "/ip6/2001:4860::1/udp/1/quic-v1", "/dns4/example.com/tcp/1"] {
            assert!(global(text), "{text}");
        }
        for text in [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/10.0.0.1/tcp/1",
            "/ip4/172.16.3.4/tcp/1",
            "/ip4/192.168.0.1/tcp/1",
            "/ip4/169.254.0.1/tcp/1",
            "/ip4/100.64.0.1/tcp/1",
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/224.0.0.1/udp/1",
            "/ip6/::1/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip6/fd00::1/tcp/1",
        ] {
            assert!(!global(text), "{text}");
        }
    }
}
