#include "ipfs/rpc/handlers.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

/// The version of Kubo's repository whose behaviour this node's store has.
constexpr std::string_view kRepoVersion = "18";

}  // namespace

Async<> repo_stat(Call& call) {
    const bool size_only = call.flag("size-only");
    ICL_CO_TRY(const auto size, co_await call.node().repo_stat());
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("RepoSize", size.repo_size);
        o.put("StorageMax", size.storage_max);
        o.put("NumObjects", size_only ? std::uint64_t{0} : call.node().blocks().stat().blocks);
        o.put("RepoPath", size_only ? std::string() : call.deps().repo_path);
        o.put("Version", size_only ? std::string() : "fs-repo@" + std::string(kRepoVersion));
    }
    co_return co_await call.emit_once(std::move(row));
}

Async<> repo_version(Call& call) {
    co_return co_await call.emit_once("{\"Version\":\"" + std::string(kRepoVersion) + "\"}");
}

Async<> repo_gc(Call& call) {
    const bool silent = call.flag("silent");
    const auto keys = call.node().repo_gc();
    while (true) {
        auto key = co_await keys->next();
        if (!key) {
            if (key.error().kind == Kind::cancelled || !call.flag("stream-errors"))
                co_return fail(key.error());
            std::string row = "{\"Key\":null,\"Error\":";
            codec::append_json(row, key.error().text);
            ICL_CO_TRY(co_await call.emit(row + "}"));
            co_return fail(Kind::internal, "encountered errors during gc run");
        }
        if (!key.value()) co_return ok();
        if (silent) continue;
        ICL_CO_TRY(
            co_await call.emit("{\"Key\":{\"/\":\"" + key.value()->key.to_string() + "\"}}"));
    }
}

Async<> version(Call& call) {
    std::string row;
    {
        codec::JsonObject o(row);
        o.put("Version", kKuboVersion);
        o.put("Commit", "ipfs-cluster-embedded");
        o.put("Repo", kRepoVersion);
        o.put("System", "");
        o.put("Golang", "");
    }
    co_return co_await call.emit_once(std::move(row));
}

}  // namespace ipfscluster::ipfs_rpc
