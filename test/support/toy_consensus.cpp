#include "support/toy_consensus.hpp"

#include <algorithm>

#include "codec/pin_proto.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::test {

namespace {

constexpr const char* kTopic = "toy.log";
/// The other family of consensus; nobody else writes it here.
constexpr auto kFamily = storage::Family::raft_meta;
const Bytes kIndexKey = "index";
const Bytes kKnownKey = "known";
const Bytes kEntryPrefix = "entry/";
const Bytes kEntryEnd = "entry0";

void put_field(Bytes& out, BytesView field) {
    put_be64(out, field.size());
    out += field;
}

Result<Bytes> take_field(BytesView& in) {
    if (in.size() < 8) return fail(Kind::corrupt, "cut short");
    const auto size = get_be64(in);
    in.remove_prefix(8);
    if (in.size() < size) return fail(Kind::corrupt, "cut short");
    Bytes field(in.substr(0, size));
    in.remove_prefix(size);
    return field;
}

Bytes distance(const Cid& cid, const PeerId& peer) {
    auto out = multihash_digest(HashCode::sha2_256, cid.bytes()).value();
    const auto other = multihash_digest(HashCode::sha2_256, peer.bytes()).value();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ other[i]);
    return out;
}

}  // namespace

ToyConsensus::ToyConsensus(const peer::PeerParts& on, component::PeerMonitor& monitor)
    : world_(on.world),
      host_(on.host),
      store_(on.store),
      state_(on.state),
      monitor_(monitor),
      self_(on.host.id()),
      known_{self_},
      new_job_(on.world.executor()),
      changed_(on.world.executor()),
      tasks_(on.world, "toy consensus") {}

Bytes ToyConsensus::encode(const Cid& cid, const Entry& entry) {
    Bytes out;
    put_field(out, cid.bytes());
    for (const auto* stamp : {&entry.added, &entry.removed}) {
        put_be64(out, stamp->time);
        put_field(out, stamp->origin);
    }
    put_field(out, entry.pin);
    return out;
}

Result<ToyConsensus::Entries> ToyConsensus::decode(BytesView bytes) {
    Entries out;
    while (!bytes.empty()) {
        ICL_TRY(const auto key, take_field(bytes));
        ICL_TRY(auto cid, Cid::from_bytes(key));
        Entry entry;
        for (auto* stamp : {&entry.added, &entry.removed}) {
            if (bytes.size() < 8) return fail(Kind::corrupt, "cut short");
            stamp->time = get_be64(bytes);
            bytes.remove_prefix(8);
            ICL_TRY(stamp->origin, take_field(bytes));
        }
        ICL_TRY(entry.pin, take_field(bytes));
        out.emplace(std::move(cid), std::move(entry));
    }
    return out;
}

Result<> ToyConsensus::load() {
    ICL_TRY(const auto index, store_.get(kFamily, kIndexKey));
    if (index) index_ = get_be64(*index);
    ICL_TRY(const auto known, store_.get(kFamily, kKnownKey));
    BytesView left = known ? BytesView(*known) : BytesView();
    while (!left.empty()) {
        ICL_TRY(const auto bytes, take_field(left));
        ICL_TRY(auto peer, PeerId::from_bytes(bytes));
        known_.insert(std::move(peer));
    }
    const auto rows = store_.iterate(kFamily, kEntryPrefix, kEntryEnd);
    while (true) {
        ICL_TRY(const bool more, rows->next());
        if (!more) break;
        ICL_TRY(auto one, decode(rows->value()));
        entries_.merge(one);
    }
    for (const auto& [cid, entry] : entries_)
        last_time_ = std::max({last_time_, entry.added.time, entry.removed.time});
    return ok();
}

Async<> ToyConsensus::start() {
    ICL_CO_TRY(load());
    started_ = world_.steady_now();
    host_.subscribe(kTopic, [this](net::TopicMessage message) { receive(std::move(message)); });
    tasks_.spawn(run_jobs());
    tasks_.spawn(run_rounds());
    co_return ok();
}

Async<> ToyConsensus::stop() {
    stopping_ = true;
    host_.unsubscribe(kTopic);
    auto stopped = co_await tasks_.stop();
    for (auto& job : jobs_) {
        if (!job.commit) continue;
        job.commit->result = fail(Kind::unknown_outcome, "consensus is closing");
        job.commit->done.notify_all();
    }
    jobs_.clear();
    changed_.notify_all();
    co_return stopped;
}

