//! libp2p and Raft behind a C interface. Each module has one header under `include/`.

pub mod ffi;
pub mod p2p;
pub mod raft_engine;

/// Cargo takes files of another checkout with the same target folder for its own when they are newer; what was
/// compiled in it notices.
const _: Option<&str> = option_env!("ICL_CHECKOUT");
