#include "cli/service/pin_file.hpp"

#include <sstream>

#include "fuzz.hpp"

// What `state import` reads: each pin it takes is written and read again as the same.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    return {
        R"({"replication_factor_min":1,"replication_factor_max":2,"name":"a } \" b","mode":"direct","shard_size":1,)"
        R"("user_allocations":null,"expire_at":"2035-01-02T03:04:05.5Z","metadata":{"k":"v"},"pin_update":)"
        R"("QmPZ9gcCEpqKTo6aq61g2nXGUhM4iCL3ewB6LDXZCtioEB","origins":["/ip4/1.2.3.4/tcp/1"],"cid":)"
        R"("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG","type":"pin","allocations":)"
        R"(["12D3KooWKuXKC3V3xFU3b5JyMqYJ7hKk4P4Ncb2q4SVk1AkwAQzg"],"max_depth":0,"reference":null,)"
        R"("timestamp":"2026-01-02T03:04:06+01:00"})"
        "\n",
        "{\"cid\":\"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG\"}\r\n\t"
        "{ \"cid\" : {\"/\":\"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG\"}, "
        "\"type\":\"shard-pin\", \"max_depth\":1 }"};
}

namespace {

Result<std::string> read_and_write(std::string text) {
    std::istringstream in(std::move(text));
    service::PinReader reader(in, {});
    std::string out;
    while (true) {
        ICL_TRY(const auto pin, reader.next());
        if (!pin) return out;
        service::append_pin_line(out, *pin);
    }
}

}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    const auto first = fuzz::read_and_write(std::string(fuzz::view(data, size)));
    if (!first) {
        fuzz::require(first.error().text.starts_with("line "), "an error names the line");
        return 0;
    }
    const auto second = fuzz::read_and_write(first.value());
    fuzz::require(second.has_value(), "what is written can be read");
    fuzz::require(second.value() == first.value(), "a pin is written the same again");
    return 0;
}
