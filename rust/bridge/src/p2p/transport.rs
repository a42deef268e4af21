//! DNS over QUIC and over TCP or relayed connections; the latter optionally inside a private network, with
//! Noise and yamux.

use std::error::Error;
use std::fmt;
use std::io;

use futures::future::{Either, TryFutureExt};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::timeout::{TransportTimeout, TransportTimeoutError};
use libp2p::core::transport::{Boxed, OptionalTransport, TransportError};
use libp2p::core::upgrade::Version;
use libp2p::pnet::PnetConfig;
use libp2p::swarm::DialError;
use libp2p::{dns, noise, quic, relay, tcp, yamux, Multiaddr, PeerId, Transport};

use crate::ffi::{status, Failure, FfiResult};

use super::config::Config;
use super::frames;

/// Streams of one connection: yamux' own default (512) closes the connection beyond it. This is the
/// most that goes with the receive window libp2p fixes.
const STREAMS_PER_CONNECTION_MAX: usize = 4096;

/// Marks a failure to reach the other side at all, as opposed to a failed handshake.
#[derive(Debug)]
struct Unreachable(String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unreachable {}

/// Carries [`Unreachable`] as its source: wrappers pass sources through but hide the error itself.
#[derive(Debug)]
struct Marked(Unreachable);

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Marked {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// How far an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// Nothing answered at the address.
    Nowhere,
    /// The other side was reached, then the handshakes failed.
    Refused,
    /// The other side was reached, then the handshakes did not end in time.
    Silence,
}

/// Why one resolved address did not work.
#[derive(Debug)]
struct Attempt {
    came: Came,
    text: String,
}

impl Attempt {
    fn new<E: Error + 'static>(error: TransportTimeoutError<E>) -> Attempt {
        let TransportTimeoutError::Other(error) = error else {
            return Attempt { came: Came::Silence, text: "timed out".into() };
        };
        let mut next: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = next {
            if error.is::<Unreachable>() {
                return Attempt { came: Came::Nowhere, text: error.to_string() };
            }
            next = cause(error);
        }
        Attempt { came: Came::Refused, text: full_text(&error) }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Error for Attempt {}

/// `relayed` comes with the behaviour of the relay client.
pub fn build(config: &Config, relayed: Option<relay::client::Transport>) -> FfiResult<Boxed<(PeerId, StreamMuxerBox)>> {
    let (secret, handshake_timeout) = (config.secret, config.handshake_timeout);
    let noise = noise::Config::new(&config.keypair)
        .map_err(|cause| Failure::invalid(format!("private_key: cannot be used with noise: {cause}")))?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);

    let sockets = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true));
    // Half of the time, so that a time-out of the whole is one of the handshakes.
    let tcp = TransportTimeout::new(sockets, handshake_timeout / 2).map_err(unreachable);
    let relayed = relayed.map_or_else(OptionalTransport::none, OptionalTransport::some).map_err(unreachable);
    // Relayed connections carry the secret as well, as those of the Go peers do.
    let sockets =
        relayed.or_transport(tcp).map_err(|cause| cause.into_inner()).and_then(move |socket, _| match secret {
            None => Either::Left(std::future::ready(Ok(Either::Left(socket)))),
            Some(secret) => {
                Either::Right(PnetConfig::new(secret).handshake(socket).map_ok(Either::Right).map_err(io::Error::other))
            }
        });
    let upgraded = sockets
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(frames::Config { yamux, silence_max: config.silence_max })
        .timeout(handshake_timeout)
        .map_err(Attempt::new)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic = match (config.reach.quic, secret) {
        (false, _) => OptionalTransport::none(),
        (true, None) => {
            let mut settings = quic::Config::new(&config.keypair);
            settings.handshake_timeout = handshake_timeout;
            settings.max_concurrent_stream_limit = STREAMS_PER_CONNECTION_MAX as u32;
            OptionalTransport::some(quic::tokio::Transport::new(settings))
        }
        (true, Some(_)) => return Err(Failure::invalid("quic: has no private networks, so not with a secret")),
    }
    .map_err(|cause| Attempt { came: Came::Nowhere, text: full_text(&cause) })
    .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let either = quic.or_transport(upgraded).map_err(|cause| cause.into_inner()).map(|out, _| out.into_inner());
    // Outermost: the transports below see resolved addresses alone.
    let resolved = dns::tokio::Transport::system(either)
        .map_err(|cause| Failure::new(status::IO, format!("reading the DNS configuration: {cause}")))?;
    Ok(resolved.boxed())
}

fn unreachable<E: Error + 'static>(cause: E) -> io::Error {
    io::Error::other(Marked(Unreachable(full_text(&cause))))
}

/// Every cause in the chain, outermost first, without repeating one that its parent already quotes.
pub fn full_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = cause(error);
    while let Some(inner) = next {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause(inner);
    }
    text
}

/// The inner error; `io::Error` passes over what it wraps in `source`, so that is asked first.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(io) = error.downcast_ref::<io::Error>() {
        if let Some(inner) = io.get_ref() {
            return Some(inner);
        }
    }
    error.source()
}

/// The attempts behind a dial error; none when the name was not even resolved.
fn attempts<'a>(error: &'a (dyn Error + 'static), out: &mut Vec<&'a Attempt>) {
    match error.downcast_ref::<dns::Error<Attempt>>() {
        Some(dns::Error::Transport(attempt)) => out.push(attempt),
        Some(dns::Error::Dial(errors)) => errors.iter().for_each(|error| attempts(error, out)),
        _ => {
            if let Some(inner) = cause(error) {
                attempts(inner, out);
            }
        }
    }
}

/// Whether an address was reached and its handshake failed.
pub fn handshake_failed(error: &DialError) -> bool {
    let DialError::Transport(errors) = error else { return false };
    errors.iter().any(|(_, error)| {
        let TransportError::Other(error) = error else { return false };
        let mut found = Vec::new();
        attempts(error, &mut found);
        found.iter().any(|attempt| attempt.came == Came::Refused)
    })
}

/// One text for all addresses of a failed dial, and the status that fits: `wrong_secret` when a secret
/// is set and an address was reached but did not understand us.
pub fn dial_failure(peer: &PeerId, errors: &[(Multiaddr, TransportError<io::Error>)], private: bool) -> Failure {
    let mut parts = Vec::new();
    let mut suspicious = false;
    for (address, error) in errors {
        let text = match error {
            TransportError::MultiaddrNotSupported(_) => "address not supported".to_string(),
            TransportError::Other(error) => {
                let mut found = Vec::new();
                attempts(error, &mut found);
                let reached = found.iter().any(|attempt| attempt.came != Came::Nowhere);
                suspicious |= reached;
                let text = if found.is_empty() {
                    full_text(error)
                } else {
                    found.iter().map(|attempt| attempt.text.as_str()).collect::<Vec<_>>().join(", ")
                };
                match (reached, private) {
                    (false, _) => text,
                    (true, true) => format!("handshake failed (probably a wrong cluster secret): {text}"),
                    (true, false) => format!("handshake failed (the peer may use a cluster secret): {text}"),
                }
            }
        };
        parts.push(format!("{address}: {text}"));
    }
    let status = if suspicious && private { status::WRONG_SECRET } else { status::DIAL_FAILED };
    Failure::new(status, format!("dialing {peer}: {}", parts.join("; ")))
}
