//! A RawNode with the rules of use that keep it sound: a round at a time, election timeouts that a seed
//! decides, no removal of a leader, and no life after a panic or after its own removal.

use prost::Message as _;
use raft::eraftpb::{
    ConfChange, ConfChangeSingle, ConfChangeType, ConfChangeV2, ConfState, Entry, EntryType, HardState, Message,
    MessageType,
};
use raft::{Config, Error, RawNode, ReadOnlyOption, Ready, SnapshotStatus, StateRole};
use raft_proto::ConfChangeI as _;
use slog::{o, Discard, Logger};

use super::soundness;
use super::storage::LogStorage;
use super::types::{decode, encode, status, CEntry, CMessage, Sink};
use crate::ffi::{Failure, FfiResult, Slice};

pub struct Node {
    raw: RawNode<LogStorage>,
    ready: Option<Ready>,
    jitter: Jitter,
}

/// Draws election timeouts. The engine's own come from the thread's random numbers and would make two
/// runs of one seed differ, so they are overwritten after every call that may have set one.
struct Jitter {
    seed: u64,
    draws: u64,
    base_ticks: usize,
    current_ticks: usize,
    seen: (u64, StateRole),
}

fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Jitter {
    fn draw(&mut self) {
        self.draws += 1;
        let value = mix(self.seed ^ mix(self.draws)) % self.base_ticks as u64;
        self.current_ticks = self.base_ticks + value as usize;
    }
}

fn failure(error: Error) -> Failure {
    let code = match &error {
        Error::ProposalDropped => status::DROPPED,
        Error::StepPeerNotFound => status::NO_PEER,
        Error::StepLocalMsg | Error::CodecError(_) => status::DECODE,
        Error::Store(_) | Error::Io(_) => status::STORAGE,
        _ => crate::ffi::status::INVALID,
    };
    Failure::new(code, error.to_string())
}

fn malformed(text: String) -> Failure {
    Failure::new(status::DECODE, text)
}

/// The membership changes of an entry; none for a normal one.
pub fn changes_of(entry: &Entry) -> FfiResult<ConfChangeV2> {
    match entry.get_entry_type() {
        EntryType::EntryNormal => Ok(ConfChangeV2::default()),
        EntryType::EntryConfChange => Ok(decode::<ConfChange>(&entry.data).map_err(malformed)?.into_v2()),
        EntryType::EntryConfChangeV2 => decode(&entry.data).map_err(malformed),
    }
}

/// What the caller chose, with the rules that are not to choose.
pub fn hardened(config: &Config) -> Config {
    Config {
        // The engine glues appends together without comparing where they start: acknowledging
        // entries a follower never had.
        batch_append: false,
        pre_vote: true,
        check_quorum: true,
        read_only_option: ReadOnlyOption::Safe,
        ..config.clone()
    }
}

fn demotes(change: &ConfChangeSingle, id: u64) -> bool {
    change.node_id == id && change.get_change_type() != ConfChangeType::AddNode
}

impl Node {
    pub fn new(config: &Config, storage: LogStorage, seed: u64) -> FfiResult<Node> {
        let config = hardened(config);
        config.validate().map_err(failure)?;
        let logger = Logger::root(Discard, o!());
        let raw = RawNode::new(&config, storage, &logger).map_err(failure)?;
        let mut jitter = Jitter {
            seed: mix(seed ^ mix(config.id)),
            draws: 0,
            base_ticks: config.election_tick,
            current_ticks: config.election_tick,
            seen: (raw.raft.term, raw.raft.state),
        };
        jitter.draw();
        let mut node = Node { raw, ready: None, jitter };
        node.settle(false);
        Ok(node)
    }

    /// Overwrites the engine's timeout; a new one is drawn when term or role changed or a timeout fired.
    fn settle(&mut self, fired: bool) {
        let now = (self.raw.raft.term, self.raw.raft.state);
        if fired || now != self.jitter.seen {
            self.jitter.draw();
            self.jitter.seen = now;
        }
        self.raw.raft.set_randomized_election_timeout(self.jitter.current_ticks);
    }

    fn idle(&self) -> FfiResult {
        match self.ready {
            None => Ok(()),
            Some(_) => Err(Failure::new(status::BUSY, "a polled round is not advanced yet")),
        }
    }

