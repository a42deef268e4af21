//! libp2p and Raft behind a C interface. Each module has one header under `include/`.

pub mod ffi;
pub mod p2p;
pub mod raft_engine;

/// Cargo takes what was built of other sources with the same target folder for its own when it is newer; a text that
/// was compiled in it compares.
const _: Option<&str> = option_env!("ICL_CONTENT");
