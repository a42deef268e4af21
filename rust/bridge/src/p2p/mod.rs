//! A libp2p host behind `include/icl_p2p.h`.
//!
//! One tokio worker drives everything. The swarm lives in one task ([`swarm`]) that takes commands
//! from a bounded queue and puts what happens into a bounded event queue ([`events`]), which the
//! owner empties at its own pace. Streams ([`stream`]) bypass the swarm task: reads and writes act on
//! the multiplexed stream itself. Panics become statuses or the `failed` event, never unwinding into C.

pub mod behaviour;
pub mod capi;
pub mod config;
pub mod done;
pub mod events;
pub mod frames;
pub mod node;
pub mod reach;
pub mod routing;
pub mod stream;
pub mod streams;
pub mod swarm;
pub mod transport;
