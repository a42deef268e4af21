#include "cli/service/peerstore_file.hpp"

#include <cstdio>

#include "base/log.hpp"
#include "config/peerstore.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::service {

Async<std::vector<Multiaddr>> PeerstoreFile::load() {
    config::Warnings warnings;
    auto known = config::load_peerstore(path_, warnings);
    if (!known) warnings.push_back(known.error().text);
    for (const auto& text : warnings) logger("pstoremgr")->warn("{}", text);
    // The next save writes what could be read.
    const auto aside = path_ + ".bad";
    if (!warnings.empty() && std::rename(path_.c_str(), aside.c_str()) == 0)
        logger("pstoremgr")
            ->warn("the peerstore could not be read whole and lies aside path={}", aside);
    co_return known ? std::move(known.value()) : config::Addresses{};
}

Async<> PeerstoreFile::save(std::vector<Multiaddr> addresses) {
    auto work = [path = path_, addresses = std::move(addresses)]() -> Result<bool> {
        ICL_TRY(config::save_peerstore(path, addresses));
        return true;
    };
    auto saved = co_await offload(world_, std::move(work));
    if (!saved) co_return fail(saved.error());
    co_return ok();
}

}  // namespace ipfscluster::service
