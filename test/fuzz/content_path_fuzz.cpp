#include "fuzz.hpp"
#include "ipfs/rpc/cid_text.hpp"
#include "ipfs/rpc/path.hpp"

// Paths as Kubo's commands take them: what is read has a canonical text that is read as the same.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {"/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn/a/../b//c/.",
            "ipfs://bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am/x",
            "/ipld/bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae/0/Links",
            "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
            "/ipns/example.com",
            "/",
            "//",
            "ipfs:"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    using fuzz::require;
    const auto in = fuzz::view(data, size);
    const auto text = ipfs_rpc::CidText::of_path(in);
    const auto path = ipfs_rpc::parse_content_path(in);
    if (!path) return 0;
    require(!text(path.value().root).empty(), "a root can be written");
    const auto again = ipfs_rpc::parse_content_path(path.value().text);
    require(again.has_value(), "the canonical text is a path");
    require(again.value().text == path.value().text, "the canonical text is canonical");
    require(again.value().root == path.value().root, "the root stays");
    require(again.value().segments == path.value().segments, "the names stay");
    return 0;
}