    pub fn tick(&mut self) -> FfiResult {
        self.idle()?;
        let before = self.raw.raft.election_elapsed;
        self.raw.tick();
        let fired = self.raw.raft.election_elapsed == 0 && before > 0;
        self.settle(fired);
        Ok(())
    }

    pub fn campaign(&mut self) -> FfiResult {
        self.idle()?;
        let outcome = self.raw.campaign();
        self.settle(true);
        outcome.map_err(failure)
    }

    /// Refuses a change that would take the vote from the leader, which would go on leading without
    /// being a member.
    fn check_changes(&self, message: &Message) -> FfiResult {
        if message.get_msg_type() != MessageType::MsgPropose {
            return Ok(());
        }
        let raft = &self.raw.raft;
        for entry in &message.entries {
            for change in &changes_of(entry)?.changes {
                let protected = if raft.state == StateRole::Leader { raft.id } else { raft.leader_id };
                let transferee = raft.lead_transferee.unwrap_or(0);
                self.check_quorum_without(change)?;
                if protected != 0 && demotes(change, protected) {
                    return Err(Failure::new(
                        status::REFUSED,
                        format!("node {protected:016x} leads: transfer leadership before removing it"),
                    ));
                }
                if transferee != 0 && demotes(change, transferee) {
                    return Err(Failure::new(
                        status::REFUSED,
                        format!("leadership is being transferred to node {transferee:016x}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Refuses, at the leader, to take a voter away when the voters that answered lately would not be a
    /// majority of those left: the cluster could never commit again.
    fn check_quorum_without(&self, change: &ConfChangeSingle) -> FfiResult {
        let raft = &self.raw.raft;
        let members = raft.prs();
        let leaves =
            change.get_change_type() != ConfChangeType::AddNode && members.conf().voters().contains(change.node_id);
        if raft.state != StateRole::Leader || !leaves {
            return Ok(());
        }
        let (mut left, mut live) = (0, 0);
        for (id, progress) in members.iter() {
            if *id == change.node_id || !members.conf().voters().contains(*id) {
                continue;
            }
            left += 1;
            live += usize::from(*id == raft.id || progress.recent_active);
        }
        if live * 2 > left {
            return Ok(());
        }
        Err(Failure::new(
            status::REFUSED,
            format!("only {live} of the {left} voters left would be alive: that is no quorum"),
        ))
    }

    pub fn step(&mut self, bytes: &[u8]) -> FfiResult {
        self.idle()?;
        let message: Message = decode(bytes).map_err(malformed)?;
        soundness::check(&self.raw.raft, &message).map_err(malformed)?;
        self.step_message(message)
    }

    fn step_message(&mut self, message: Message) -> FfiResult {
        self.check_changes(&message)?;
        let outcome = self.raw.step(message);
        self.settle(false);
        outcome.map_err(failure)
    }

    fn propose_entry(&mut self, entry: Entry) -> FfiResult {
        self.idle()?;
        let mut message = Message { from: self.raw.raft.id, entries: vec![entry], ..Default::default() };
        message.set_msg_type(MessageType::MsgPropose);
        self.step_message(message)
    }

    pub fn propose(&mut self, data: &[u8]) -> FfiResult {
        self.propose_entry(Entry { data: data.to_vec(), ..Default::default() })
    }

    pub fn propose_change(&mut self, op: u32, id: u64, context: &[u8]) -> FfiResult {
        if id == 0 {
            return Err(Failure::invalid("member id: must not be 0"));
        }
        let kind = match op {
            0 => ConfChangeType::AddNode,
            1 => ConfChangeType::RemoveNode,
            2 => ConfChangeType::AddLearnerNode,
            _ => return Err(Failure::invalid(format!("membership change: unknown operation {op}"))),
        };
        let mut single = ConfChangeSingle { node_id: id, ..Default::default() };
        single.set_change_type(kind);
        let change = ConfChangeV2 { changes: vec![single], context: context.to_vec(), ..Default::default() };
        let mut entry = Entry { data: change.encode_to_vec(), ..Default::default() };
        entry.set_entry_type(EntryType::EntryConfChangeV2);
        self.propose_entry(entry)
    }

    pub fn read_index(&mut self, request: &[u8]) -> FfiResult {
        self.idle()?;
        self.raw.read_index(request.to_vec());
        self.settle(false);
        Ok(())
    }

    pub fn transfer_leader(&mut self, to: u64) -> FfiResult {
        self.idle()?;
        self.raw.transfer_leader(to);
        self.settle(false);
        Ok(())
    }

    pub fn report_unreachable(&mut self, id: u64) -> FfiResult {
        self.idle()?;
        self.raw.report_unreachable(id);
        Ok(())
    }

    pub fn report_snapshot(&mut self, id: u64, good: bool) -> FfiResult {
        self.idle()?;
        let outcome = if good { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
        self.raw.report_snapshot(id, outcome);
        Ok(())
    }

    /// Gives one round to `sink`; (has one, must be synced).
    pub fn poll(&mut self, sink: &Sink) -> FfiResult<(bool, bool)> {
        self.idle()?;
        if !self.raw.has_ready() {
            return Ok((false, false));
        }
        let ready = self.raw.ready();
        let must_sync = ready.must_sync();
        if let Some(state) = ready.hs() {
            (sink.hard_state)(sink.ctx, state.term, state.vote, state.commit);
        }
        if !ready.snapshot().is_empty() {
            let metadata = ready.snapshot().get_metadata();
            let conf_state = metadata.get_conf_state().encode_to_vec();
            (sink.snapshot)(
                sink.ctx,
                metadata.index,
                metadata.term,
                Slice::of(&conf_state),
                Slice::of(&ready.snapshot().data),
            );
        }
        for entry in ready.entries() {
            (sink.entry)(sink.ctx, &CEntry::lend(entry));
        }
        give_messages(sink, ready.messages(), false);
        give_messages(sink, ready.persisted_messages(), true);
        for entry in ready.committed_entries() {
            (sink.committed)(sink.ctx, &CEntry::lend(entry));
        }
        for state in ready.read_states() {
            (sink.read_state)(sink.ctx, state.index, Slice::of(&state.request_ctx));
        }
        self.ready = Some(ready);
        Ok((true, must_sync))
    }

    pub fn advance(&mut self, sink: &Sink) -> FfiResult {
        let Some(ready) = self.ready.take() else {
            return Err(Failure::new(status::BUSY, "no round was polled"));
        };
        let installed = ready.snapshot().get_metadata().index;
        let light = self.raw.advance_append(ready);
        if installed != 0 {
            // Without this a later campaign looks for entries the snapshot has replaced.
            self.raw.advance_apply_to(installed);
        }
        if let Some(commit) = light.commit_index() {
            let state: HardState = self.raw.raft.hard_state();
            (sink.hard_state)(sink.ctx, state.term, state.vote, commit);
        }
        give_messages(sink, light.messages(), false);
        for entry in light.committed_entries() {
            (sink.committed)(sink.ctx, &CEntry::lend(entry));
        }
        Ok(())
    }

    pub fn applied(&mut self, index: u64) -> FfiResult {
        self.idle()?;
        if index < self.raw.raft.raft_log.applied {
            return Err(Failure::invalid(format!("applied index {index} goes back")));
        }
        self.raw.advance_apply_to(index);
        Ok(())
    }

    /// The configuration after a committed change; `None` when the change is not possible, which every
    /// member finds alike.
    pub fn apply_change(&mut self, change: &ConfChangeV2) -> FfiResult<ConfState> {
        match self.raw.apply_conf_change(change) {
            Ok(state) => Ok(state),
            Err(Error::ConfChangeError(_) | Error::Exists { .. } | Error::NotExists { .. }) => {
                Ok(self.raw.raft.prs().conf().to_conf_state())
            }
            Err(error) => Err(failure(error)),
        }
    }

    pub fn contains(&self, state: &ConfState) -> bool {
        let id = self.raw.raft.id;
        [&state.voters, &state.learners, &state.voters_outgoing, &state.learners_next]
            .iter()
            .any(|set| set.contains(&id))
    }

    pub fn raw(&self) -> &RawNode<LogStorage> {
        &self.raw
    }
}

fn give_messages(sink: &Sink, messages: &[Message], after_persist: bool) {
    for message in messages {
        let bytes = encode(message);
        (sink.message)(sink.ctx, &CMessage::lend(message, &bytes, after_persist));
    }
}
