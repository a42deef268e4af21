//! The structs of `include/icl_raft.h` and their way from and to the engine's messages.

use prost::Message as _;
use raft::eraftpb::{Entry, EntryType, Message};
use std::ffi::c_void;

use crate::ffi::{FfiResult, Slice};

pub const ABI: u32 = 2;

pub mod status {
    pub const DROPPED: i32 = -32;
    pub const NO_PEER: i32 = -33;
    pub const DECODE: i32 = -34;
    pub const DEAD: i32 = -35;
    pub const BUSY: i32 = -36;
    pub const STORAGE: i32 = -37;
    pub const REMOVED: i32 = -38;
    pub const REFUSED: i32 = -39;
}

#[repr(C)]
pub struct CEntry {
    pub index: u64,
    pub term: u64,
    pub kind: u32,
    pub reserved: u32,
    pub data: Slice,
    pub context: Slice,
}

impl CEntry {
    pub fn lend(entry: &Entry) -> CEntry {
        CEntry {
            index: entry.index,
            term: entry.term,
            kind: entry.entry_type as u32,
            reserved: 0,
            data: Slice::of(&entry.data),
            context: Slice::of(&entry.context),
        }
    }

    /// # Safety
    /// The slices must be readable during the call.
    pub unsafe fn to_entry(&self) -> FfiResult<Entry> {
        let mut entry = Entry {
            index: self.index,
            term: self.term,
            data: self.data.bytes()?.to_vec(),
            context: self.context.bytes()?.to_vec(),
            ..Default::default()
        };
        entry.set_entry_type(match self.kind {
            1 => EntryType::EntryConfChange,
            2 => EntryType::EntryConfChangeV2,
            _ => EntryType::EntryNormal,
        });
        Ok(entry)
    }
}

pub type EntryFn = extern "C" fn(*mut c_void, *const CEntry);
pub type BytesFn = extern "C" fn(*mut c_void, Slice);

#[repr(C)]
#[derive(Clone, Copy)]
pub struct StorageTable {
    pub ctx: *mut c_void,
    pub first_index: extern "C" fn(*mut c_void) -> u64,
    pub last_index: extern "C" fn(*mut c_void) -> u64,
    pub term: extern "C" fn(*mut c_void, u64, *mut u64) -> i32,
    pub entries: extern "C" fn(*mut c_void, u64, u64, u64, EntryFn, *mut c_void) -> i32,
    #[allow(clippy::type_complexity)]
    pub snapshot: extern "C" fn(*mut c_void, u64, u64, *mut u64, *mut u64, BytesFn, BytesFn, *mut c_void) -> i32,
}

#[repr(C)]
pub struct CConfig {
    pub struct_size: u32,
    pub abi: u32,
    pub id: u64,
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
    pub applied: u64,
    pub conf_state: Slice,
    pub election_ticks: u32,
    pub heartbeat_ticks: u32,
    pub message_bytes_max: u64,
    pub committed_bytes_max: u64,
    pub uncommitted_bytes_max: u64,
    pub inflight_max: u32,
    pub reserved: u32,
    pub jitter_seed: u64,
}

#[repr(C)]
pub struct CMessage {
    pub to: u64,
    pub from: u64,
    pub term: u64,
    pub kind: u32,
    pub after_persist: u32,
    pub snapshot_index: u64,
    pub snapshot_term: u64,
    pub snapshot_token: Slice,
    pub bytes: Slice,
    pub index: u64,
    pub commit: u64,
    pub reject_hint: u64,
    pub reject: u32,
    pub reserved: u32,
}

impl CMessage {
    pub fn lend(message: &Message, bytes: &[u8], after_persist: bool) -> CMessage {
        let snapshot = message.get_snapshot();
        CMessage {
            to: message.to,
            from: message.from,
            term: message.term,
            kind: message.msg_type as u32,
            after_persist: after_persist.into(),
            snapshot_index: snapshot.get_metadata().index,
            snapshot_term: snapshot.get_metadata().term,
            snapshot_token: Slice::of(&snapshot.data),
            bytes: Slice::of(bytes),
            index: message.index,
            commit: message.commit,
            reject_hint: message.reject_hint,
            reject: message.reject.into(),
            reserved: 0,
        }
    }
}

#[repr(C)]
pub struct Sink {
    pub ctx: *mut c_void,
    pub hard_state: extern "C" fn(*mut c_void, u64, u64, u64),
    pub snapshot: extern "C" fn(*mut c_void, u64, u64, Slice, Slice),
    pub entry: EntryFn,
    pub message: extern "C" fn(*mut c_void, *const CMessage),
    pub committed: EntryFn,
    pub read_state: extern "C" fn(*mut c_void, u64, Slice),
}

#[repr(C)]
pub struct StatusInfo {
    pub struct_size: u32,
    pub role: u32,
    pub id: u64,
    pub term: u64,
    pub vote: u64,
    pub leader: u64,
    pub commit: u64,
    pub applied: u64,
    pub first_index: u64,
    pub last_index: u64,
    pub transferee: u64,
    pub promotable: u32,
    pub pending_change: u32,
    pub election_timeout_ticks: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct ProgressInfo {
    pub id: u64,
    pub matched: u64,
    pub next: u64,
    pub pending_snapshot: u64,
    pub state: u32,
    pub learner: u32,
    pub recent_active: u32,
    pub reserved: u32,
}

/// Decodes a protobuf message; the text names what failed.
pub fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, String> {
    M::decode(bytes).map_err(|cause| format!("malformed bytes: {cause}"))
}

pub fn encode(message: &Message) -> Vec<u8> {
    message.encode_to_vec()
}
