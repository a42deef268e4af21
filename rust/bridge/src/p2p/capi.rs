//! The C entries of `include/icl_p2p.h`. Each unpacks its arguments and calls one method.

use std::ffi::c_void;
use std::time::Duration;

use libp2p::gossipsub::{MessageAcceptance, MessageId};
use libp2p::kad::RecordKey;
use libp2p::swarm::StreamProtocol;
use libp2p::PeerId;

use crate::ffi::{
    guard, guard_status, guard_value, handle_ref, status, Buffer, Failure, FfiResult, Slice, ABI_VERSION,
};

use super::config::{address, addresses, keypair, secret, Config, Gossip, Reach, Routing, RoutingMode, SILENCE_MAX};
use super::done::{decode_list, Done, DoneFn};
use super::events::{Event, EventQueue, ReadyFn};
use super::node::Node;
use super::stream::StreamHandle;
use super::swarm::State;

/// Protocols one open may name.
const PROTOCOLS_PER_OPEN_MAX: usize = 16;
/// Longest key of provider records: a multihash of 64 bytes with its prefix, and some room.
const KEY_BYTES_MAX: usize = 80;
/// Longest topic or protocol name.
const NAME_BYTES_MAX: usize = 1024;

/// Mirrors `icl_p2p_config`.
#[repr(C)]
pub struct RawConfig {
    abi_version: u32,
    struct_size: u32,
    private_key: Slice,
    secret: Slice,
    agent_version: Slice,
    protocol_version: Slice,
    announce: Slice,
    handshake_timeout_ms: u32,
    connections_max: u32,
    gossip_degree: u32,
    gossip_degree_low: u32,
    gossip_degree_high: u32,
    gossip_degree_score: u32,
    gossip_degree_out: u32,
    gossip_degree_lazy: u32,
    gossip_heartbeat_ms: u32,
    gossip_history_length: u32,
    gossip_history_gossip: u32,
    gossip_duplicate_cache_ms: u32,
    gossip_message_max: u32,
    gossip_ihave_max: u32,
    gossip_flood_publish: u32,
    gossip_peer_exchange: u32,
    idle_timeout_ms: u32,
    routing_protocol: Slice,
    routing_mode: u32,
    provider_keys_max: u32,
    mdns_interval_ms: u32,
    autonat_delay_ms: u32,
    relay_client: u32,
    relay_server: u32,
    hole_punching: u32,
    quic: u32,
    private_addresses: u32,
    ready: Option<ReadyFn>,
    ready_ctx: *mut c_void,
}

/// Mirrors `icl_p2p_event`.
#[repr(C)]
pub struct RawEvent {
    kind: i32,
    flag: i32,
    stream: *mut StreamHandle,
    peer: Buffer,
    source: Buffer,
    name: Buffer,
    data: Buffer,
    id: Buffer,
}

impl RawConfig {
    unsafe fn check(&self) -> FfiResult<Config> {
        if self.abi_version != ABI_VERSION || self.struct_size as usize != std::mem::size_of::<RawConfig>() {
            return Err(Failure::invalid(format!(
                "config: made for version {} ({} bytes), the library has version {ABI_VERSION} ({} bytes)",
                self.abi_version,
                self.struct_size,
                std::mem::size_of::<RawConfig>()
            )));
        }
        Ok(Config {
            keypair: keypair(self.private_key.bytes()?)?,
            secret: secret(self.secret.bytes()?)?,
            agent_version: self.agent_version.text("agent_version")?.to_string(),
            protocol_version: self.protocol_version.text("protocol_version")?.to_string(),
            announce: addresses(self.announce.bytes()?, "announce")?,
            handshake_timeout: millis(self.handshake_timeout_ms, "handshake_timeout_ms")?,
            connections_max: self.connections_max,
            idle_timeout: some_millis(self.idle_timeout_ms),
            silence_max: SILENCE_MAX,
            gossip: self.gossip()?,
            routing: Routing {
                protocol: protocol(name(self.routing_protocol, "routing_protocol")?)?,
                mode: match self.routing_mode {
                    0 => RoutingMode::Server,
                    1 => RoutingMode::Client,
                    2 => RoutingMode::WhenReachable,
                    other => return Err(Failure::invalid(format!("routing_mode: {other} is none"))),
                },
                provider_keys_max: self.provider_keys_max as usize,
            },
            reach: Reach {
                mdns_interval: some_millis(self.mdns_interval_ms),
                relay_client: self.relay_client != 0,
                relay_server: self.relay_server != 0,
                hole_punching: self.hole_punching != 0,
                autonat_delay: some_millis(self.autonat_delay_ms),
                quic: self.quic != 0,
                private_addresses: self.private_addresses != 0,
            },
        })
    }

