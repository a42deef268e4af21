#include "config/config.hpp"

#include "config/size_spec.hpp"
#include "fuzz.hpp"

// service.json: a file is loaded or refused with a reason, and the secret never shows.
namespace ipfscluster::fuzz {

namespace {
constexpr const char* kSecret = "5ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7e75ec7";

Bytes default_file(config::IpfsChoice ipfs) {
    config::InitOptions options;
    options.custom_secret = kSecret;
    options.ipfs = ipfs;
    return config::default_config_json(options).value();
}
}  // namespace

std::vector<Bytes> seeds() {
    return {default_file(config::IpfsChoice::embedded),
            default_file(config::IpfsChoice::kubo),
            "{}",
            R"({"cluster":{"secret":"","listen_multiaddress":"/ip4/0.0.0.0/tcp/1"}})",
            R"({"source":"http://example.com/x"})",
            "90%",
            "512MiB",
            "10.5GB",
            "auto"};
}
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto in = fuzz::view(data, size);
    if (const auto spec = config::SizeSpec::parse(in)) {
        const auto again = config::SizeSpec::parse(spec.value().to_string());
        fuzz::require(again && again.value() == spec.value(), "an amount is read again");
        fuzz::require(spec.value().unit != config::SizeSpec::Unit::percent ||
                          spec.value().resolve(1000, 0, 0) <= 1000,
                      "a part is not more than the whole");
    }
    config::Warnings warnings;
    const auto config = config::parse_config(in, {}, warnings);
    if (!config) {
        fuzz::require(!config.error().text.empty(), "a refusal says why");
        return 0;
    }
    if (config.value().cluster.secret == fuzz::kSecret)
        fuzz::require(config::display_json(config.value()).find(fuzz::kSecret) == std::string::npos,
                      "the secret does not show");
    return 0;
}
