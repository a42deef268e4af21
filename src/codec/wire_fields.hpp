#pragma once
#include <optional>

#include "base/assert.hpp"
#include "codec/fields.hpp"
#include "codec/wire.hpp"

/// Described structs in MessagePack: maps with string keys. For sources that define a struct's
/// `encode` and `decode`.
namespace ipfscluster::codec {

/// Writes one struct: the map's head is filled in when the number of fields is known.
class WirePut {
 public:
    static constexpr bool kJson = false;
    static constexpr bool kReads = false;
    explicit WirePut(Writer& out) : out_(out), head_(out.out().size()) {
        out.out().push_back('\x80');
    }
    WirePut(const WirePut&) = delete;
    WirePut& operator=(const WirePut&) = delete;
    ~WirePut() {
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
    void operator()(const FieldName& name, const T& value) {
        if ((name.rules & kWireAlways) == 0 && is_zero(value)) return;
        ++count_;
        out_.raw(name.wire);
        encode(out_, value);
    }

 private:
    Writer& out_;
    std::size_t head_;
    std::size_t count_ = 0;
};

/// Takes the value of one key into the field that bears it.
class WireTake {
 public:
    static constexpr bool kJson = false;
    static constexpr bool kReads = true;
    WireTake(BytesView key, Reader& in) : key_(key), in_(in) {}

    template <class T>
    void operator()(const FieldName& name, T& value) {
        if (done_ || name.wire != key_) return;
        if constexpr (std::same_as<T, std::vector<Multiaddr>>)
            done_ = name.rules & kWireSkipsUnknown ? take_known(value) : decode(in_, value);
        else
            done_ = decode(in_, value);
    }
    /// How the reading went; nothing when no field bears the key.
    const std::optional<Result<>>& done() const { return done_; }

 private:
    Result<> take_known(std::vector<Multiaddr>& list) {
        list.clear();
        ICL_TRY(const auto count, in_.array());
        for (std::size_t i = 0; i < count; ++i) {
            std::string bytes;
            ICL_TRY(decode(in_, bytes));
            auto address = Multiaddr::from_bytes(bytes);
            if (address) list.push_back(std::move(address.value()));
        }
        return ok();
    }

    BytesView key_;
    Reader& in_;
    std::optional<Result<>> done_;
};

template <class T>
void put_struct(Writer& out, const T& value) {
    WirePut fields(out);
    describe(fields, value);
}

/// Fields that are missing stay as they are, as do all at a nil; values of unknown keys are
/// skipped.
template <class T>
Result<> take_struct(Reader& in, T& value) {
    ICL_TRY(const auto count, in.map());
    for (std::size_t i = 0; i < count; ++i) {
        ICL_TRY(const auto key, in.raw());
        WireTake field(key, in);
        describe(field, value);
        if (!field.done()) {
            ICL_TRY(in.skip());
        } else if (const auto& done = *field.done(); !done) {
            return fail(done.error().in("field \"" + std::string(key.substr(0, 32)) + "\""));
        }
    }
    return ok();
}

}  // namespace ipfscluster::codec
