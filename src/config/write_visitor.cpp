#include <boost/json.hpp>

#include "config/visitors.hpp"

namespace ipfscluster::config {

namespace json = boost::json;

WriteVisitor::WriteVisitor(const json::object* defaults, bool hide) : hide_(hide) {
    frames_.push_back({"", {}, defaults});
}

void WriteVisitor::field(std::string_view name, ValueRef value, const FieldOptions& options) {
    Frame& frame = frames_.back();
    if (options.never_written) return;
    json::value out = field_to_json(value, options);
    if (options.omit_default && frame.defaults != nullptr) {
        const json::value* usual = frame.defaults->if_contains(name);
        if (usual != nullptr && *usual == out) return;
    }
    if (hide_ && options.secret && !field_is_zero(value)) out = "XXX_hidden_XXX";
    frame.object[name] = std::move(out);
}

void WriteVisitor::begin_object(std::string_view name) {
    const json::object* outer = frames_.back().defaults;
    const json::value* inner = outer == nullptr ? nullptr : outer->if_contains(name);
    frames_.push_back({std::string(name), {}, inner == nullptr ? nullptr : inner->if_object()});
}

void WriteVisitor::end_object() {
    Frame done = std::move(frames_.back());
    frames_.pop_back();
    frames_.back().object[done.name] = std::move(done.object);
}

json::object WriteVisitor::take() {
    return std::move(frames_.back().object);
}

ListVisitor::ListVisitor(std::string path, std::string prefix, Each each)
    : paths_{std::move(path)}, prefixes_{std::move(prefix)}, each_(std::move(each)) {}

void ListVisitor::field(std::string_view name, ValueRef value, const FieldOptions& options) {
    each_(join_path(paths_.back(), name), variable_name(prefixes_.back(), name), value, options);
}

void ListVisitor::begin_object(std::string_view name) {
    paths_.push_back(join_path(paths_.back(), name));
    prefixes_.push_back(variable_name(prefixes_.back(), name));
}

void ListVisitor::end_object() {
    paths_.pop_back();
    prefixes_.pop_back();
}

}  // namespace ipfscluster::config
