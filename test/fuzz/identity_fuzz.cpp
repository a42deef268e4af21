#include "config/identity.hpp"

#include <filesystem>
#include <fstream>

#include "base/encoding.hpp"
#include "fuzz.hpp"
#include "support/temp_folder.hpp"

// identity.json: an accepted file names the id that belongs to its key.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {config::identity_json(ed25519_from_seed(Bytes(32, 's'))), "{}",
            R"({"id":"12D3KooW","private_key":""})"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    static const test::TempFolder folder;
    const auto path = config::identity_path(folder.path());
    std::filesystem::remove(path);  // a truncated file would be synced at its close
    std::ofstream(path, std::ios::binary) << fuzz::view(data, size);
    const auto key = config::load_identity(folder.path(), {});
    if (!key) {
        fuzz::require(!key.error().text.empty(), "a refusal says why");
        return 0;
    }
    const auto parsed = parse_private_key(key.value().private_key);
    fuzz::require(parsed && parsed.value().id == key.value().id, "the id belongs to the key");
    return 0;
}
