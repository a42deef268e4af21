//! Connections that break in ways the operating system does not tell.

#[allow(dead_code)]
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use icl_bridge::ffi::status;
use icl_bridge::p2p::events::kind;
use libp2p::multiaddr::Protocol;
use libp2p::Multiaddr;
use support::*;

const SILENCE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What a read with a time limit answers then, or when the process was stopped meanwhile.
const NOTHING_YET: [ErrorKind; 3] = [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];

/// Carries bytes until it is told to drop them, as a firewall would; closes nothing then.
struct Proxy {
    address: Multiaddr,
    passing: Arc<AtomicBool>,
    running: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Proxy {
    fn to(address: &Multiaddr) -> Proxy {
        let Some(Protocol::Tcp(port)) = address.iter().nth(1) else { panic!("no TCP address") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let (passing, running) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let flags = (passing.clone(), running.clone());
        let accepting = std::thread::spawn(move || {
            let near = listener.accept().unwrap().0;
            let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let back = (far.try_clone().unwrap(), near.try_clone().unwrap(), flags.clone());
            let backwards = std::thread::spawn(move || carry(back.0, back.1, &back.2 .0, &back.2 .1));
            carry(near, far, &flags.0, &flags.1);
            backwards.join().unwrap();
        });
        let address = format!("/ip4/127.0.0.1/tcp/{own_port}").parse().unwrap();
        Proxy { address, passing, running, threads: vec![accepting] }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.running.store(false, Ordering::Release);
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, passing: &AtomicBool, running: &AtomicBool) {
    from.set_read_timeout(Some(LOOK_AGAIN)).unwrap();
    let mut buffer = [0; 1 << 16];
    while running.load(Ordering::Acquire) {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if NOTHING_YET.contains(&error.kind()) => continue,
            Err(_) => 0,
        };
        if !passing.load(Ordering::Acquire) {
            // Not even an end gets through.
            if count == 0 {
                std::thread::sleep(LOOK_AGAIN);
            }
            continue;
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_connection_that_falls_silent_is_lost_and_one_that_idles_is_not() {
    let settings = || icl_bridge::p2p::config::Config { silence_max: SILENCE, ..config(None) };
    let a = TestHost::start_with(settings(), "/ip4/127.0.0.1/tcp/0");
    let b = TestHost::start_with(settings(), "/ip4/127.0.0.1/tcp/0");
    b.node.protocols.add(ECHO, 16).unwrap();
    let proxy = Proxy::to(&b.address);
    a.dial(b.id(), proxy.address.clone(), LIMIT).good();
    let near = a.open(b.id());
    let far = b.inbound();
    write(&near, b"x").good();
    assert_eq!(read(&far, 1).ok().unwrap(), b"x");

    let mut byte = [0u8];
    let (finished, reading) = done();
    unsafe { near.read(byte.as_mut_ptr(), 1, finished) };
    std::thread::sleep(2 * SILENCE);
    write(&far, b"y").good();
    assert_eq!(reading.wait().good().count, 1);

    proxy.passing.store(false, Ordering::Release);
    let start = Instant::now();
    let (finished, reading) = done();
    unsafe { near.read(byte.as_mut_ptr(), 1, finished) };
    let ended = reading.wait();
    assert_eq!(ended.status, status::RESET, "{}", ended.text());
    assert!(start.elapsed() >= SILENCE / 2, "{:?}", start.elapsed());
    for (host, other) in [(&a, &b), (&b, &a)] {
        let lost = host.event(|event| event.kind == kind::DISCONNECTED);
        assert_eq!(lost.peer, other.id().to_bytes());
        let cause = String::from_utf8(lost.data).unwrap();
        assert!(cause.contains("nothing was heard"), "{cause}");
    }
    assert_eq!(read(&far, 1).err().map(|outcome| outcome.status), Some(status::RESET));
}

/// A peer that was killed and started again while nothing could tell us: its new connection comes while the dead one
/// still counts, and then the dead one ends.
#[test]
fn who_came_back_before_it_was_missed_hears_what_we_subscribe_to() {
    let settings = || icl_bridge::p2p::config::Config { silence_max: SILENCE, ..config(None) };
    let a = TestHost::start_with(settings(), "/ip4/127.0.0.1/tcp/0");
    let of_b = settings();
    let again = icl_bridge::p2p::config::Config { keypair: of_b.keypair.clone(), ..settings() };
    let b = TestHost::start_with(of_b, "/ip4/127.0.0.1/tcp/0");
    let proxy = Proxy::to(&b.address);
    a.dial(b.id(), proxy.address.clone(), LIMIT).good();
    subscribe(&a, "t");
    subscribe(&b, "t");
    gossip(&b, &a, "t", 10);

    proxy.passing.store(false, Ordering::Release);
    drop(b);
    let b = TestHost::start_with(again, "/ip4/127.0.0.1/tcp/0");
    subscribe(&b, "t");
    b.connect(&a);
    std::thread::sleep(2 * SILENCE);
    while a.node.events.pop().is_some() {}
    gossip(&b, &a, "t", 10);
    gossip(&a, &b, "t", 10);
}

#[test]
fn closing_a_connection_ends_what_waits_on_it() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    let _far = b.inbound();
    let data = vec![7u8; 64 << 20];
    let mut byte = [0u8];
    let (finished, reading) = done();
    unsafe { near.read(byte.as_mut_ptr(), 1, finished) };
    let (finished, writing) = done();
    unsafe { near.write(data.as_ptr(), data.len(), finished) };
    assert!(writing.still_waiting());
    let peer = b.id();
    a.node.tell(move |state| assert!(state.swarm.disconnect_peer_id(peer).is_ok())).unwrap();
    for pending in [reading, writing] {
        let ended = pending.wait();
        assert_eq!(ended.status, status::RESET, "{}", ended.text());
    }
}

#[test]
fn giving_a_stream_up_after_a_half_close_ends_the_other_sides_writes() {
    let (a, b) = pair(None, 16);
    let near = a.open(b.id());
    write(&near, b"question").good();
    close_write(&near);
    let far = b.inbound();
    let data = vec![7u8; 64 << 20];
    let (finished, writing) = done();
    unsafe { far.write(data.as_ptr(), data.len(), finished) };
    assert!(writing.still_waiting());
    drop(near);
    assert_eq!(writing.wait().status, status::RESET);
    assert_eq!(read(&far, 100).ok().unwrap(), b"question");
    assert_eq!(read(&far, 100).ok().unwrap(), b"");
}

#[test]
fn an_answer_is_whole_although_the_question_was_not_read_to_its_end() {
    let (a, b) = pair(None, 16);
    for _ in 0..200 {
        let near = a.open(b.id());
        write(&near, b"question").good();
        let far = b.inbound();
        write(&far, b"answer").good();
        close_write(&far);
        drop(far);
        assert_eq!(read(&near, 100).ok().unwrap(), b"answer");
        assert_eq!(read(&near, 100).ok().unwrap(), b"");
    }
}
