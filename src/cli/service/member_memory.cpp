#include "cli/service/member_memory.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace ipfscluster::service {

MemberMemory::MemberMemory(World& world, std::string path)
    : world_(world), path_(std::move(path)), saved_(world.executor()) {}

Result<> MemberMemory::load() {
    auto read = config::load_remembered(path_);
    readable_ = read.has_value();
    if (readable_) {
        known_ = std::move(read.value());
        return ok();
    }
    if (read.error().kind == Kind::unsupported) return fail(read.error());
    logger("service")->warn("whom this peer remembers cannot be read error=\"{}\"",
                            read.error().text);
    known_ = {.joining = true, .members = {}};
    return ok();
}

Async<> MemberMemory::note_joining() {
    if (!readable_ || known_.joining || !known_.members.empty()) co_return ok();
    config::Remembered value{.joining = true, .members = {}};
    co_return co_await save(std::move(value));
}

Async<> MemberMemory::keep(std::vector<PeerId> members, PeerId self) {
    if (std::find(members.begin(), members.end(), self) == members.end()) co_return ok();
    std::erase(members, self);
    std::sort(members.begin(), members.end());
    config::Remembered value{.joining = false, .members = std::move(members)};
    co_return co_await save(std::move(value));
}

Async<> MemberMemory::save(config::Remembered value) {
    // One at a time: they share the temporary file.
    while (saving_) {
        auto woken = co_await saved_.wait();
        if (!woken) co_return fail(woken.error());
    }
    if (readable_ && value == known_) co_return ok();
    auto work = [path = path_, value]() -> Result<bool> {
        ICL_TRY(config::save_remembered(path, value));
        return true;
    };
    saving_ = true;
    auto saved = co_await offload(world_, std::move(work));
    saving_ = false;
    saved_.notify_all();
    if (!saved) co_return fail(saved.error());
    known_ = std::move(value);
    readable_ = true;
    co_return ok();
}

}  // namespace ipfscluster::service
