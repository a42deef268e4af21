#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "dag/file_builder.hpp"

namespace ipfscluster::dag {

/// Progress is reported each time this many bytes of a file have come.
inline constexpr std::uint64_t kProgressBytes = 256u << 10;

/// The import options as texts and numbers, as a request or a command line carries them; an empty
/// text or nothing means the default.
struct ImportRequest {
    std::string chunker;             ///< see parse_chunker; default `size-262144`
    std::string layout;              ///< `balanced` (default) or `trickle`
    std::string hash;                ///< default sha2-256; upper or lower case
    int cid_version = 0;             ///< 0 or 1
    std::optional<bool> raw_leaves;  ///< default: true for version 1, else false
    bool wrap_with_directory = false;
    bool progress = false;
};

/// Checked options of one import. A plain value.
struct ImportOptions {
    FileOptions file;
    bool wrap_with_directory = false;
    bool progress = false;  ///< report progress entries
};

/// Fills in defaults and checks everything before the first byte is read; `invalid` names the
/// option.
Result<ImportOptions> check_import(const ImportRequest& request);

}  // namespace ipfscluster::dag
