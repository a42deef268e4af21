#include "cli/ctl/tar_reader.hpp"
#include "fuzz.hpp"
#include "http/tar_format.hpp"

// An archive a server sends: entries are whole, data belongs to a file and fits its size, and
// pieces do not change what is read.
namespace ipfscluster::fuzz {

std::vector<Bytes> seeds() {
    using namespace http;
    const Bytes content = "hello";
    Bytes archive = tar_header(TarType::directory, "d", 0) +
                    tar_header(TarType::file, "d/f", content.size()) + content +
                    tar_padding(content.size()) + tar_header(TarType::symlink, "d/l", 0, "f");
    return {archive + tar_end(), archive + tar_damage("reason"),
            tar_header(TarType::file, std::string(300, 'n'), 0) + tar_end(),
            tar_header(TarType::file, "\xc3\xa9/\xff", 9'000'000'000'000ull), tar_end()};
}

namespace {
class Recorder final : public ctl::TarSink {
 public:
    Result<> entry(const ctl::TarEntry& entry) override {
        require(!open_, "an entry ends before the next");
        open_ = true;
        left_ = entry.type == ctl::TarEntry::Type::file ? entry.size : 0;
        text += "[" + entry.path + ">" + entry.target + "]";
        return ok();
    }
    Result<> data(BytesView piece) override {
        require(open_ && piece.size() <= left_, "data fits its file");
        left_ -= piece.size();
        text += piece;
        return ok();
    }
    Result<> end() override {
        require(open_ && left_ == 0, "a file is whole at its end");
        open_ = false;
        return ok();
    }
    std::string text;

 private:
    bool open_ = false;
    std::uint64_t left_ = 0;
};

/// What was read, or nothing when the archive is refused.
template <class Cutter>
std::optional<std::string> read(BytesView in, Cutter cut) {
    ctl::TarReader reader;
    Recorder recorder;
    while (!in.empty()) {
        const BytesView piece = cut(in);
        in.remove_prefix(piece.size());
        if (!reader.feed(piece, recorder)) return std::nullopt;
    }
    if (!reader.finish()) return std::nullopt;
    return recorder.text;
}

/// The checksum is made right, so that mutations reach what is behind it.
Bytes with_checksums(BytesView in) {
    Bytes out(in);
    for (std::size_t at = 0; at + 512 <= out.size(); at += 512) {
        if (out.compare(at + 257, 5, "ustar") != 0) continue;
        out.replace(at + 148, 8, 8, ' ');
        unsigned sum = 0;
        for (std::size_t i = 0; i < 512; ++i) sum += static_cast<std::uint8_t>(out[at + i]);
        char text[9];
        std::snprintf(text, sizeof text, "%06o", sum);
        out.replace(at + 148, 7, text, 7);
    }
    return out;
}
}  // namespace
}  // namespace ipfscluster::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ipfscluster;
    using namespace ipfscluster::fuzz;
    const auto in = view(data, size);
    for (const auto& archive : {Bytes(in), with_checksums(in)}) {
        const auto whole = read(archive, [](BytesView rest) { return rest; });
        const auto pieces = read(archive, [](BytesView rest) { return rest.substr(0, 37); });
        require(whole == pieces, "pieces do not change what is read");
    }
    return 0;
}