asio::awaitable<Error> ToyConsensus::wait_ended() {
    while (!ended_ && !stopping_) {
        auto woken = co_await changed_.wait();
        if (!woken) co_return woken.error();
    }
    co_return ended_.value_or(Error{Kind::shutting_down, "consensus was stopped"});
}

// Members.

void ToyConsensus::look_who_is_there() {
    const auto before = known_.size();
    for (const auto& ping : monitor_.latest("ping")) known_.insert(ping.peer);
    if (known_.size() == before) return;
    Bytes row;
    for (const auto& peer : known_) put_field(row, peer.bytes());
    storage::Batch batch;
    batch.put(kFamily, kKnownKey, std::move(row));
    if (auto written = store_.write(std::move(batch)); !written) ended_ = written.error();
}

std::vector<PeerId> ToyConsensus::peers() {
    std::vector<PeerId> out;
    for (const auto& peer : known_)
        if (peer == self_ || monitor_.alive(peer)) out.push_back(peer);
    return out;
}

component::Standing ToyConsensus::standing(const PeerId& peer) {
    return known_.contains(peer) ? component::Standing::member : component::Standing::unknown;
}

bool ToyConsensus::complete() {
    if (started_ == SteadyTime{}) return false;
    const auto live = peers();
    if (live.size() == 1 && told_us_.empty()) return world_.steady_now() - started_ >= kToyAlone;
    return std::all_of(live.begin(), live.end(), [this](const PeerId& peer) {
        return peer == self_ || told_us_.contains(peer);
    });
}

Async<> ToyConsensus::wait_ready(Duration limit) {
    const auto end = world_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(limit);
    while (!ready()) {
        if (ended_) co_return fail(*ended_);
        if (stopping_) co_return fail(Kind::shutting_down, "consensus is closing");
        if (world_.steady_now() >= end)
            co_return fail(Kind::unavailable, "not every live peer has told what it has");
        auto slept = co_await world_.sleep_for(kToyRound / 5);
        if (!slept) co_return slept;
    }
    co_return ok();
}

std::optional<std::size_t> ToyConsensus::rank(const Cid& cid) {
    if (!may_act()) return std::nullopt;
    if (always_first) return 0;
    const auto live = peers();
    const auto own = distance(cid, self_);
    return static_cast<std::size_t>(std::count_if(
        live.begin(), live.end(), [&](const PeerId& peer) { return distance(cid, peer) < own; }));
}

// The log.

ToyConsensus::Stamp ToyConsensus::new_stamp() {
    const auto now = std::max(world_.system_now(), kTimeUnset).time_since_epoch();
    last_time_ = std::max(last_time_ + 1, static_cast<std::uint64_t>(now.count()));
    return {last_time_, self_.bytes()};
}

Async<component::CommitResult> ToyConsensus::commit(PinOperation operation) {
    if (stopping_ || ended_) co_return fail(Kind::unavailable, "consensus has ended");
    auto wanted = std::make_shared<Commit>(world_.executor());
    wanted->operation = std::move(operation);
    jobs_.push_back({.commit = wanted, .from = {}, .told = {}});
    new_job_.notify_all();
    while (!wanted->result) {
        auto woken = co_await wanted->done.wait();
        if (!woken && !wanted->result)
            co_return fail(Kind::unknown_outcome, "the caller no longer waits");
    }
    co_return std::move(*wanted->result);
}

void ToyConsensus::receive(net::TopicMessage message) {
    auto told = decode(message.data);
    if (!told) return;
    jobs_.push_back({.commit = nullptr, .from = message.from, .told = std::move(told.value())});
    new_job_.notify_all();
}

asio::awaitable<void> ToyConsensus::run_jobs() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopping_ && !ended_) {
        if (jobs_.empty()) {
            auto woken = co_await new_job_.wait();
            if (!woken) co_return;
            continue;
        }
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        if (!job.commit) {
            auto merged = co_await merge(std::move(job.told));
            if (!merged) ended_ = merged.error();
            told_us_.insert(job.from);
        } else {
            auto done = co_await carry_out(std::move(job.commit->operation));
            job.commit->result = std::move(done);
            job.commit->done.notify_all();
        }
    }
    changed_.notify_all();
}

