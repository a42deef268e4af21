#include "api/content/tar_stream.hpp"

#include "http/tar_format.hpp"

namespace ipfscluster::content {

namespace {

using component::DirectoryEntry;
using component::FileInfo;
using component::IpfsConnector;

constexpr std::uint64_t kTarFillMax = 64 * 1024;

/// Copies the file's bytes; `left` tells how many are missing when it fails.
Async<> copy_content(IpfsConnector& ipfs, const ByteSink& sink, FileInfo info, std::string path,
                     std::uint64_t& left) {
    ICL_CO_TRY(auto content, co_await ipfs.cat(info.cid, 0, info.size));
    while (true) {
        ICL_CO_TRY(auto piece, co_await content->next());
        if (!piece) break;
        if (piece->size() > left)
            co_return fail(Kind::corrupt, path + ": longer than its size says");
        left -= piece->size();
        ICL_CO_TRY(co_await sink(std::move(*piece)));
    }
    if (left != 0) co_return fail(Kind::corrupt, path + ": shorter than its size says");
    co_return ok();
}

Async<> write_file(IpfsConnector& ipfs, const ByteSink& sink, FileInfo info, std::string path) {
    ICL_CO_TRY(co_await sink(http::tar_header(http::TarType::file, path, info.size)));
    std::uint64_t left = info.size;
    auto copied = co_await copy_content(ipfs, sink, info, std::move(path), left);
    // After a failure the damage mark must stand where a header is due, not inside this file; where
    // too much is missing for that, the archive ends in the middle of a file, which every reader
    // notices too.
    if (!copied && left <= kTarFillMax) {
        ICL_CO_TRY(co_await sink(std::string(left, '\0') + http::tar_padding(info.size)));
    }
    if (!copied) co_return copied;
    co_return co_await sink(http::tar_padding(info.size));
}

/// A name from a block is not to be trusted: it must stay inside its directory when unpacked.
Result<> check_name(const DirectoryEntry& entry, const std::string& directory) {
    const auto& name = entry.name;
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
        return fail(Kind::corrupt, directory + ": the directory holds an unusable name");
    return ok();
}

struct Level {
    std::string path;
    SourcePtr<DirectoryEntry> entries;
};

Async<> open_level(IpfsConnector& ipfs, const ByteSink& sink, std::vector<Level>& levels,
                   Cid directory, std::string path) {
    if (levels.size() == kTarDepthMax)
        co_return fail(Kind::invalid, path + ": too many levels of directories");
    ICL_CO_TRY(co_await sink(http::tar_header(http::TarType::directory, path, 0)));
    ICL_CO_TRY(auto entries, co_await ipfs.ls(directory));
    levels.push_back({std::move(path), std::move(entries)});
    co_return ok();
}

Async<> write_entry(IpfsConnector& ipfs, const ByteSink& sink, std::vector<Level>& levels,
                    DirectoryEntry entry, std::string path) {
    if (entry.type == DirectoryEntry::Type::symlink) {
        ICL_CO_TRY(auto target, co_await ipfs.read_link(entry.cid));
        co_return co_await sink(http::tar_header(http::TarType::symlink, path, 0, target));
    }
    if (entry.type == DirectoryEntry::Type::directory)
        co_return co_await open_level(ipfs, sink, levels, std::move(entry.cid), std::move(path));
    // The size in a link is that of the whole DAG, so the node itself is asked.
    ICL_CO_TRY(auto info, co_await ipfs.stat("/ipfs/" + entry.cid.to_string()));
    if (info.directory)
        co_return co_await open_level(ipfs, sink, levels, std::move(info.cid), std::move(path));
    co_return co_await write_file(ipfs, sink, std::move(info), std::move(path));
}

}  // namespace

Async<> write_tar(IpfsConnector& ipfs, ByteSink sink, FileInfo info, std::string name) {
    if (!info.directory) {
        ICL_CO_TRY(co_await write_file(ipfs, sink, std::move(info), std::move(name)));
        co_return co_await sink(http::tar_end());
    }
    std::vector<Level> levels;
    ICL_CO_TRY(co_await open_level(ipfs, sink, levels, std::move(info.cid), std::move(name)));
    while (!levels.empty()) {
        ICL_CO_TRY(auto entry, co_await levels.back().entries->next());
        if (!entry) {
            levels.pop_back();
            continue;
        }
        ICL_CO_TRY(check_name(*entry, levels.back().path));
        std::string path = levels.back().path + "/" + entry->name;
        ICL_CO_TRY(co_await write_entry(ipfs, sink, levels, std::move(*entry), std::move(path)));
    }
    co_return co_await sink(http::tar_end());
}

}  // namespace ipfscluster::content