    fn gossip(&self) -> FfiResult<Option<Gossip>> {
        if self.gossip_degree == 0 {
            return Ok(None);
        }
        Ok(Some(Gossip {
            degree: self.gossip_degree as usize,
            degree_low: self.gossip_degree_low as usize,
            degree_high: self.gossip_degree_high as usize,
            degree_score: self.gossip_degree_score as usize,
            degree_out: self.gossip_degree_out as usize,
            degree_lazy: self.gossip_degree_lazy as usize,
            heartbeat: millis(self.gossip_heartbeat_ms, "gossip_heartbeat_ms")?,
            history_length: self.gossip_history_length as usize,
            history_gossip: self.gossip_history_gossip as usize,
            duplicate_cache: millis(self.gossip_duplicate_cache_ms, "gossip_duplicate_cache_ms")?,
            message_max: self.gossip_message_max as usize,
            ihave_max: self.gossip_ihave_max as usize,
            flood_publish: self.gossip_flood_publish != 0,
            peer_exchange: self.gossip_peer_exchange != 0,
        }))
    }
}

/// 0 means none.
fn some_millis(value: u32) -> Option<Duration> {
    (value != 0).then(|| Duration::from_millis(value.into()))
}

fn millis(value: u32, what: &str) -> FfiResult<Duration> {
    if value == 0 {
        return Err(Failure::invalid(format!("{what}: must not be 0")));
    }
    Ok(Duration::from_millis(value.into()))
}

unsafe fn peer(bytes: Slice) -> FfiResult<PeerId> {
    PeerId::from_bytes(bytes.bytes()?).map_err(|cause| Failure::invalid(format!("peer: not a peer id: {cause}")))
}

/// The key of provider records: a multihash, which is not looked into.
unsafe fn record_key(bytes: Slice) -> FfiResult<RecordKey> {
    let bytes = bytes.bytes()?;
    if bytes.is_empty() || bytes.len() > KEY_BYTES_MAX {
        return Err(Failure::invalid(format!("key: 1 to {KEY_BYTES_MAX} bytes are needed")));
    }
    Ok(RecordKey::new(&bytes))
}

unsafe fn name<'a>(text: Slice, what: &str) -> FfiResult<&'a str> {
    let text = text.text(what)?;
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(Failure::invalid(format!("{what}: 1 to {NAME_BYTES_MAX} bytes are needed")));
    }
    Ok(text)
}

fn protocol(text: &str) -> FfiResult<StreamProtocol> {
    StreamProtocol::try_from_owned(text.to_string())
        .map_err(|cause| Failure::invalid(format!("protocol {text:?}: {cause}")))
}

unsafe fn protocols(list: Slice) -> FfiResult<Vec<StreamProtocol>> {
    let items = decode_list(list.bytes()?, "protocols")?;
    if items.is_empty() || items.len() > PROTOCOLS_PER_OPEN_MAX {
        return Err(Failure::invalid(format!("protocols: 1 to {PROTOCOLS_PER_OPEN_MAX} are needed")));
    }
    items.into_iter().map(|item| protocol(name(Slice::of(item), "protocol")?)).collect()
}

/// Runs `body` with the completion; an early failure or a panic still fires it exactly once.
unsafe fn with_done(callback: Option<DoneFn>, ctx: *mut c_void, body: impl FnOnce(&mut Option<Done>) -> FfiResult) {
    let Some(callback) = callback else { return };
    let mut done = Some(Done::new(callback, ctx));
    let mut failure = None;
    guard(|| {
        let result = body(&mut done);
        failure = result.as_ref().err().cloned();
        result
    });
    if let (Some(done), Some(failure)) = (done.take(), failure) {
        done.failure(failure);
    }
}

/// The completion, once every argument has been found good.
fn take(done: &mut Option<Done>) -> FfiResult<Done> {
    done.take().ok_or_else(|| Failure::new(status::PANIC, "completion used twice"))
}

