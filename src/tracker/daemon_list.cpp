#include "tracker/daemon_list.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

#include "state/state.hpp"

namespace ipfscluster::tracker {

namespace {

/// Records read back from the spool in one visit to the disk.
constexpr std::size_t kSpoolBatchMax = 1024;

constexpr char kDirect = 'd';
constexpr char kRecursive = 'r';

std::string spool_folder(const std::string& configured) {
    if (!configured.empty()) return configured;
    std::error_code ec;
    const auto folder = std::filesystem::temp_directory_path(ec);
    return ec ? std::string("/tmp") : folder.string();
}

}  // namespace

DaemonList::DaemonList(World& world, const std::string& temporary_folder)
    : world_(world), spool_(std::make_shared<SortedSpool>(spool_folder(temporary_folder))) {}

Async<std::uint64_t> DaemonList::read(component::IpfsConnector& ipfs) {
    std::vector<std::string> types{"recursive", "direct"};
    auto list = ipfs.pin_ls(std::move(types));
    std::uint64_t listed = 0;
    for (;;) {
        auto pin = co_await list->next();
        if (!pin) co_return fail(pin.error());
        if (!pin.value()) break;
        const auto status = pin.value()->status;
        if (status != IpfsPinStatus::recursive && status != IpfsPinStatus::direct) continue;
        if (++listed % kListYieldRows == 0) co_await asio::post(asio::use_awaitable);
        auto record = pin.value()->cid.bytes();
        // Longer ones are in no pinset.
        if (record.size() > state::kCidBytesMax) continue;
        record.push_back(status == IpfsPinStatus::recursive ? kRecursive : kDirect);
        if (!spool_->add(record)) continue;
        auto work = [spool = spool_] { return spool->write_run(); };
        ICL_CO_TRY(co_await offload(world_, work));
    }
    auto work = [spool = spool_] { return spool->finish(); };
    ICL_CO_TRY(co_await offload(world_, work));
    co_return listed;
}

Async<std::optional<Listed>> DaemonList::next() {
    ICL_CO_TRY(auto record, co_await take());
    if (!record) co_return std::optional<Listed>{};
    Listed listed;
    listed.recursive = record->back() == kRecursive;
    record->pop_back();
    listed.cid = std::move(*record);
    // One that changed its kind while it was listed may be there twice.
    for (;;) {
        ICL_CO_TRY(co_await fill());
        if (at_ == batch_.size()) break;
        const BytesView again = batch_[at_];
        if (again.substr(0, again.size() - 1) != listed.cid) break;
        listed.recursive = listed.recursive || again.back() == kRecursive;
        ++at_;
    }
    co_return std::optional<Listed>(std::move(listed));
}

Async<> DaemonList::fill() {
    if (at_ < batch_.size() || ended_) co_return ok();
    auto work = [spool = spool_] { return spool->read(kSpoolBatchMax); };
    ICL_CO_TRY(batch_, co_await offload(world_, work));
    at_ = 0;
    ended_ = batch_.empty();
    co_return ok();
}

Async<std::optional<Bytes>> DaemonList::take() {
    ICL_CO_TRY(co_await fill());
    if (at_ == batch_.size()) co_return std::optional<Bytes>{};
    co_return std::optional<Bytes>(std::move(batch_[at_++]));
}

}  // namespace ipfscluster::tracker
