//! Relays, hole punching, AutoNAT, QUIC and provider records between real hosts on loopback; mDNS needs an
//! interface that is not loopback: `tests/mdns.sh` makes one in a namespace of its own.

#[allow(dead_code)]
mod support;

use std::time::Duration;

use icl_bridge::ffi::status;
use icl_bridge::p2p::config::{Config, RoutingMode};
use icl_bridge::p2p::done::decode_list;
use icl_bridge::p2p::events::{kind, EventQueue};
use icl_bridge::p2p::node::Node;
use libp2p::kad::RecordKey;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::StreamProtocol;
use libp2p::{Multiaddr, PeerId};
use support::*;

const SOON: Duration = Duration::from_millis(200);

/// A port that is free now: a relay has to announce its address before it listens there.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn relay(secret: Option<[u8; 32]>) -> TestHost {
    let mut options = config(secret);
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", free_port()).parse().unwrap();
    options.announce = vec![address.clone()];
    options.reach.relay_server = true;
    options.reach.autonat_delay = Some(LIMIT);
    TestHost::start_with(options, &address.to_string())
}

fn reachable_by_relay(secret: Option<[u8; 32]>) -> Config {
    let mut options = config(secret);
    options.reach.relay_client = true;
    options
}

fn through(relay: &TestHost) -> Multiaddr {
    relay.address.clone().with(Protocol::P2p(relay.id())).with(Protocol::P2pCircuit)
}

fn speak(from: &TestHost, to: &TestHost) {
    let near = from.open(to.id());
    write(&near, b"hello").good();
    assert_eq!(read(&to.inbound(), 10).ok().unwrap(), b"hello");
}

#[test]
fn a_host_that_listens_nowhere_is_reached_through_a_relay_also_under_a_secret() {
    for secret in [None, Some([7; 32])] {
        let relay = relay(secret);
        let hidden = TestHost::start_deaf(reachable_by_relay(secret));
        hidden.node.protocols.add(ECHO, 16).unwrap();
        let at = hidden.listen(through(&relay));
        assert!(at.iter().any(|part| part == Protocol::P2pCircuit), "{at}");
        let guest = TestHost::start_deaf(reachable_by_relay(secret));
        guest.dial(hidden.id(), at, LIMIT).good();
        speak(&guest, &hidden);
    }
}

#[test]
fn without_the_relay_client_a_relayed_address_is_not_supported() {
    let relay = relay(None);
    let host = TestHost::start(None);
    let outcome = host.dial(PeerId::random(), through(&relay), LIMIT);
    assert_eq!(outcome.status, status::DIAL_FAILED, "{}", outcome.text());
}

#[test]
fn a_relayed_connection_becomes_a_direct_one() {
    let relay = relay(None);
    let start = || {
        let mut options = reachable_by_relay(None);
        options.reach.hole_punching = true;
        TestHost::start_with(options, "/ip4/127.0.0.1/tcp/0")
    };
    let (hidden, guest) = (start(), start());
    hidden.node.protocols.add(ECHO, 16).unwrap();
    // Each must have heard from the relay under which address it is seen before it can offer one.
    guest.connect(&relay);
    let at = hidden.listen(through(&relay));
    for host in [&hidden, &guest] {
        host.event(|event| event.kind == kind::IDENTIFIED && event.peer == relay.id().to_bytes());
    }
    guest.dial(hidden.id(), at, LIMIT).good();
    let mut direct = 0;
    // Without a NAT between them the two dials meet as one connection, which one of the sides may count as a
    // failure of its own.
    for (host, other) in [(&hidden, &guest), (&guest, &hidden)] {
        let event = host.event(|event| event.kind == kind::HOLE_PUNCHED);
        assert_eq!(event.peer, other.id().to_bytes());
        direct += event.flag;
    }
    assert!(direct >= 1);
    // The relay goes; the connection stays.
    relay.node.stop();
    speak(&guest, &hidden);
}

#[test]
fn autonat_tells_a_reachable_host_from_a_hidden_one_which_goes_to_a_relay() {
    let relay = relay(None);
    let with_autonat = || {
        let mut options = reachable_by_relay(None);
        options.reach.autonat_delay = Some(SOON);
        options.routing.mode = RoutingMode::WhenReachable;
        options
    };
    let open = TestHost::start_with(with_autonat(), "/ip4/127.0.0.1/tcp/0");
    open.connect(&relay);
    let event = open.event(|event| event.kind == kind::REACHABILITY);
    assert_eq!(event.flag, 1);
    assert_eq!(event.data, open.address.clone().with(Protocol::P2p(open.id())).to_vec());

    let hidden = TestHost::start_deaf(with_autonat());
    hidden.connect(&relay);
    assert_eq!(hidden.event(|event| event.kind == kind::REACHABILITY).flag, 2);
    let at = hidden.event(|event| event.kind == kind::LISTENING);
    let at = Multiaddr::try_from(at.data).unwrap();
    assert!(at.to_string().contains("p2p-circuit"), "{at}");
}