/// # Safety
/// `config` must point to a filled struct whose slices are readable; `out` to a writable pointer.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_start(config: *const RawConfig, out: *mut *mut Node) -> i32 {
    guard(|| {
        let config = config.as_ref().ok_or_else(|| Failure::invalid("config: null"))?;
        let out = out.as_mut().ok_or_else(|| Failure::invalid("out: null"))?;
        let checked = config.check()?;
        let ready = config.ready.ok_or_else(|| Failure::invalid("ready: null"))?;
        let node = Node::start(checked, EventQueue::new(ready, config.ready_ctx))?;
        *out = Box::into_raw(Box::new(node));
        Ok(())
    })
}

/// # Safety
/// `node` must come from `icl_p2p_start`; not from a callback.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_stop(node: *const Node) -> i32 {
    guard(|| {
        handle_ref(node, "node")?.stop();
        Ok(())
    })
}

/// # Safety
/// `node` must be null or come from `icl_p2p_start`, and not be used afterwards.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_free(node: *mut Node) {
    guard(|| {
        if !node.is_null() {
            drop(Box::from_raw(node));
        }
        Ok(())
    });
}

/// # Safety
/// `node` must be a live handle; `out` writable.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_id(node: *const Node, out: *mut Buffer) -> i32 {
    guard(|| {
        let out = out.as_mut().ok_or_else(|| Failure::invalid("out: null"))?;
        *out = handle_ref(node, "node")?.id().to_bytes().into();
        Ok(())
    })
}

/// # Safety
/// `node` must be a live handle; `out` writable. Returns 1 with an event, 0 without.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_next_event(node: *const Node, out: *mut RawEvent) -> i32 {
    guard_status(|| {
        let out = out.as_mut().ok_or_else(|| Failure::invalid("out: null"))?;
        let Some(event) = handle_ref(node, "node")?.events.pop() else { return Ok(0) };
        let Event { kind, flag, stream, peer, source, name, data, id } = event;
        *out = RawEvent {
            kind,
            flag,
            stream: stream.map_or(std::ptr::null_mut(), |stream| Box::into_raw(Box::new(stream))),
            peer: peer.into(),
            source: source.into(),
            name: name.into(),
            data: data.into(),
            id: id.into(),
        };
        Ok(1)
    })
}

/// # Safety
/// `node` must be a live handle.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_streams_refused(node: *const Node) -> u64 {
    guard_value(0, || Ok(handle_ref(node, "node")?.events.streams_refused()))
}