Async<component::CommitResult> ToyConsensus::carry_out(PinOperation operation) {
    const bool pins = operation.kind == PinOperation::Kind::pin;
    const auto cid = operation.pin.cid;
    storage::Batch batch;
    const auto found = entries_.find(cid);
    Entry entry = found == entries_.end() ? Entry{} : found->second;
    if (pins) {
        entry.added = new_stamp();
        entry.pin = codec::encode_pin(operation.pin);
    } else {
        entry.removed = entry.added;
    }
    ICL_CO_TRY(auto results, state_.apply(batch, index_ + 1, {{std::move(operation), {}}}));
    const auto outcome = results.at(0).outcome;
    if (outcome != state::ApplyOutcome::applied) {
        state_.dropped();
        const bool absent = outcome == state::ApplyOutcome::not_found;
        co_return fail(absent ? Kind::not_found : Kind::conflict, "another operation came first");
    }
    Entries changes;
    changes.emplace(cid, entry);
    auto written = co_await write(std::move(batch), std::move(changes));
    if (!written) {
        ended_ = written.error();
        co_return fail(Kind::unknown_outcome, written.error().text);
    }
    co_return component::CommitResult{index_};
}

Async<> ToyConsensus::merge(Entries told) {
    Entries changes;
    std::vector<state::LoggedOperation> operations;
    for (auto& [cid, theirs] : told) {
        const auto mine = entries_.find(cid);
        const Entry before = mine == entries_.end() ? Entry{} : mine->second;
        Entry after = before;
        after.removed = std::max(before.removed, theirs.removed);
        if (theirs.added > before.added) {
            after.added = theirs.added;
            after.pin = theirs.pin;
        }
        if (after.added == before.added && after.removed == before.removed) continue;
        last_time_ = std::max({last_time_, after.added.time, after.removed.time});
        state::LoggedOperation operation;
        operation.pin.cid = cid;
        if (after.stands() && after.added != before.added) {
            ICL_CO_TRY(operation.pin, codec::decode_pin(cid, after.pin));
            operations.push_back(std::move(operation));
        } else if (before.stands() && !after.stands()) {
            operation.kind = PinOperation::Kind::unpin;
            operations.push_back(std::move(operation));
        }
        changes.emplace(cid, std::move(after));
    }
    if (changes.empty()) co_return ok();
    storage::Batch batch;
    ICL_CO_TRY(state_.apply(batch, index_ + 1, operations));
    auto written = co_await write(std::move(batch), std::move(changes));
    co_return written;
}

Async<> ToyConsensus::write(storage::Batch batch, Entries changes) {
    for (const auto& [cid, entry] : changes)
        batch.put(kFamily, kEntryPrefix + cid.bytes(), encode(cid, entry));
    Bytes index;
    put_be64(index, index_ + 1);
    batch.put(kFamily, kIndexKey, std::move(index));
    auto written = co_await store_.write_synced(std::move(batch));
    if (!written) {
        state_.dropped();
        co_return written;
    }
    ++index_;
    state_.applied();
    for (auto& [cid, entry] : changes) entries_[cid] = std::move(entry);
    co_return ok();
}

asio::awaitable<void> ToyConsensus::run_rounds() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        look_who_is_there();
        for (const auto& peer : host_.known_peers()) {
            if (peer == self_ || host_.connected(peer)) continue;
            auto connected = co_await host_.connect(peer, {}, kToyRound);
            if (!connected && connected.error().kind == Kind::cancelled) co_return;
        }
        Bytes everything;
        for (const auto& [cid, entry] : entries_) everything += encode(cid, entry);
        auto sent = co_await host_.publish(kTopic, std::move(everything));
        if (!sent && sent.error().kind == Kind::cancelled) co_return;
        auto slept = co_await world_.sleep_for(kToyRound);
        if (!slept) co_return;
    }
}

peer::MakeConsensus make_toy_consensus() {
    return [](const peer::PeerParts& on, component::PeerMonitor& monitor) {
        return std::make_unique<ToyConsensus>(on, monitor);
    };
}

}  // namespace ipfscluster::test
