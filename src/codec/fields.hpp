#pragma once
#include <concepts>
#include <string_view>
#include <type_traits>

#include "base/time.hpp"
#include "multi/cid.hpp"

/// A struct that travels is described once: `describe(v, value)` calls `v({"name", "n"},
/// value.name)` for each field in the order of Go's declaration. Each form brings a visitor that
/// writes the fields and one that reads them; `V::kJson` and `V::kReads` tell which one is at work.
namespace ipfscluster::codec {

/// What a field does otherwise than usual. Usual: JSON shows a field whatever it holds, but for a
/// peer id that is not known (Go's decoders refuse an empty one); MessagePack leaves out zeros.
enum FieldRule : unsigned {
    kUsual = 0,
    kJsonOmits = 1,         ///< JSON leaves out a zero too
    kWireAlways = 2,        ///< MessagePack shows a zero too
    kWireSkipsUnknown = 4,  ///< addresses whose protocol we do not know are passed over
};

/// The names of a field. A field of one form only is described under `if constexpr (V::kJson)`, or
/// in a struct that has no other form.
struct FieldName {
    std::string_view json;
    std::string_view wire = {};
    unsigned rules = kUsual;
};

/// `Of<Pin> auto& pin` takes a Pin to read into and a constant one to write.
template <class S, class T>
concept Of = std::same_as<std::remove_const_t<S>, T>;

/// What may be left out. A struct is no zero, whatever it holds.
template <class T>
bool is_zero(const T& value) {
    if constexpr (std::same_as<T, Time>)
        return value == kTimeUnset;
    else if constexpr (std::same_as<T, Cid>)
        return !value.defined();
    else if constexpr (requires { value.empty(); })
        return value.empty();
    else if constexpr (requires { value.has_value(); })
        return !value.has_value();
    else if constexpr (std::integral<T> || std::is_enum_v<T>)
        return value == T{};
    else
        return false;
}

}  // namespace ipfscluster::codec
