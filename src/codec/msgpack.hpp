#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

/// MessagePack as Go's ugorji `MsgpackHandle` speaks it with default options: strings and byte
/// strings are written in the old "raw" forms only (no str8, no bin), everything is accepted on
/// input. Plain functions over bytes; any strand.
namespace ipfscluster::codec {

/// Most containers inside one another that a reader follows.
inline constexpr std::size_t kMsgpackDepthMax = 32;
/// Largest single value accepted unless a caller says otherwise: a 2 MiB block with its envelope
/// fits twice.
inline constexpr std::size_t kMsgpackBytesMax = 4 * 1024 * 1024;

/// Appends values to a buffer owned by the caller.
class Writer {
 public:
    explicit Writer(Bytes& out) : out_(out) {}

    void nil() { out_.push_back('\xc0'); }
    void boolean(bool value) { out_.push_back(value ? '\xc3' : '\xc2'); }
    /// Go's signed types: positive values beyond fixint use the signed widths d1…d3.
    void signed_int(std::int64_t value);
    /// Go's unsigned types: cc…cf.
    void unsigned_int(std::uint64_t value);
    /// Strings and byte strings alike: a0–bf, da, db.
    void raw(BytesView bytes);
    void array(std::size_t count);
    void map(std::size_t pairs);

    Bytes& out() { return out_; }

 private:
    Bytes& out_;
};

enum class MsgpackType : std::uint8_t {
    nil,
    boolean,
    signed_int,
    unsigned_int,
    float64,
    raw,
    array,
    map,
    extension
};

/// The head of one value. `size` counts the head itself; a raw or extension payload of `value`
/// bytes follows it, as do the `value` elements (pairs) of an array (map).
struct MsgpackHead {
    MsgpackType type = MsgpackType::nil;
    std::size_t size = 0;
    /// Length, count, boolean, or number: two's complement of a negative one, the bits of a double.
    std::uint64_t value = 0;
    std::int8_t extension = 0;
};
/// Reads a head from the front of `in`; nothing when bytes are missing, `corrupt` for the unused
/// byte c1.
Result<std::optional<MsgpackHead>> read_msgpack_head(BytesView in);

/// Finds the end of one value in bytes that arrive in pieces, without looking at any byte twice.
class Scanner {
 public:
    explicit Scanner(std::size_t bytes_max = kMsgpackBytesMax) : bytes_max_(bytes_max) {}
    /// `in`: everything received since the value's first byte. Its length once it is complete,
    /// nothing while more bytes are needed; `corrupt` when it is malformed, too deep or longer than
    /// the limit.
    Result<std::optional<std::size_t>> scan(BytesView in);
    /// Ready for the next value.
    void reset();

 private:
    Result<bool> step(BytesView in);

    std::size_t bytes_max_;
    std::size_t at_ = 0;
    bool started_ = false;
    std::vector<std::uint64_t> open_;  ///< elements still due, per open container
};

/// Reads values from a complete buffer that outlives it. After an error its position is
/// unspecified. Every failure is `corrupt` and says at which byte.
class Reader {
 public:
    explicit Reader(BytesView in) : in_(in) {}

    bool at_end() const { return at_ == in_.size(); }
    std::size_t position() const { return at_; }
    /// Removes a nil if one is next.
    bool take_nil();
    Result<bool> boolean();
    /// Any width and sign whose value fits.
    Result<std::int64_t> signed_int();
    Result<std::uint64_t> unsigned_int();
    /// raw, str8 or bin; points into the buffer.
    Result<BytesView> raw();
    /// A raw value, or the payload of an extension of type -1 (time stamps).
    Result<BytesView> raw_or_timestamp();
    /// Number of elements that follow; a nil counts as none.
    Result<std::size_t> array();
    /// Number of pairs that follow; a nil counts as none.
    Result<std::size_t> map();
    /// Removes one whole value.
    Result<> skip();
    /// The error of a value that cannot be taken, with the position.
    Error error(std::string what) const;

 private:
    Result<MsgpackHead> head();
    Result<BytesView> payload(const MsgpackHead& h);

    BytesView in_;
    std::size_t at_ = 0;
};

}  // namespace ipfscluster::codec