/// # Safety
/// As told in the header; slices readable during the call, `callback` and `ctx` valid until it fired.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_listen(node: *const Node, at: Slice, callback: Option<DoneFn>, ctx: *mut c_void) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let at = address(at.bytes()?, "address")?;
        node.submit(take(done)?, move |state, done| state.listen(at, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_dial(
    node: *const Node,
    to: Slice,
    at: Slice,
    timeout_ms: u32,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let (to, at) = (peer(to)?, addresses(at.bytes()?, "addresses")?);
        let limit = millis(timeout_ms, "timeout_ms")?;
        node.submit(take(done)?, move |state, done| state.dial(to, at, limit, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_disconnect(node: *const Node, from: Slice) -> i32 {
    guard(|| {
        let from = peer(from)?;
        handle_ref(node, "node")?.tell(move |state| {
            // Not connected is what was wanted.
            let _ = state.swarm.disconnect_peer_id(from);
        })
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_add_addresses(node: *const Node, of: Slice, at: Slice) -> i32 {
    guard(|| {
        let (of, at) = (peer(of)?, addresses(at.bytes()?, "addresses")?);
        handle_ref(node, "node")?.tell(move |state| state.add_addresses(&of, &at))
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_find_peer(
    node: *const Node,
    wanted: Slice,
    timeout_ms: u32,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let wanted = peer(wanted)?;
        let limit = millis(timeout_ms, "timeout_ms")?;
        node.submit(take(done)?, move |state, done| state.find_peer(wanted, limit, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_provide(
    node: *const Node,
    key: Slice,
    timeout_ms: u32,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let key = record_key(key)?;
        let limit = millis(timeout_ms, "timeout_ms")?;
        node.submit(take(done)?, move |state, done| state.provide(key, limit, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_find_providers(
    node: *const Node,
    key: Slice,
    providers_max: u32,
    timeout_ms: u32,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let key = record_key(key)?;
        let limit = millis(timeout_ms, "timeout_ms")?;
        node.submit(take(done)?, move |state, done| state.find_providers(key, providers_max as usize, limit, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_accept(node: *const Node, text: Slice, waiting_max: u32) -> i32 {
    guard(|| {
        let node = handle_ref(node, "node")?;
        node.protocols.add(protocol(name(text, "protocol")?)?, waiting_max as usize)
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_unaccept(node: *const Node, text: Slice) -> i32 {
    guard(|| {
        let node = handle_ref(node, "node")?;
        node.protocols.remove(&protocol(name(text, "protocol")?)?)
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_open(
    node: *const Node,
    to: Slice,
    wanted: Slice,
    timeout_ms: u32,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let (to, wanted) = (peer(to)?, protocols(wanted)?);
        let limit = millis(timeout_ms, "timeout_ms")?;
        node.submit(take(done)?, move |state, done| state.open_streams().open(to, wanted, limit, done));
        Ok(())
    })
}

unsafe fn with_topic(
    node: *const Node,
    topic: Slice,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
    action: fn(&mut State, &str, Done),
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let topic = name(topic, "topic")?.to_string();
        node.submit(take(done)?, move |state, done| action(state, &topic, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_subscribe(
    node: *const Node,
    topic: Slice,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_topic(node, topic, callback, ctx, State::subscribe);
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_unsubscribe(
    node: *const Node,
    topic: Slice,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_topic(node, topic, callback, ctx, State::unsubscribe);
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_publish(
    node: *const Node,
    topic: Slice,
    data: Slice,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let node = handle_ref(node, "node")?;
        let topic = name(topic, "topic")?.to_string();
        let data = data.bytes()?.to_vec();
        node.submit(take(done)?, move |state, done| state.publish(&topic, data, done));
        Ok(())
    })
}

/// # Safety
/// As for `icl_p2p_listen`.
#[no_mangle]
pub unsafe extern "C" fn icl_p2p_verdict(node: *const Node, id: Slice, source: Slice, verdict: i32) -> i32 {
    guard(|| {
        let node = handle_ref(node, "node")?;
        let id = MessageId::new(id.bytes()?);
        let source = peer(source)?;
        let verdict = match verdict {
            0 => MessageAcceptance::Accept,
            1 => MessageAcceptance::Reject,
            2 => MessageAcceptance::Ignore,
            other => return Err(Failure::invalid(format!("verdict: {other} is none"))),
        };
        node.tell(move |state| state.verdict(&id, &source, verdict))
    })
}

/// # Safety
/// `stream` must be a live handle; `out` must have room for `cap` bytes until the callback.
#[no_mangle]
pub unsafe extern "C" fn icl_stream_read(
    stream: *const StreamHandle,
    out: *mut u8,
    cap: usize,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let stream = handle_ref(stream, "stream")?;
        stream.read(out, cap, take(done)?);
        Ok(())
    })
}

/// # Safety
/// `stream` must be a live handle; `data` must stay readable until the callback.
#[no_mangle]
pub unsafe extern "C" fn icl_stream_write(
    stream: *const StreamHandle,
    data: *const u8,
    len: usize,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let stream = handle_ref(stream, "stream")?;
        stream.write(data, len, take(done)?);
        Ok(())
    })
}

/// # Safety
/// `stream` must be a live handle.
#[no_mangle]
pub unsafe extern "C" fn icl_stream_close_write(
    stream: *const StreamHandle,
    callback: Option<DoneFn>,
    ctx: *mut c_void,
) {
    with_done(callback, ctx, |done| {
        let stream = handle_ref(stream, "stream")?;
        stream.close_write(take(done)?);
        Ok(())
    })
}

/// # Safety
/// `stream` must be a live handle.
#[no_mangle]
pub unsafe extern "C" fn icl_stream_reset(stream: *const StreamHandle) {
    guard(|| {
        handle_ref(stream, "stream")?.reset();
        Ok(())
    });
}

/// # Safety
/// `stream` must be null or a live handle, and not be used afterwards.
#[no_mangle]
pub unsafe extern "C" fn icl_stream_free(stream: *mut StreamHandle) {
    guard(|| {
        if !stream.is_null() {
            drop(Box::from_raw(stream));
        }
        Ok(())
    });
}
