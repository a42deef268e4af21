//! libp2p and Raft behind a C interface. Each module has one header under `include/`.

pub mod ffi;
pub mod p2p;
pub mod raft_engine;
