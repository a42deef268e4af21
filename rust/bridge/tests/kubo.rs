//! Against a running Kubo: `ICL_KUBO_ADDRESS=/ip4/127.0.0.1/tcp/…/p2p/… cargo test --release -- --ignored`,
//! with `ICL_KUBO_SECRET` (64 hex digits) when Kubo has a swarm key.

#[allow(dead_code)]
mod support;

use icl_bridge::ffi::status;
use icl_bridge::p2p::events::kind;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::StreamProtocol;
use libp2p::Multiaddr;
use support::*;

fn secret() -> Option<[u8; 32]> {
    let text = std::env::var("ICL_KUBO_SECRET").ok()?;
    let bytes: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect();
    Some(bytes.try_into().unwrap())
}

#[test]
#[ignore = "needs a running Kubo"]
fn kubo_is_dialed_identified_and_pinged() {
    let address: Multiaddr = std::env::var("ICL_KUBO_ADDRESS").unwrap().parse().unwrap();
    let Some(Protocol::P2p(peer)) = address.iter().last() else { panic!("no /p2p/ in the address") };
    let host = TestHost::start(secret());
    host.dial(peer, address, LIMIT).good();
    let event = host.event(|event| event.kind == kind::IDENTIFIED);
    assert!(event.name.starts_with(b"kubo/"));

    let ping = StreamProtocol::new("/ipfs/ping/1.0.0");
    let stream = host.begin_open(peer, vec![ping.clone()]).wait().good().stream.unwrap();
    for round in 0u8..3 {
        write(&stream, &[round; 32]).good();
        let mut answer = Vec::new();
        while answer.len() < 32 {
            answer.extend(read(&stream, 32).ok().unwrap());
        }
        assert_eq!(answer, [round; 32]);
    }
    close_write(&stream);
    // Kubo takes an end between pings as an error and resets; either way nothing more comes.
    assert!(read(&stream, 1).map_or_else(|failed| failed.status == status::RESET, |data| data.is_empty()));
    let outcome = host.begin_open(peer, vec![StreamProtocol::new("/no/such/1")]).wait();
    assert_eq!(outcome.status, status::UNSUPPORTED_PROTOCOL);

    // Torn streams do not disturb the connection (Kubo itself resets some: it limits pings per peer).
    for _ in 0..20 {
        let stream = host.begin_open(peer, vec![ping.clone()]).wait().good().stream.unwrap();
        write(&stream, &[1; 5]);
        stream.reset();
    }
    assert!((0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let stream = host.begin_open(peer, vec![ping.clone()]).wait().good().stream.unwrap();
        write(&stream, &[9; 32]).status == status::OK && read(&stream, 32).is_ok_and(|data| !data.is_empty())
    }));
    assert!(std::iter::from_fn(|| host.node.events.pop()).all(|event| event.kind != kind::DISCONNECTED));
}

#[test]
#[ignore = "needs a running Kubo"]
fn another_secret_than_kubos_is_named() {
    let address: Multiaddr = std::env::var("ICL_KUBO_ADDRESS").unwrap().parse().unwrap();
    let Some(Protocol::P2p(peer)) = address.iter().last() else { panic!("no /p2p/ in the address") };
    let host = TestHost::start(Some([0x5a; 32]));
    assert_eq!(host.dial(peer, address, LIMIT).status, status::WRONG_SECRET);
}