#[test]
fn quic_connects_without_a_secret_and_is_refused_with_one() {
    let start = || {
        let mut options = config(None);
        options.reach.quic = true;
        TestHost::start_with(options, "/ip4/127.0.0.1/udp/0/quic-v1")
    };
    let (a, b) = (start(), start());
    assert!(b.address.to_string().contains("/quic-v1"), "{}", b.address);
    b.node.protocols.add(ECHO, 16).unwrap();
    a.connect(&b);
    speak(&a, &b);

    let mut options = config(Some([1; 32]));
    options.reach.quic = true;
    unsafe extern "C" fn nothing(_: *mut std::ffi::c_void) {}
    let refused = Node::start(options, EventQueue::new(nothing, std::ptr::null_mut()));
    assert_eq!(refused.err().map(|failure| failure.status), Some(status::INVALID));
}

fn provider_host(announce: bool) -> TestHost {
    let mut options = config(None);
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", free_port()).parse().unwrap();
    options.routing.protocol = StreamProtocol::new("/ipfs/kad/1.0.0");
    options.routing.provider_keys_max = 100;
    if announce {
        options.announce = vec![address.clone()];
    }
    TestHost::start_with(options, &address.to_string())
}

fn provide(host: &TestHost, key: &'static [u8]) -> Outcome {
    let (done, pending) = done();
    host.node.submit(done, move |state, done| state.provide(RecordKey::new(&key), LIMIT, done));
    pending.wait()
}

fn find(host: &TestHost, key: &'static [u8], most: usize) -> Outcome {
    let (done, pending) = done();
    host.node.submit(done, move |state, done| state.find_providers(RecordKey::new(&key), most, LIMIT, done));
    pending.wait()
}

#[test]
fn providers_are_told_and_found_with_their_addresses() {
    let (middle, seeker) = (provider_host(true), provider_host(true));
    let havers: Vec<_> = (0..3).map(|_| provider_host(true)).collect();
    let lonely = provide(&seeker, b"some block");
    assert_eq!(lonely.status, status::NOT_CONNECTED, "{}", lonely.text());
    for host in havers.iter().chain([&seeker]) {
        host.connect(&middle);
        host.event(|event| event.kind == kind::IDENTIFIED && event.peer == middle.id().to_bytes());
    }
    for haver in &havers {
        assert!(provide(haver, b"some block").good().count >= 1);
    }
    // A record is stored by its receiver in its own time.
    let started = std::time::Instant::now();
    while find(&seeker, b"some block", 20).good().count != 3 {
        assert!(started.elapsed() < LIMIT, "the third record has not come");
    }
    let mut seen = std::collections::BTreeSet::new();
    while let Some(event) = seeker.node.events.pop() {
        if event.kind == kind::PROVIDER {
            assert_eq!(event.id, b"some block");
            let haver = havers.iter().find(|haver| haver.id().to_bytes() == event.peer).unwrap();
            let addresses = decode_list(&event.data, "addresses").unwrap();
            let wanted = haver.address.clone().with(Protocol::P2p(haver.id()));
            assert!(addresses.contains(&wanted.as_ref()), "{addresses:?}");
            seen.insert(event.peer);
        }
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(find(&seeker, b"some block", 2).good().count, 2);
    assert_eq!(find(&seeker, b"another block", 2).good().count, 0);
}

#[test]
fn nothing_is_provided_while_nobody_could_reach_us() {
    let (middle, host) = (provider_host(true), provider_host(false));
    host.connect(&middle);
    let outcome = provide(&host, b"some block");
    assert_eq!(outcome.status, status::UNAVAILABLE, "{}", outcome.text());
    assert!(outcome.text().contains("no address"), "{}", outcome.text());
}

/// Run by `tests/mdns.sh`.
#[test]
#[ignore = "needs a network namespace"]
fn peers_of_the_local_network_are_discovered() {
    let address = std::env::var("ICL_MDNS_ADDRESS").unwrap();
    let start = || {
        let mut options = config(Some([4; 32]));
        options.reach.mdns_interval = Some(Duration::from_secs(1));
        TestHost::start_with(options, &format!("/ip4/{address}/tcp/0"))
    };
    let (a, b) = (start(), start());
    for (host, other) in [(&a, &b), (&b, &a)] {
        let event = host.event(|event| event.kind == kind::DISCOVERED);
        assert_eq!(event.peer, other.id().to_bytes());
        let addresses = decode_list(&event.data, "addresses").unwrap();
        let wanted = other.address.clone().with(Protocol::P2p(other.id()));
        assert!(addresses.contains(&wanted.as_ref()), "{addresses:?}");
    }
}
