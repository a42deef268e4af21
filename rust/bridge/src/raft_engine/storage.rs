//! The log as the engine sees it: every read goes back to C++ through a table of functions.

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};
use std::ffi::c_void;

use crate::ffi::Slice;

use super::types::{decode, CEntry, StorageTable};

pub mod answer {
    pub const OK: i32 = 0;
    pub const COMPACTED: i32 = 1;
    pub const UNAVAILABLE: i32 = 2;
    pub const SNAPSHOT_LATER: i32 = 3;
}

/// Reads of the stored log through [`StorageTable`]; what the node starts from is kept beside it.
pub struct LogStorage {
    pub table: StorageTable,
    pub hard_state: HardState,
    pub conf_state: ConfState,
}

fn check(status: i32) -> Result<()> {
    match status {
        answer::OK => Ok(()),
        answer::COMPACTED => Err(Error::Store(StorageError::Compacted)),
        answer::UNAVAILABLE => Err(Error::Store(StorageError::Unavailable)),
        answer::SNAPSHOT_LATER => Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable)),
        other => Err(Error::Io(std::io::Error::other(format!("log read failed with status {other}")))),
    }
}

extern "C" fn push_entry(ctx: *mut c_void, entry: *const CEntry) {
    // Safety: `ctx` is the vector of the `entries` call below, `entry` lives during this call.
    unsafe {
        let out = &mut *(ctx as *mut Vec<Entry>);
        if let Ok(entry) = (*entry).to_entry() {
            out.push(entry);
        }
    }
}

struct SnapshotParts {
    conf_state: Vec<u8>,
    token: Vec<u8>,
}

extern "C" fn take_conf_state(ctx: *mut c_void, bytes: Slice) {
    unsafe { (*(ctx as *mut SnapshotParts)).conf_state = bytes.bytes().unwrap_or(&[]).to_vec() }
}

extern "C" fn take_token(ctx: *mut c_void, bytes: Slice) {
    unsafe { (*(ctx as *mut SnapshotParts)).token = bytes.bytes().unwrap_or(&[]).to_vec() }
}

impl Storage for LogStorage {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.conf_state.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        let bytes_max = max_size.into().unwrap_or(u64::MAX);
        let mut out: Vec<Entry> = Vec::new();
        check((self.table.entries)(self.table.ctx, low, high, bytes_max, push_entry, (&raw mut out).cast()))?;
        if out.is_empty() && low < high {
            return Err(Error::Store(StorageError::Unavailable));
        }
        Ok(out)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let mut term = 0;
        check((self.table.term)(self.table.ctx, index, &mut term))?;
        Ok(term)
    }

    fn first_index(&self) -> Result<u64> {
        Ok((self.table.first_index)(self.table.ctx))
    }

    fn last_index(&self) -> Result<u64> {
        Ok((self.table.last_index)(self.table.ctx))
    }

    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        let mut parts = SnapshotParts { conf_state: Vec::new(), token: Vec::new() };
        let (mut index, mut term) = (0, 0);
        check((self.table.snapshot)(
            self.table.ctx,
            request_index,
            to,
            &mut index,
            &mut term,
            take_conf_state,
            take_token,
            (&raw mut parts).cast(),
        ))?;
        let conf_state: ConfState = decode(&parts.conf_state).map_err(|text| Error::Io(std::io::Error::other(text)))?;
        let mut snapshot = Snapshot { data: parts.token, ..Default::default() };
        let metadata = snapshot.mut_metadata();
        metadata.index = index;
        metadata.term = term;
        metadata.set_conf_state(conf_state);
        Ok(snapshot)
    }
}
