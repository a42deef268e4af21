//! Two real hosts on loopback.

mod support;

use std::time::Duration;

use icl_bridge::ffi::status;
use icl_bridge::p2p::events::kind;
use libp2p::gossipsub::{MessageAcceptance, MessageId};
use libp2p::swarm::StreamProtocol;
use libp2p::PeerId;
use support::*;

#[test]
fn a_stream_echoes_and_ends_cleanly() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let far = b.inbound();
    assert_eq!(*far.remote(), a.id());
    write(&near, b"ping").good();
    assert_eq!(read(&far, 100).ok().unwrap(), b"ping");
    write(&far, b"pong").good();
    assert_eq!(read(&near, 2).ok().unwrap(), b"po");
    assert_eq!(read(&near, 2).ok().unwrap(), b"ng");
    close_write(&near);
    assert_eq!(read(&far, 10).ok().unwrap(), b"");
    write(&far, b"late").good();
    close_write(&far);
    assert_eq!(read(&near, 10).ok().unwrap(), b"late");
    assert_eq!(read(&near, 10).ok().unwrap(), b"");
    assert_eq!(write(&near, b"x").status, status::CLOSED);
}

#[test]
fn a_reset_is_told_from_a_clean_end() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let far = b.inbound();
    write(&near, b"x").good();
    assert_eq!(read(&far, 1).ok().unwrap(), b"x");
    near.reset();
    assert_eq!(read(&far, 1).err().unwrap().status, status::RESET);
    assert_eq!(read(&near, 1).err().unwrap().status, status::RESET);
}

#[test]
fn a_reset_after_our_half_close_is_told_from_a_clean_end() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let far = b.inbound();
    write(&near, b"x").good();
    close_write(&near);
    assert_eq!(read(&far, 1).ok().unwrap(), b"x");
    far.reset();
    assert_eq!(read(&near, 1).err().map(|o| o.status), Some(status::RESET));
}

#[test]
fn a_lost_connection_is_told_from_a_clean_end() {
    let (a, b) = pair(None, 16);
    let open = a.open(b.id());
    let half = a.open(b.id());
    let _kept = (b.inbound(), b.inbound());
    close_write(&half);
    b.node.stop();
    assert_eq!(read(&open, 1).err().map(|o| o.status), Some(status::RESET));
    assert_eq!(read(&half, 1).err().map(|o| o.status), Some(status::RESET));
    a.event(|event| event.kind == kind::DISCONNECTED);
    assert_eq!(a.begin_open(b.id(), vec![ECHO]).wait().status, status::NOT_CONNECTED);
}

#[test]
fn a_burst_of_opens_loses_none() {
    let (a, b) = pair(None, 400);
    let pending: Vec<_> = (0..400).map(|_| a.begin_open(b.id(), vec![ECHO])).collect();
    let near: Vec<_> = pending.iter().map(|p| p.wait().good().stream.unwrap()).collect();
    for (i, stream) in near.iter().enumerate() {
        write(stream, &(i as u32).to_le_bytes()).good();
    }
    let mut seen: Vec<u32> =
        (0..400).map(|_| u32::from_le_bytes(read(&b.inbound(), 4).ok().unwrap().try_into().unwrap())).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..400).collect::<Vec<u32>>());
    assert_eq!(b.node.events.streams_refused(), 0);
}

#[test]
fn streams_beyond_the_waiting_limit_are_reset_and_counted() {
    let (a, b) = pair(None, 3);
    let near: Vec<_> = (0..5).map(|_| a.open(b.id())).collect();
    let ends = near.iter().filter(|stream| read_refused(stream)).count();
    assert_eq!(ends, 2);
    assert_eq!(b.node.events.streams_refused(), 2);
}

/// Whether the far side has reset the stream; a live one has nothing to read.
fn read_refused(stream: &icl_bridge::p2p::stream::StreamHandle) -> bool {
    let mut byte = [0u8];
    let (done, pending) = done();
    unsafe { stream.read(byte.as_mut_ptr(), 1, done) };
    if pending.still_waiting() {
        stream.reset();
        assert_eq!(pending.wait().status, status::RESET);
        return false;
    }
    true
}

#[test]
fn the_first_protocol_both_speak_is_chosen() {
    let (a, b) = pair(None, 16);
    let other = StreamProtocol::new("/test/unknown/1");
    let outcome = a.begin_open(b.id(), vec![other.clone(), ECHO]).wait().good();
    assert_eq!(outcome.text(), ECHO.as_ref());
    let refused = a.begin_open(b.id(), vec![other]).wait();
    assert_eq!(refused.status, status::UNSUPPORTED_PROTOCOL);
    assert!(refused.text().contains("/test/unknown/1"), "{}", refused.text());
    b.node.protocols.remove(&ECHO).unwrap();
    assert_eq!(a.begin_open(b.id(), vec![ECHO]).wait().status, status::UNSUPPORTED_PROTOCOL);
}

#[test]
fn a_writer_waits_for_a_stalled_reader() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let far = b.inbound();
    let data = vec![7u8; 64 << 20];
    let (done, pending) = done();
    unsafe { near.write(data.as_ptr(), data.len(), done) };
    assert!(pending.still_waiting());
    let second = write(&near, b"x");
    assert_eq!(second.status, status::INVALID);
    let mut total = 0;
    while total < data.len() {
        total += read(&far, 1 << 16).ok().unwrap().len();
    }
    assert_eq!(pending.wait().good().count, data.len());
}

