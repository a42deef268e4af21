// What the daemons of all members hold and throw away.
#include "base/log.hpp"
#include "cluster/cluster.hpp"

namespace ipfscluster::cluster {

Async<RepoGc> Cluster::repo_gc_local() {
    RepoGc gc;
    gc.peer = self();
    gc.peername = options_.peername;
    std::uint64_t unlisted = 0;
    auto keys = parts_.ipfs.repo_gc();
    while (true) {
        auto key = co_await keys->next();
        if (!key) {
            gc.error = key.error().text;
            break;
        }
        if (!key.value()) break;
        // The answer is one JSON object by contract, so its size is bounded here.
        if (gc.keys.size() < kGcKeysMax)
            gc.keys.push_back(std::move(*key.value()));
        else if (++unlisted; gc.error.empty())
            gc.error = key.value()->error;
    }
    if (unlisted > 0)
        logger("cluster")->info(
            "garbage collection: {} removed keys, {} of them are listed in the answer",
            gc.keys.size() + unlisted, gc.keys.size());
    co_return gc;
}

Async<GlobalRepoGc> Cluster::repo_gc() {
    GlobalRepoGc all;
    for (const auto& peer : parts_.members.peers()) {
        if (peer == self()) {
            auto own = co_await repo_gc_local();
            if (!own) co_return fail(own.error());
            all.peer_map[peer] = std::move(own.value());
            continue;
        }
        auto other = co_await parts_.peers.repo_gc_local(peer);
        if (other) {
            all.peer_map[peer] = std::move(other.value());
        } else {
            if (other.error().kind == Kind::cancelled) co_return fail(other.error());
            RepoGc failed;
            failed.peer = peer;
            failed.peername = ping_info(peer).peername;
            failed.error = other.error().text;
            all.peer_map[peer] = std::move(failed);
        }
    }
    co_return all;
}

namespace {

/// The keys of one member after the other: the own daemon's as they come, the others' when their
/// collection is over.
class AllGcKeys final : public Source<RepoGcKey> {
 public:
    AllGcKeys(component::IpfsConnector& ipfs, PeerClient& client, PeerId self,
              std::vector<PeerId> members)
        : ipfs_(ipfs), client_(client), self_(std::move(self)), members_(std::move(members)) {}

    Async<std::optional<RepoGcKey>> next() override {
        while (true) {
            if (own_) {
                auto key = co_await own_->next();
                if (key && key.value()) co_return key;
                own_.reset();
                if (key) continue;
                if (key.error().kind == Kind::cancelled) co_return fail(key.error());
                co_return failure(self_, key.error().text);
            }
            if (key_at_ < others_.keys.size())
                co_return std::optional<RepoGcKey>(std::move(others_.keys[key_at_++]));
            if (!others_.error.empty()) {
                const auto why = std::exchange(others_.error, {});
                co_return failure(others_.peer, why);
            }
            if (at_ == members_.size()) co_return std::optional<RepoGcKey>{};
            const auto peer = members_[at_++];
            if (peer == self_) {
                own_ = ipfs_.repo_gc();
                continue;
            }
            auto answer = co_await client_.repo_gc_local(peer);
            key_at_ = 0;
            others_ = RepoGc{};
            if (answer) {
                others_ = std::move(answer.value());
            } else {
                if (answer.error().kind == Kind::cancelled) co_return fail(answer.error());
                others_.error = answer.error().text;
            }
            others_.peer = peer;
        }
    }

 private:
    static std::optional<RepoGcKey> failure(const PeerId& peer, const std::string& why) {
        RepoGcKey row;
        row.error = peer.to_string() + ": " + why;
        return row;
    }

    component::IpfsConnector& ipfs_;
    PeerClient& client_;
    PeerId self_;
    std::vector<PeerId> members_;
    std::size_t at_ = 0;
    SourcePtr<RepoGcKey> own_;
    RepoGc others_;  ///< of the member before `at_`
    std::size_t key_at_ = 0;
};

}  // namespace

SourcePtr<RepoGcKey> Cluster::repo_gc_keys() {
    return std::make_unique<AllGcKeys>(parts_.ipfs, parts_.peers, self(), parts_.members.peers());
}

asio::awaitable<void> Cluster::ask_repo_stat(PeerId peer,
                                             std::shared_ptr<std::optional<Result<RepoStat>>> out) {
    if (peer == self()) {
        auto own = co_await parts_.ipfs.repo_stat();
        out->emplace(std::move(own));
        co_return;
    }
    auto other = co_await parts_.peers.repo_stat(peer);
    out->emplace(std::move(other));
}

Async<RepoStat> Cluster::repo_stat() {
    const auto members = parts_.members.peers();
    std::vector<std::shared_ptr<std::optional<Result<RepoStat>>>> answers;
    std::vector<asio::awaitable<void>> asks;
    for (const auto& peer : members) {
        answers.push_back(std::make_shared<std::optional<Result<RepoStat>>>());
        asks.push_back(ask_repo_stat(peer, answers.back()));
    }
    ICL_CO_TRY(co_await run_all(std::move(asks)));
    RepoStat sum;
    std::size_t answered = 0;
    std::string failures;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& answer = *answers[i];
        if (answer && *answer) {
            ++answered;
            sum.repo_size += answer->value().repo_size;
            sum.storage_max += answer->value().storage_max;
            continue;
        }
        failures += (failures.empty() ? "" : "; ") + members[i].to_string() + ": " +
                    (answer ? answer->error().text : std::string("not asked"));
    }
    if (answered == 0)
        co_return fail(Kind::unavailable, "no member could say its repository's size: " + failures);
    co_return sum;
}

}  // namespace ipfscluster::cluster
