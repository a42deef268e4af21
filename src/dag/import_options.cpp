#include "dag/import_options.hpp"

#include <algorithm>
#include <cctype>

namespace ipfscluster::dag {
namespace {

std::string to_lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool is_import_hash(HashCode code) {
    switch (code) {
        case HashCode::sha2_256:
        case HashCode::sha2_512:
        case HashCode::sha3_256:
        case HashCode::sha3_512:
        case HashCode::blake2b_256:
            return true;
        default:
            return false;
    }
}

}  // namespace

Result<ImportOptions> check_import(const ImportRequest& request) {
    ImportOptions options;
    ICL_TRY(options.file.chunker, parse_chunker(request.chunker));

    if (request.layout == "trickle")
        options.file.layout = Layout::trickle;
    else if (!request.layout.empty() && request.layout != "balanced")
        return fail(Kind::invalid,
                    "layout \"" + request.layout + "\": expected balanced or trickle");

    if (request.cid_version != 0 && request.cid_version != 1)
        return fail(Kind::invalid,
                    "cid-version " + std::to_string(request.cid_version) + ": expected 0 or 1");
    options.file.cids.version = request.cid_version;

    if (!request.hash.empty()) {
        ICL_TRY(auto hash, parse_hash_name(to_lower(request.hash)));
        if (!is_import_hash(hash))
            return fail(Kind::invalid, "hash \"" + request.hash +
                                           "\": not a hash for content; expected "
                                           "sha2-256, sha2-512, sha3-256, sha3-512 or blake2b-256");
        options.file.cids.hash = hash;
    }
    if (options.file.cids.version == 0 && options.file.cids.hash != HashCode::sha2_256)
        return fail(Kind::invalid, "hash \"" + request.hash + "\" needs cid-version 1");

    options.file.raw_leaves = request.raw_leaves.value_or(request.cid_version > 0);
    options.wrap_with_directory = request.wrap_with_directory;
    options.progress = request.progress;
    return options;
}

}  // namespace ipfscluster::dag