#[test]
fn the_same_secret_connects_and_another_is_named() {
    let (a, b) = pair(Some([1; 32]), 16);
    let near = a.open(b.id());
    write(&near, b"secret").good();
    assert_eq!(read(&b.inbound(), 10).ok().unwrap(), b"secret");

    let stranger = TestHost::start(Some([2; 32]));
    let outcome = stranger.dial(b.id(), b.address.clone(), LIMIT);
    assert_eq!(outcome.status, status::WRONG_SECRET, "{}", outcome.text());
    assert!(outcome.text().contains("probably a wrong cluster secret"), "{}", outcome.text());

    let open = TestHost::start(None);
    assert_eq!(open.dial(b.id(), b.address.clone(), LIMIT).status, status::DIAL_FAILED);
    let outcome = a.dial(open.id(), open.address.clone(), LIMIT);
    assert_eq!(outcome.status, status::WRONG_SECRET, "{}", outcome.text());
}

#[test]
fn an_unreachable_address_is_no_wrong_secret() {
    let a = TestHost::start(Some([1; 32]));
    let b = TestHost::start(Some([1; 32]));
    b.node.stop();
    let outcome = a.dial(b.id(), b.address.clone(), LIMIT);
    assert_eq!(outcome.status, status::DIAL_FAILED, "{}", outcome.text());
    assert!(outcome.text().contains("refused"), "{}", outcome.text());
    assert!(outcome.text().contains(&b.address.to_string()), "{}", outcome.text());
}

#[test]
fn another_peer_at_the_address_is_named() {
    let (a, b) = (TestHost::start(None), TestHost::start(None));
    let outcome = a.dial(PeerId::random(), b.address.clone(), LIMIT);
    assert_eq!(outcome.status, status::DIAL_FAILED);
    assert!(outcome.text().contains(&b.id().to_string()), "{}", outcome.text());
}

#[test]
fn a_silent_address_times_out() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let a = TestHost::start(None);
    let at = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
    let outcome = a.dial(PeerId::random(), at, Duration::from_millis(100));
    assert_eq!(outcome.status, status::TIMEOUT, "{}", outcome.text());
}

#[test]
fn gossip_flows_both_ways_also_when_large() {
    let (a, b) = pair(Some([3; 32]), 16);
    publish(&a, "lonely", b"nobody listens".to_vec()).good();
    subscribe(&a, "t");
    subscribe(&b, "t");
    gossip(&a, &b, "t", 10);
    gossip(&b, &a, "t", 400_000);
    assert_eq!(publish(&a, "t", vec![0; 2 << 20]).status, status::INVALID);
}

#[test]
fn a_message_is_passed_on_only_after_its_verdict() {
    let (a, b) = pair(None, 16);
    let c = TestHost::start(None);
    c.connect(&b);
    for host in [&a, &b, &c] {
        subscribe(host, "chain");
    }
    // A tells B often enough for B to have learned its subscription; C hears nothing without a verdict.
    let message = loop {
        publish(&a, "chain", b"hop".to_vec()).good();
        std::thread::sleep(Duration::from_millis(50));
        let found = std::iter::from_fn(|| b.node.events.pop()).find(|e| e.kind == kind::MESSAGE);
        if let Some(message) = found {
            break message;
        }
    };
    std::thread::sleep(Duration::from_millis(500));
    assert!(std::iter::from_fn(|| c.node.events.pop()).all(|e| e.kind != kind::MESSAGE));
    let (id, source) = (MessageId::new(&message.id), PeerId::from_bytes(&message.source).unwrap());
    b.node.tell(move |state| state.verdict(&id, &source, MessageAcceptance::Accept)).unwrap();
    let heard = c.event(|event| event.kind == kind::MESSAGE);
    assert_eq!(heard.peer, a.id().to_bytes());
    assert_eq!(heard.source, b.id().to_bytes());
}

#[test]
fn a_peer_is_found_through_another() {
    let (a, b) = pair(None, 16);
    let c = TestHost::start(None);
    c.connect(&b);
    for host in [&a, &c] {
        host.event(|event| event.kind == kind::IDENTIFIED && event.peer == b.id().to_bytes());
    }
    b.event(|event| event.kind == kind::IDENTIFIED && event.peer == c.id().to_bytes());
    let wanted = c.id();
    let (finished, pending) = done();
    a.node.submit(finished, move |state, done| state.find_peer(wanted, LIMIT, done));
    let outcome = pending.wait().good();
    assert!(outcome.count >= 1);
    let (finished, pending) = done();
    a.node.submit(finished, move |state, done| state.find_peer(PeerId::random(), LIMIT, done));
    assert_eq!(pending.wait().status, status::NOT_FOUND);
}

#[test]
fn stopping_answers_what_is_pending() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let mut byte = [0u8];
    let (finished, pending) = done();
    unsafe { near.read(byte.as_mut_ptr(), 1, finished) };
    a.node.stop();
    let outcome = pending.wait();
    assert!([status::RESET, status::CANCELED].contains(&outcome.status), "{}", outcome.status);
    assert_eq!(a.begin_open(b.id(), vec![ECHO]).wait().status, status::CLOSED);
    assert_eq!(write(&near, b"x").status, status::RESET);
    a.node.stop();
}

#[test]
fn a_panic_in_the_network_task_is_an_event() {
    let a = TestHost::start(None);
    a.node.tell(|_| panic!("planted")).unwrap();
    let event = a.event(|event| event.kind == kind::FAILED);
    assert!(String::from_utf8(event.name).unwrap().contains("planted"));
    let (finished, pending) = done();
    a.node.submit(finished, |_, done| done.ok());
    assert!([status::CLOSED, status::CANCELED].contains(&pending.wait().status));
}
