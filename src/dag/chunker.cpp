#include "dag/chunker.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include "dag/rolling_chunker.hpp"

namespace ipfscluster::dag {
namespace {

class SizeChunker final : public Chunker {
 public:
    explicit SizeChunker(std::size_t size) : size_(size) {}

    Result<> feed(BytesView data, const ChunkSink& sink) override {
        if (!pending_.empty()) {
            const auto take = std::min(size_ - pending_.size(), data.size());
            pending_ += data.substr(0, take);
            data.remove_prefix(take);
            if (pending_.size() < size_) return ok();
            ICL_TRY(sink(pending_));
            pending_.clear();
        }
        // Whole chunks pass through without a copy.
        for (; data.size() >= size_; data.remove_prefix(size_)) {
            ICL_TRY(sink(data.substr(0, size_)));
        }
        if (!data.empty()) {
            pending_.reserve(size_);
            pending_ = data;
        }
        return ok();
    }

    Result<> finish(const ChunkSink& sink) override {
        if (!pending_.empty()) {
            ICL_TRY(sink(pending_));
        }
        pending_.clear();
        return ok();
    }

 private:
    std::size_t size_;
    Bytes pending_;
};

Error bad(std::string_view text, const std::string& why) {
    return {Kind::invalid, "chunker \"" + std::string(text) + "\": " + why};
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0;;) {
        const auto dash = text.find('-', at);
        parts.push_back(text.substr(at, dash - at));
        if (dash == std::string_view::npos) return parts;
        at = dash + 1;
    }
}

std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// `1000` or, as the original allows, `min:1000`.
std::optional<std::size_t> labelled_number(std::string_view text, std::string_view label) {
    if (text.starts_with(label) && text.substr(label.size()).starts_with(":"))
        text.remove_prefix(label.size() + 1);
    return number(text);
}

Error too_large(std::string_view text) {
    return bad(text, "a chunk may not exceed " + std::to_string(kChunkBytesMax) + " bytes");
}

Result<ChunkerSpec> parse_size(std::string_view text, const std::vector<std::string_view>& parts) {
    if (parts.size() != 2) return fail(bad(text, "expected size-BYTES"));
    const auto size = number(parts[1]);
    if (!size || *size == 0) return fail(bad(text, "the size must be a positive number of bytes"));
    if (*size > kChunkBytesMax) return fail(too_large(text));
    return ChunkerSpec{ChunkerSpec::Kind::size, 0, *size, 0};
}

/// The window of the fingerprint; a smaller minimum leaves the original's arithmetic undefined.
constexpr std::size_t kRabinMinBytes = 16;

Result<ChunkerSpec> parse_rabin(std::string_view text, const std::vector<std::string_view>& parts) {
    ChunkerSpec spec{ChunkerSpec::Kind::rabin, 0, kChunkBytesDefault, 0};
    if (parts.size() <= 2) {
        if (parts.size() == 2) {
            const auto average = number(parts[1]);
            if (!average) return fail(bad(text, "the average must be a number of bytes"));
            spec.avg_bytes = *average;
        }
        if (spec.avg_bytes > kChunkBytesMax) return fail(too_large(text));
        spec.min_bytes = spec.avg_bytes / 3;
        spec.max_bytes = spec.avg_bytes + spec.avg_bytes / 2;
    } else if (parts.size() == 4) {
        const auto min = labelled_number(parts[1], "min");
        const auto avg = labelled_number(parts[2], "avg");
        const auto max = labelled_number(parts[3], "max");
        if (!min || !avg || !max)
            return fail(bad(text, "minimum, average and maximum must be numbers of bytes"));
        if (*min >= *avg) return fail(bad(text, "the minimum must be below the average"));
        if (*avg >= *max) return fail(bad(text, "the average must be below the maximum"));
        spec.min_bytes = *min;
        spec.avg_bytes = *avg;
        spec.max_bytes = *max;
    } else {
        return fail(bad(text, "expected rabin, rabin-AVG or rabin-MIN-AVG-MAX"));
    }
    if (spec.min_bytes < kRabinMinBytes)
        return fail(
            bad(text, "the minimum (a third of the average unless given) must be at least " +
                          std::to_string(kRabinMinBytes) + " bytes"));
    if (spec.max_bytes > kChunkBytesMax) return fail(too_large(text));
    return spec;
}

}  // namespace

Result<ChunkerSpec> parse_chunker(std::string_view text) {
    if (text.empty() || text == "default") return ChunkerSpec{};
    const auto parts = split(text);
    if (parts[0] == "size") return parse_size(text, parts);
    if (parts[0] == "rabin") return parse_rabin(text, parts);
    if (text == "buzhash") return ChunkerSpec{ChunkerSpec::Kind::buzhash, 0, 0, 0};
    return fail(bad(
        text,
        "unknown; expected size-BYTES, rabin, rabin-AVG, rabin-MIN-AVG-MAX, buzhash or default"));
}

std::unique_ptr<Chunker> make_chunker(const ChunkerSpec& spec) {
    switch (spec.kind) {
        case ChunkerSpec::Kind::rabin:
            return make_rabin_chunker(spec);
        case ChunkerSpec::Kind::buzhash:
            return make_buzhash_chunker();
        case ChunkerSpec::Kind::size:
            break;
    }
    return std::make_unique<SizeChunker>(spec.avg_bytes);
}

}  // namespace ipfscluster::dag
