//! The C entries of `include/icl_raft.h`: raft-rs driven from outside, one handle one node.

mod node;
mod soundness;
mod storage;
#[cfg(test)]
mod tests;
mod types;

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

use prost::Message as _;
use raft::eraftpb::{ConfState, HardState, Message};
use raft::{Config, ProgressState, StateRole};

use crate::ffi::{guard, guard_status, handle_mut, handle_ref, panic_text, Failure, FfiResult, Slice};
use node::{changes_of, Node};
use storage::LogStorage;
use types::*;

/// What a C handle points to. `node` is gone after a panic or the node's own removal.
pub struct Handle {
    node: Option<Node>,
    why_gone: String,
}

impl Handle {
    fn dead(&self) -> Failure {
        Failure::new(status::DEAD, format!("the node has ended: {}", self.why_gone))
    }
}

/// Runs `body` on the node; a panic inside drops the node, since its state can no longer be trusted.
unsafe fn enter(handle: *mut Handle, body: impl FnOnce(&mut Node) -> FfiResult) -> i32 {
    guard_status(|| {
        let handle = handle_mut(handle, "raft node")?;
        let Some(node) = handle.node.as_mut() else { return Err(handle.dead()) };
        match catch_unwind(AssertUnwindSafe(|| body(node))) {
            Ok(outcome) => outcome.map(|()| crate::ffi::status::OK),
            Err(payload) => {
                let text = panic_text(payload.as_ref());
                let broken = handle.node.take();
                // Dropping what a panic left half done may panic again.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
                handle.why_gone = format!("the engine broke an invariant: {text}");
                Err(Failure::new(crate::ffi::status::PANIC, handle.why_gone.clone()))
            }
        }
    })
}

unsafe fn at<'a, T>(pointer: *const T, what: &str) -> FfiResult<&'a T> {
    handle_ref(pointer, what)
}

fn malformed(text: String) -> Failure {
    Failure::new(status::DECODE, text)
}

unsafe fn make(config: &CConfig, table: &StorageTable) -> FfiResult<Node> {
    if config.struct_size as usize != std::mem::size_of::<CConfig>() || config.abi != ABI {
        return Err(Failure::invalid("raft config: made for another version of the bridge"));
    }
    if config.id == 0 || config.election_ticks == 0 || config.heartbeat_ticks == 0 {
        return Err(Failure::invalid("raft config: id and ticks must not be 0"));
    }
    let conf_state: ConfState = decode(config.conf_state.bytes()?).map_err(malformed)?;
    let hard_state = HardState { term: config.term, vote: config.vote, commit: config.commit };
    if config.commit < config.applied {
        return Err(Failure::invalid(format!(
            "raft config: commit {} is behind applied {}",
            config.commit, config.applied
        )));
    }
    let engine = Config {
        id: config.id,
        election_tick: config.election_ticks as usize,
        heartbeat_tick: config.heartbeat_ticks as usize,
        applied: config.applied,
        max_size_per_msg: config.message_bytes_max,
        max_inflight_msgs: config.inflight_max as usize,
        max_uncommitted_size: config.uncommitted_bytes_max,
        max_committed_size_per_ready: config.committed_bytes_max,
        ..Default::default()
    };
    Node::new(&engine, LogStorage { table: *table, hard_state, conf_state }, config.jitter_seed)
}

/// # Safety
/// The pointers must be valid; `out` receives a handle that icl_raft_free takes back.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_new(
    config: *const CConfig,
    table: *const StorageTable,
    out: *mut *mut Handle,
) -> i32 {
    guard(|| {
        let out = handle_mut(out, "raft node")?;
        *out = std::ptr::null_mut();
        let node = make(at(config, "raft config")?, at(table, "raft storage")?)?;
        *out = Box::into_raw(Box::new(Handle { node: Some(node), why_gone: String::new() }));
        Ok(())
    })
}

/// # Safety
/// `handle` must be null or come from icl_raft_new and not be freed yet.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_free(handle: *mut Handle) {
    guard(|| {
        if !handle.is_null() {
            drop(Box::from_raw(handle));
        }
        Ok(())
    });
}

