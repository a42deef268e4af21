#include "config/fields.hpp"

#include <boost/json.hpp>
#include <type_traits>

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

json::value to_json(bool value) {
    return value;
}
json::value to_json(std::int64_t value) {
    return value;
}
json::value to_json(std::uint64_t value) {
    return value;
}
json::value to_json(double value) {
    return value;
}
json::value to_json(const std::string& value) {
    return json::string(value);
}
json::value to_json(Duration value) {
    return json::string(format_go_duration(value));
}
json::value to_json(const SizeSpec& value) {
    if (value.unit == SizeSpec::Unit::bytes) return value.amount;
    return json::string(value.to_string());
}
json::value to_json(const Multiaddr& value) {
    return json::string(value.to_string());
}
json::value to_json(const PeerId& value) {
    return json::string(value.to_string());
}

template <class T>
json::value to_json(const std::vector<T>& values) {
    json::array out;
    for (const T& value : values) out.push_back(to_json(value));
    return out;
}

template <class T>
json::value to_json(const std::map<std::string, T>& values) {
    json::object out;
    for (const auto& [key, value] : values) out[key] = to_json(value);
    return out;
}

}  // namespace

json::value field_to_json(const ValueRef& value, const FieldOptions& options) {
    json::value out = std::visit([](const auto* p) { return to_json(*p); }, value);
    if (options.null_when_empty && field_is_zero(value)) return nullptr;
    // "strings": a list of one is written as the bare text.
    if (!options.array_only && out.is_array() && out.get_array().size() == 1)
        return json::value(out.get_array()[0]);
    return out;
}

bool field_is_zero(const ValueRef& value) {
    return std::visit([](const auto* p) { return *p == std::remove_cvref_t<decltype(*p)>{}; },
                      value);
}

std::string join_path(std::string_view prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : std::string(prefix) + "." + std::string(name);
}

}  // namespace ipfscluster::config
