#pragma once
#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "codec/json.hpp"

/// Field readers over Boost.JSON; included by sources only. Null leaves a value at its zero, as in
/// Go.
namespace ipfscluster::codec {

namespace json = boost::json;

Result<> from_json(const json::value& in, bool& value);
Result<> from_json(const json::value& in, double& value);
Result<> from_json(const json::value& in, std::string& value);
Result<> from_json(const json::value& in, Cid& value);
Result<> from_json(const json::value& in, PeerId& value);
Result<> from_json(const json::value& in, Multiaddr& value);
Result<> from_json(const json::value& in, Time& value);
Result<> from_json(const json::value& in, PinMode& value);
Result<> from_json(const json::value& in, PinType& value);
Result<> from_json(const json::value& in, TrackerStatus& value);
template <JsonStruct T>
Result<> from_json(const json::value& in, T& value);
template <class T>
Result<> from_json(const json::value& in, std::vector<T>& list);
template <class K, class T>
Result<> from_json(const json::value& in, std::map<K, T>& map);
/// The two halves of "any integer": exactly one answers.
Result<std::int64_t> json_signed(const json::value& in);
Result<std::uint64_t> json_unsigned(const json::value& in);

template <std::integral T>
requires(!std::same_as<T, bool>) Result<> from_json(const json::value& in, T& value) {
    value = 0;
    if (in.is_null()) return ok();
    if constexpr (std::is_signed_v<T>) {
        ICL_TRY(const auto number, json_signed(in));
        if (!std::in_range<T>(number)) return fail(Kind::invalid, "a number out of range");
        value = static_cast<T>(number);
    } else {
        ICL_TRY(const auto number, json_unsigned(in));
        if (!std::in_range<T>(number)) return fail(Kind::invalid, "a number out of range");
        value = static_cast<T>(number);
    }
    return ok();
}

template <class T>
Result<> from_json(const json::value& in, std::optional<T>& value) {
    value.reset();
    if (in.is_null()) return ok();
    return from_json(in, value.emplace());
}

template <class T>
Result<> from_json(const json::value& in, std::vector<T>& list) {
    list.clear();
    if (in.is_null()) return ok();
    if (!in.is_array()) return fail(Kind::invalid, "not a list");
    for (const auto& item : in.get_array()) {
        T value{};
        ICL_TRY(from_json(item, value));
        list.push_back(std::move(value));
    }
    return ok();
}

inline Result<> from_json_key(std::string_view text, std::string& key) {
    key.assign(text);
    return ok();
}
inline Result<> from_json_key(std::string_view text, PeerId& key) {
    ICL_TRY(key, PeerId::parse(text));
    return ok();
}

template <class K, class T>
Result<> from_json(const json::value& in, std::map<K, T>& map) {
    map.clear();
    if (in.is_null()) return ok();
    if (!in.is_object()) return fail(Kind::invalid, "not an object");
    for (const auto& [name, item] : in.get_object()) {
        K key;
        ICL_TRY(from_json_key(std::string_view(name.data(), name.size()), key));
        T value{};
        ICL_TRY(from_json(item, value));
        map.insert_or_assign(std::move(key), std::move(value));
    }
    return ok();
}

/// Reads the fields of one object: `JsonFields f(in); f.take("name", x); return f.result();` The
/// first error sticks and names its field.
class JsonFields {
 public:
    explicit JsonFields(const json::value& in) {
        if (in.is_object())
            object_ = &in.get_object();
        else if (!in.is_null())
            error_ = Error{Kind::invalid, "not an object"};
    }
    template <class T>
    void take(std::string_view name, T& value) {
        const json::value* found = find(name);
        if (found == nullptr) return;
        if (auto read = from_json(*found, value); !read) set_error(read.error().in(name));
    }
    /// The field's value; null when it is missing or an error has been seen.
    const json::value* find(std::string_view name) const {
        if (object_ == nullptr || !error_.text.empty()) return nullptr;
        return object_->if_contains(json::string_view(name.data(), name.size()));
    }
    void set_error(Error error) { error_ = std::move(error); }
    Result<> result() const {
        if (!error_.text.empty()) return fail(error_);
        return ok();
    }

 private:
    const json::object* object_ = nullptr;
    Error error_{Kind::invalid, {}};
};

}  // namespace ipfscluster::codec
