#pragma once
#include <functional>

#include "base/assert.hpp"
#include "codec/wire.hpp"

/// Helpers of the struct encoders: maps with string keys whose empty fields are left out.
namespace ipfscluster::codec {

inline bool is_zero(bool value) {
    return !value;
}
inline bool is_zero(Time value) {
    return value == kTimeUnset;
}
inline bool is_zero(const Cid& value) {
    return !value.defined();
}
template <class T>
requires(std::integral<T> || std::is_enum_v<T>) bool is_zero(T value) {
    return value == T{};
}
template <class T>
requires requires(const T& value) {
    value.empty();
}
bool is_zero(const T& value) {
    return value.empty();
}

/// Writes one struct: the map's head is filled in when the number of fields is known.
class FieldWriter {
 public:
    explicit FieldWriter(Writer& out) : out_(out), head_(out.out().size()) {
        out.out().push_back('\x80');
    }
    FieldWriter(const FieldWriter&) = delete;
    FieldWriter& operator=(const FieldWriter&) = delete;
    ~FieldWriter() {
        auto& bytes = out_.out();
        if (count_ < 16) {
            bytes[head_] = static_cast<char>(0x80 | count_);
            return;
        }
        ICL_ASSERT(count_ <= 0xff, "structs have few fields");
        bytes[head_] = '\xde';
        bytes.insert(head_ + 1, {'\0', static_cast<char>(count_)});
    }

    template <class T>
    void always(BytesView key, const T& value) {
        ++count_;
        out_.raw(key);
        encode(out_, value);
    }
    template <class T>
    void put(BytesView key, const T& value) {
        if (!is_zero(value)) always(key, value);
    }

 private:
    Writer& out_;
    std::size_t head_;
    std::size_t count_ = 0;
};

/// For field readers: takes the value and says that the key was known.
template <class T>
Result<bool> take(Reader& in, T& value) {
    ICL_TRY(decode(in, value));
    return true;
}

/// Reads one struct. `field(key, in)` takes the value of a key it knows and answers true; values of
/// other keys are skipped. A nil leaves everything at zero.
template <class F>
Result<> read_fields(Reader& in, F&& field) {
    ICL_TRY(const auto count, in.map());
    for (std::size_t i = 0; i < count; ++i) {
        ICL_TRY(const auto key, in.raw());
        Result<bool> known = field(key, in);
        if (!known)
            return fail(known.error().in("field \"" + std::string(key.substr(0, 32)) + "\""));
        if (!known.value()) {
            ICL_TRY(in.skip());
        }
    }
    return ok();
}

}  // namespace ipfscluster::codec
