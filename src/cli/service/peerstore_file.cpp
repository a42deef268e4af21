#include "cli/service/peerstore_file.hpp"

#include "base/log.hpp"
#include "config/peerstore.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::service {

Async<std::vector<Multiaddr>> PeerstoreFile::load() {
    config::Warnings warnings;
    ICL_CO_TRY(auto known, config::load_peerstore(path_, warnings));
    for (const auto& text : warnings) logger("pstoremgr")->warn("{}", text);
    co_return known;
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
