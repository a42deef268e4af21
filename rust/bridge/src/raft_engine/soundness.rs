//! What another node may say. The engine trusts its messages: what contradicts its own log or itself
//! ends in a panic, and with it the peer. Everything here is refused before the engine sees it.
//!
//! This is no defence against a member that lies consistently, which raft does not have either.

use raft::eraftpb::{
    ConfChange, ConfChangeTransition, ConfChangeType, ConfChangeV2, Entry, EntryType, Message, MessageType,
};
use raft::{Raft, StateRole};

use super::storage::LogStorage;
use super::types::decode;

/// A term may be so far ahead of ours. Terms grow by one election: a node would have to be away for a
/// century of elections every second. And it takes longer than a disk lasts to come near the end of the
/// numbers, behind which terms would begin again, in such steps: each one is synced.
pub const TERM_JUMP_MAX: u64 = 1 << 32;

type Verdict = Result<(), String>;

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(why())
    }
}

/// Why the message is refused.
pub fn check(raft: &Raft<LogStorage>, message: &Message) -> Verdict {
    // The engine's own readers of these numbers panic on what they do not know.
    ensure(MessageType::from_i32(message.msg_type).is_some(), || format!("message type {}", message.msg_type))?;
    message.entries.iter().try_for_each(check_entry)?;
    check_term(raft, message)?;
    let last = raft.raft_log.last_index();
    match message.get_msg_type() {
        // The engine panics when it forwards what has a term, or is asked for nothing.
        MessageType::MsgPropose => {
            ensure(!message.entries.is_empty(), || "a proposal of nothing".into())?;
            message.entries.iter().try_for_each(check_simple)
        }
        MessageType::MsgReadIndex => {
            ensure(message.entries.len() == 1, || format!("a read of {} questions", message.entries.len()))
        }
        MessageType::MsgTransferLeader => {
            ensure(raft.state == StateRole::Leader, || "only a leader can hand over".into())
        }
        // A node that is in no term yet panics when it has to say no. All nodes have the same priority.
        MessageType::MsgRequestPreVote | MessageType::MsgRequestVote => {
            ensure(message.priority == 0 && message.deprecated_priority == 0, || {
                format!("a candidate of priority {}", message.priority)
            })
        }
        // An old one is answered without a look at what it says.
        _ if message.term < raft.term => Ok(()),
        MessageType::MsgAppend => {
            check_leader(raft, message)?;
            check_append(message)
        }
        MessageType::MsgHeartbeat => {
            check_leader(raft, message)?;
            ensure(message.commit <= last, || {
                format!("a heartbeat commits entry {}, the log ends with {last}", message.commit)
            })
        }
        MessageType::MsgSnapshot => {
            check_leader(raft, message)?;
            check_snapshot(message)
        }
        MessageType::MsgAppendResponse => {
            ensure(message.index <= last && message.reject_hint <= last, || {
                format!("an answer about entry {}, the log ends with {last}", message.index)
            })?;
            ensure(message.request_snapshot == 0, || "nobody asks for snapshots".into())
        }
        _ => Ok(()),
    }
}

fn check_entry(entry: &Entry) -> Verdict {
    let changes = match EntryType::from_i32(entry.entry_type) {
        Some(EntryType::EntryNormal) => return Ok(()),
        Some(EntryType::EntryConfChange) => vec![decode::<ConfChange>(&entry.data)?.change_type],
        Some(EntryType::EntryConfChangeV2) => {
            let change: ConfChangeV2 = decode(&entry.data)?;
            ensure(ConfChangeTransition::from_i32(change.transition).is_some(), || {
                format!("transition {}", change.transition)
            })?;
            change.changes.iter().map(|single| single.change_type).collect()
        }
        None => return Err(format!("entry type {}", entry.entry_type)),
    };
    ensure(changes.iter().all(|kind| ConfChangeType::from_i32(*kind).is_some()), || {
        format!("changes of types {changes:?}")
    })
}

/// Members change one by one: a joint configuration that nobody leaves would be the last one.
fn check_simple(entry: &Entry) -> Verdict {
    if EntryType::from_i32(entry.entry_type) != Some(EntryType::EntryConfChangeV2) {
        return Ok(());
    }
    let change: ConfChangeV2 = decode(&entry.data)?;
    ensure(change.enter_joint().is_none(), || "a change of members by way of a joint configuration".into())
}

fn check_term(raft: &Raft<LogStorage>, message: &Message) -> Verdict {
    // The engine takes what has no term for its own word.
    let forwarded = matches!(message.get_msg_type(), MessageType::MsgPropose | MessageType::MsgReadIndex);
    ensure((message.term == 0) == forwarded, || format!("term {}", message.term))?;
    ensure(message.term <= raft.term.saturating_add(TERM_JUMP_MAX), || {
        format!("term {} cannot follow on term {}", message.term, raft.term)
    })
}

/// A term has one leader.
fn check_leader(raft: &Raft<LogStorage>, message: &Message) -> Verdict {
    let known = if message.term == raft.term { raft.leader_id } else { 0 };
    ensure(known == 0 || known == message.from, || {
        format!("node {:016x} says that it leads term {}, whose leader is {known:016x}", message.from, message.term)
    })
}

fn check_append(message: &Message) -> Verdict {
    // The engine finds index 7 without a term "equal" when its log ends before.
    ensure(message.index == 0 || message.log_term != 0, || "an append behind an entry of no term".into())?;
    ensure(message.log_term <= message.term, || "an append behind an entry of a later term".into())?;
    let mut term = message.log_term.max(1);
    for (at, entry) in message.entries.iter().enumerate() {
        let index = message.index.checked_add(at as u64 + 1);
        ensure(index == Some(entry.index), || format!("an append with a gap at entry {}", entry.index))?;
        ensure(term <= entry.term && entry.term <= message.term, || {
            format!("entry {} of term {} in an append of term {}", entry.index, entry.term, message.term)
        })?;
        term = entry.term;
    }
    Ok(())
}

fn check_snapshot(message: &Message) -> Verdict {
    let metadata = message.get_snapshot().get_metadata();
    let members = metadata.get_conf_state();
    ensure(metadata.index > 0 && metadata.index < u64::MAX, || "a snapshot of nothing".into())?;
    ensure(metadata.term > 0 && metadata.term <= message.term, || {
        format!("a snapshot of term {} in term {}", metadata.term, message.term)
    })?;
    let mut ids: Vec<u64> = members.voters.iter().chain(&members.learners).copied().collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    let simple = members.voters_outgoing.is_empty() && members.learners_next.is_empty() && !members.auto_leave;
    ensure(simple && !members.voters.is_empty() && ids.len() == count && ids[0] != 0, || {
        "a snapshot with members that contradict each other".into()
    })
}