/// # Safety
/// As for every entry below: `handle` comes from icl_raft_new and nobody else uses it meanwhile;
/// slices are readable during the call.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_tick(handle: *mut Handle) -> i32 {
    enter(handle, Node::tick)
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_campaign(handle: *mut Handle) -> i32 {
    enter(handle, Node::campaign)
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_step(handle: *mut Handle, message: Slice) -> i32 {
    enter(handle, |node| node.step(message.bytes()?))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_propose(handle: *mut Handle, data: Slice) -> i32 {
    enter(handle, |node| node.propose(data.bytes()?))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_propose_change(handle: *mut Handle, op: u32, id: u64, context: Slice) -> i32 {
    enter(handle, |node| node.propose_change(op, id, context.bytes()?))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_read_index(handle: *mut Handle, request: Slice) -> i32 {
    enter(handle, |node| node.read_index(request.bytes()?))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_transfer_leader(handle: *mut Handle, to: u64) -> i32 {
    enter(handle, |node| node.transfer_leader(to))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_report_unreachable(handle: *mut Handle, id: u64) -> i32 {
    enter(handle, |node| node.report_unreachable(id))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_report_snapshot(handle: *mut Handle, id: u64, good: i32) -> i32 {
    enter(handle, |node| node.report_snapshot(id, good != 0))
}

/// # Safety
/// See [`icl_raft_tick`]; the out pointers must be writable.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_poll(
    handle: *mut Handle,
    sink: *const Sink,
    has_ready: *mut u32,
    must_sync: *mut u32,
) -> i32 {
    enter(handle, |node| {
        let has_ready = handle_mut(has_ready, "has_ready")?;
        let must_sync = handle_mut(must_sync, "must_sync")?;
        (*has_ready, *must_sync) = (0, 0);
        let (ready, sync) = node.poll(at(sink, "raft sink")?)?;
        (*has_ready, *must_sync) = (ready.into(), sync.into());
        Ok(())
    })
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_advance(handle: *mut Handle, sink: *const Sink) -> i32 {
    enter(handle, |node| node.advance(at(sink, "raft sink")?))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_applied(handle: *mut Handle, index: u64) -> i32 {
    enter(handle, |node| node.applied(index))
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_apply_change(
    handle: *mut Handle,
    entry: *const CEntry,
    change: extern "C" fn(*mut c_void, u32, u64),
    context: BytesFn,
    conf_state: BytesFn,
    ctx: *mut c_void,
) -> i32 {
    let mut removed = false;
    let outcome = enter(handle, |node| {
        let entry = at(entry, "raft entry")?.to_entry()?;
        let changes = changes_of(&entry)?;
        let state = node.apply_change(&changes)?;
        for single in &changes.changes {
            change(ctx, single.change_type as u32, single.node_id);
        }
        context(ctx, Slice::of(&changes.context));
        let bytes = state.encode_to_vec();
        conf_state(ctx, Slice::of(&bytes));
        removed = !node.contains(&state);
        Ok(())
    });
    if outcome != crate::ffi::status::OK || !removed {
        return outcome;
    }
    guard(|| {
        // A node outside its own configuration must not run on: as leader it would look itself up.
        let handle = handle_mut(handle, "raft node")?;
        handle.node = None;
        handle.why_gone = "it was removed from the cluster".to_string();
        Err(Failure::new(status::REMOVED, handle.why_gone.clone()))
    })
}

/// # Safety
/// `entry` must be readable during the call.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_change_read(
    entry: *const CEntry,
    change: extern "C" fn(*mut c_void, u32, u64),
    context: BytesFn,
    ctx: *mut c_void,
) -> i32 {
    guard(|| {
        let changes = changes_of(&at(entry, "raft entry")?.to_entry()?)?;
        for single in &changes.changes {
            change(ctx, single.change_type as u32, single.node_id);
        }
        context(ctx, Slice::of(&changes.context));
        Ok(())
    })
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_status(handle: *mut Handle, out: *mut StatusInfo) -> i32 {
    enter(handle, |node| {
        let out = handle_mut(out, "raft status")?;
        if out.struct_size as usize != std::mem::size_of::<StatusInfo>() {
            return Err(Failure::invalid("raft status: made for another version of the bridge"));
        }
        let raft = &node.raw().raft;
        out.role = match raft.state {
            StateRole::Follower => 0,
            StateRole::Candidate => 1,
            StateRole::Leader => 2,
            StateRole::PreCandidate => 3,
        };
        out.id = raft.id;
        out.term = raft.term;
        out.vote = raft.vote;
        out.leader = raft.leader_id;
        out.commit = raft.raft_log.committed;
        out.applied = raft.raft_log.applied;
        out.first_index = raft.raft_log.first_index();
        out.last_index = raft.raft_log.last_index();
        out.transferee = raft.lead_transferee.unwrap_or(0);
        out.promotable = raft.promotable().into();
        out.pending_change = raft.has_pending_conf().into();
        out.election_timeout_ticks = raft.randomized_election_timeout() as u32;
        Ok(())
    })
}

/// # Safety
/// See [`icl_raft_tick`].
#[no_mangle]
pub unsafe extern "C" fn icl_raft_progress(
    handle: *mut Handle,
    each: extern "C" fn(*mut c_void, *const ProgressInfo),
    ctx: *mut c_void,
) -> i32 {
    enter(handle, |node| {
        let members = node.raw().raft.prs();
        for (id, progress) in members.iter() {
            let info = ProgressInfo {
                id: *id,
                matched: progress.matched,
                next: progress.next_idx,
                pending_snapshot: progress.pending_snapshot,
                state: match progress.state {
                    ProgressState::Probe => 0,
                    ProgressState::Replicate => 1,
                    ProgressState::Snapshot => 2,
                },
                learner: (!members.conf().voters().contains(*id)).into(),
                recent_active: progress.recent_active.into(),
                reserved: 0,
            };
            each(ctx, &info);
        }
        Ok(())
    })
}

unsafe fn ids(pointer: *const u64, count: usize) -> FfiResult<Vec<u64>> {
    match (count, pointer.is_null()) {
        (0, _) => Ok(Vec::new()),
        (_, true) => Err(Failure::invalid("member ids: null pointer")),
        _ => Ok(std::slice::from_raw_parts(pointer, count).to_vec()),
    }
}

/// # Safety
/// The id pointers must hold as many ids as said.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_conf_state_make(
    voters: *const u64,
    voter_count: usize,
    learners: *const u64,
    learner_count: usize,
    out: BytesFn,
    ctx: *mut c_void,
) -> i32 {
    guard(|| {
        let state = ConfState {
            voters: ids(voters, voter_count)?,
            learners: ids(learners, learner_count)?,
            ..Default::default()
        };
        let bytes = state.encode_to_vec();
        out(ctx, Slice::of(&bytes));
        Ok(())
    })
}

/// # Safety
/// `conf_state` must be readable during the call.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_conf_state_read(
    conf_state: Slice,
    member: extern "C" fn(*mut c_void, u64, i32),
    ctx: *mut c_void,
) -> i32 {
    guard(|| {
        let state: ConfState = decode(conf_state.bytes()?).map_err(malformed)?;
        let mut voters = state.voters.clone();
        voters.extend(&state.voters_outgoing);
        voters.sort_unstable();
        voters.dedup();
        let mut learners = state.learners.clone();
        learners.extend(&state.learners_next);
        learners.sort_unstable();
        learners.dedup();
        learners.retain(|id| voters.binary_search(id).is_err());
        for id in voters {
            member(ctx, id, 0);
        }
        for id in learners {
            member(ctx, id, 1);
        }
        Ok(())
    })
}

/// # Safety
/// `message` must be readable during the call.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_message_read(
    message: Slice,
    out: extern "C" fn(*mut c_void, *const CMessage),
    ctx: *mut c_void,
) -> i32 {
    guard(|| {
        let message: Message = decode(message.bytes()?).map_err(malformed)?;
        out(ctx, &CMessage::lend(&message, &[], false));
        Ok(())
    })
}

/// # Safety
/// `message` must be readable; what `out` gets only during its call.
#[no_mangle]
pub unsafe extern "C" fn icl_raft_message_entries(message: Slice, out: EntryFn, ctx: *mut c_void) -> i32 {
    guard(|| {
        let message: Message = decode(message.bytes()?).map_err(malformed)?;
        for entry in &message.entries {
            out(ctx, &CEntry::lend(entry));
        }
        Ok(())
    })
}
