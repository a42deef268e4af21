//! The routing table: finding peers, provider records.

use std::collections::HashSet;
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::kad::{GetClosestPeersError, GetProvidersOk, QueryId, QueryResult, QueryStats, RecordKey};
use libp2p::swarm::{ConnectionId, NetworkBehaviour};
use libp2p::{Multiaddr, PeerId};

use crate::ffi::status;

use super::done::{encode_list, Done};
use super::events::{kind, Event};
use super::reach::is_global;
use super::swarm::{Deadline, State, ADDRESSES_PER_PEER_MAX};

/// Routing queries under way; further ones answer `would_block`.
const QUERIES_PENDING_MAX: usize = 256;

/// What a routing query is for.
pub enum Query {
    Peer(PeerId, Done),
    Provide(RecordKey, Done),
    Providers { key: RecordKey, most: usize, seen: HashSet<PeerId>, done: Done },
}

impl Query {
    /// What it does, for error texts, and its completion.
    fn into_parts(self) -> (String, Done) {
        match self {
            Query::Peer(peer, done) => (format!("looking for {peer}"), done),
            Query::Provide(_, done) => ("telling who provides a block".into(), done),
            Query::Providers { seen, done, .. } => {
                (format!("looking for providers of a block ({} found)", seen.len()), done)
            }
        }
    }
}

impl State {
    /// Addresses nobody else could use stay out of a routing table that others share with us.
    pub fn add_addresses(&mut self, peer: &PeerId, addresses: &[Multiaddr]) {
        for address in addresses.iter().take(ADDRESSES_PER_PEER_MAX) {
            if self.reaching.private_routes || is_global(address) {
                self.swarm.behaviour_mut().kad.add_address(peer, address.clone());
            }
        }
    }

    fn start_query(&mut self, id: QueryId, query: Query, limit: Duration) {
        self.queries.insert(id, query);
        self.set_deadline(limit, Deadline::Query(id));
    }

    /// Whether another query may begin; otherwise `done` has failed.
    fn room(&self, done: Done) -> Option<Done> {
        if self.queries.len() < QUERIES_PENDING_MAX {
            return Some(done);
        }
        done.fail(status::WOULD_BLOCK, "too many routing queries are under way");
        None
    }

    pub fn find_peer(&mut self, peer: PeerId, limit: Duration, done: Done) {
        let Some(done) = self.room(done) else { return };
        let id = self.swarm.behaviour_mut().kad.get_closest_peers(peer);
        self.start_query(id, Query::Peer(peer, done), limit);
    }

    /// Tells the peers nearest to `key` that this peer has the block; done with how many were told.
    pub fn provide(&mut self, key: RecordKey, limit: Duration, done: Done) {
        let Some(done) = self.room(done) else { return };
        if self.swarm.external_addresses().next().is_none() {
            let text = "nothing can be provided: no address under which others reach this peer is known";
            return done.fail(status::UNAVAILABLE, text);
        }
        match self.swarm.behaviour_mut().kad.start_providing(key.clone()) {
            Ok(id) => self.start_query(id, Query::Provide(key, done), limit),
            Err(cause) => done.fail(status::UNAVAILABLE, &format!("nothing can be provided: {cause}")),
        }
    }

    /// Each provider becomes an event; done with how many there were.
    pub fn find_providers(&mut self, key: RecordKey, most: usize, limit: Duration, done: Done) {
        let Some(done) = self.room(done) else { return };
        let id = self.swarm.behaviour_mut().kad.get_providers(key.clone());
        self.start_query(id, Query::Providers { key, most, seen: HashSet::new(), done }, limit);
    }

    /// The addresses of a peer in the routing table and in the queries under way.
    fn routed_addresses(&mut self, peer: PeerId) -> Vec<Multiaddr> {
        let kad = &mut self.swarm.behaviour_mut().kad;
        // What the swarm asks before it dials; the connection number does not matter there.
        let found =
            kad.handle_pending_outbound_connection(ConnectionId::new_unchecked(0), Some(peer), &[], Endpoint::Dialer);
        let mut addresses = found.unwrap_or_default();
        addresses.truncate(ADDRESSES_PER_PEER_MAX);
        addresses
    }

    /// Takes the query out and ends it in the network.
    fn end_query(&mut self, id: &QueryId) -> Option<Query> {
        let query = self.queries.remove(id)?;
        let kad = &mut self.swarm.behaviour_mut().kad;
        if let Some(mut running) = kad.query_mut(id) {
            running.finish();
        }
        // The record was for others; when to tell them again is the owner's affair.
        if let Query::Provide(key, _) = &query {
            kad.stop_providing(key);
        }
        Some(query)
    }

    pub fn query_timed_out(&mut self, id: QueryId) {
        if let Some(query) = self.end_query(&id) {
            let (what, done) = query.into_parts();
            done.fail(status::TIMEOUT, &format!("{what}: timed out"));
        }
    }

    pub fn on_query(&mut self, id: QueryId, result: QueryResult, stats: &QueryStats, last: bool) {
        match result {
            QueryResult::GetClosestPeers(result) => {
                let found = match result {
                    Ok(found) => found.peers,
                    Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                let Some(Query::Peer(wanted, _)) = self.queries.get(&id) else { return };
                let addresses: Vec<_> = found
                    .into_iter()
                    .filter(|info| info.peer_id == *wanted)
                    .flat_map(|info| info.addrs)
                    .take(ADDRESSES_PER_PEER_MAX)
                    .collect();
                if addresses.is_empty() && !last {
                    return;
                }
                let Some(Query::Peer(wanted, done)) = self.end_query(&id) else { return };
                if addresses.is_empty() {
                    done.fail(status::NOT_FOUND, &format!("nobody reachable knows an address of {wanted}"));
                } else {
                    done.ok_with(addresses.len(), &encode_list(&addresses));
                }
            }
            QueryResult::GetProviders(result) => {
                if let Ok(GetProvidersOk::FoundProviders { providers, .. }) = result {
                    self.on_providers(&id, providers);
                }
                if last {
                    self.end_providers(&id);
                }
            }
            QueryResult::StartProviding(result) => {
                let Some(Query::Provide(_, done)) = self.end_query(&id) else { return };
                match result {
                    Err(cause) => done.fail(status::TIMEOUT, &format!("telling who provides a block: {cause}")),
                    Ok(_) if stats.num_successes() == 0 => {
                        done.fail(status::NOT_CONNECTED, "nothing can be provided: nobody of the network answered");
                    }
                    Ok(_) => done.ok_with(stats.num_successes() as usize, &[]),
                }
            }
            _ => {}
        }
    }

    fn on_providers(&mut self, id: &QueryId, providers: HashSet<PeerId>) {
        let own = *self.swarm.local_peer_id();
        for peer in providers {
            let Some(Query::Providers { key, most, seen, .. }) = self.queries.get_mut(id) else { return };
            if peer == own || !seen.insert(peer) {
                continue;
            }
            let (key, enough) = (key.to_vec(), seen.len() >= *most);
            let mut event = Event::of_peer(kind::PROVIDER, &peer);
            event.id = key;
            event.data = encode_list(self.routed_addresses(peer));
            self.events.push(event);
            if enough {
                self.end_providers(id);
            }
        }
    }

    fn end_providers(&mut self, id: &QueryId) {
        if let Some(Query::Providers { seen, done, .. }) = self.end_query(id) {
            done.ok_with(seen.len(), &[]);
        }
    }
}
