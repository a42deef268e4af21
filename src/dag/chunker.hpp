#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::dag {

/// Largest chunk any chunker may produce: 2 MiB less the room for a UnixFS leaf's framing (Kubo
/// 0.43).
inline constexpr std::size_t kChunkBytesMax = (2u << 20) - 256;
inline constexpr std::size_t kChunkBytesDefault = 256u << 10;

/// A checked `chunker` option. A plain value.
struct ChunkerSpec {
    enum class Kind { size, rabin, buzhash };
    Kind kind = Kind::size;
    std::size_t min_bytes = 0;
    std::size_t avg_bytes = kChunkBytesDefault;  ///< the chunk size itself for `size`
    std::size_t max_bytes = 0;

    friend bool operator==(const ChunkerSpec&, const ChunkerSpec&) = default;
};

/// `size-N`, `rabin`, `rabin-AVG`, `rabin-MIN-AVG-MAX` (each number may carry its label, `min:N`),
/// `buzhash`, `default` or nothing. `invalid` names the option and what is wrong with it.
Result<ChunkerSpec> parse_chunker(std::string_view text);

/// Takes one chunk; the view is valid during the call only.
using ChunkSink = std::function<Result<>(BytesView)>;

/// Cuts one byte stream into the chunks Kubo would cut, however the stream is divided into feeds.
/// Holds at most one unfinished chunk. Owned by a FileBuilder; any one strand.
class Chunker {
 public:
    virtual ~Chunker() = default;
    /// Passes on every chunk that ends within `data`. An error is the sink's.
    virtual Result<> feed(BytesView data, const ChunkSink& sink) = 0;
    /// Passes on the rest, if any, and makes the chunker ready for the next stream.
    virtual Result<> finish(const ChunkSink& sink) = 0;
};

std::unique_ptr<Chunker> make_chunker(const ChunkerSpec& spec);

}  // namespace ipfscluster::dag
