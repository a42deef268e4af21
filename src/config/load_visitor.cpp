#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "config/visitors.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

/// An error text without the key's name, or nothing.
using Problem = std::optional<std::string>;

std::string kind_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return "a number";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
    }
    return "something else";
}

Problem wrong_type(std::string_view wanted, const json::value& value) {
    return "must be " + std::string(wanted) + ", is " + kind_name(value);
}

Problem read(const json::value& in, bool& out, const FieldOptions&) {
    if (!in.is_bool()) return wrong_type("a boolean", in);
    out = in.get_bool();
    return {};
}

Problem read(const json::value& in, std::int64_t& out, const FieldOptions&) {
    if (!in.is_int64()) return wrong_type("an integer", in);
    out = in.get_int64();
    return {};
}

Problem read(const json::value& in, std::uint64_t& out, const FieldOptions&) {
    if (in.is_uint64()) {
        out = in.get_uint64();
    } else if (in.is_int64() && in.get_int64() >= 0) {
        out = static_cast<std::uint64_t>(in.get_int64());
    } else {
        return wrong_type("an integer that is not negative", in);
    }
    return {};
}

Problem read(const json::value& in, double& out, const FieldOptions&) {
    if (!in.is_number()) return wrong_type("a number", in);
    out = in.to_number<double>();
    return {};
}

Problem read(const json::value& in, std::string& out, const FieldOptions&) {
    if (!in.is_string()) return wrong_type("a string", in);
    out = in.get_string();
    return {};
}

Problem read(const json::value& in, Duration& out, const FieldOptions& options) {
    if (!in.is_string()) return wrong_type("a duration in quotes", in);
    const std::string_view text = in.get_string();
    if (text.empty()) {
        if (options.absent == Absent::zero) out = {};
        return {};
    }
    const auto parsed = parse_go_duration(text);
    if (!parsed)
        return "\"" + std::string(text.substr(0, 64)) +
               "\" is not a duration (such as 90s, 1h30m or 200ms)";
    out = parsed.value();
    return {};
}

Problem read(const json::value& in, SizeSpec& out, const FieldOptions&) {
    if (in.is_int64() && in.get_int64() >= 0) {
        out = SizeSpec::bytes(static_cast<std::uint64_t>(in.get_int64()));
        return {};
    }
    if (!in.is_string()) return wrong_type("a number of bytes or a text such as 90%", in);
    const auto parsed = SizeSpec::parse(in.get_string());
    if (!parsed) return parsed.error().text;
    out = parsed.value();
    return {};
}

Problem read_text(std::string_view text, std::string& out) {
    out = text;
    return {};
}

Problem read_text(std::string_view text, Multiaddr& out) {
    const auto parsed = Multiaddr::parse(text);
    if (!parsed) return parsed.error().text;
    out = parsed.value();
    return {};
}

Problem read_text(std::string_view text, PeerId& out) {
    const auto parsed = PeerId::parse(text);
    if (!parsed) return "\"" + std::string(text.substr(0, 128)) + "\": " + parsed.error().text;
    out = parsed.value();
    return {};
}

Problem read(const json::value& in, Multiaddr& out, const FieldOptions& options) {
    if (!in.is_string()) return wrong_type("a multiaddress in quotes", in);
    if (in.get_string().empty()) {
        if (options.absent == Absent::zero) out = {};
        return {};
    }
    return read_text(in.get_string(), out);
}

template <class T>
Problem read(const json::value& in, std::vector<T>& out, const FieldOptions& options) {
    if (in.is_string() && !options.array_only) {
        out.clear();
        if (in.get_string().empty()) return {};
        T one;
        auto problem = read_text(in.get_string(), one);
        if (!problem) out.push_back(std::move(one));
        return problem;
    }
    if (!in.is_array())
        return wrong_type(options.array_only ? "an array" : "a string or an array of strings", in);
    out.clear();
    for (const auto& element : in.get_array()) {
        if (!element.is_string()) return "each element " + *wrong_type("a string", element);
        T one;
        if (auto problem = read_text(element.get_string(), one)) return problem;
        out.push_back(std::move(one));
    }
    return {};
}

template <class T>
Problem read(const json::value& in, std::map<std::string, T>& out, const FieldOptions& options) {
    if (!in.is_object()) return wrong_type("an object", in);
    if (in.get_object().empty() && options.null_when_empty)
        return "must not be an empty object; leave it out instead";
    out.clear();
    FieldOptions inner;
    inner.array_only = true;
    for (const auto& [key, value] : in.get_object()) {
        if (auto problem = read(value, out[key], inner)) return std::string(key) + ": " + *problem;
    }
    return {};
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

}  // namespace

LoadVisitor::LoadVisitor(std::string path, const json::object& object, Warnings& warnings)
    : PathVisitor(std::move(path)), warnings_(warnings) {
    frames_.push_back({&object, {}});
}

const json::value* LoadVisitor::take(std::string_view name) {
    Frame& frame = frames_.back();
    if (frame.object == nullptr) return nullptr;
    const json::value* found = frame.object->if_contains(name);
    if (found != nullptr) frame.seen.insert(std::string(name));
    // The Go programs match keys in any case; the last of several wins.
    if (found == nullptr) {
        for (const auto& [key, value] : *frame.object) {
            if (!same_ignoring_case(key, name)) continue;
            found = &value;
            frame.seen.insert(key);
        }
    }
    return found != nullptr && !found->is_null() ? found : nullptr;
}

void LoadVisitor::field(std::string_view name, ValueRef value, const FieldOptions& options) {
    if (error_ || frames_.back().object == nullptr) return;
    const json::value* in = take(name);
    if (in == nullptr) {
        if (options.absent == Absent::zero)
            std::visit([](auto* p) { *p = std::remove_cvref_t<decltype(*p)>{}; }, value);
        return;
    }
    std::visit(
        [&](auto* p) {
            const auto before = *p;
            const auto problem = read(*in, *p, options);
            const bool zero = *p == std::remove_cvref_t<decltype(*p)>{};
            if (problem && options.loose_duration && in->is_string()) {
                warnings_.push_back(path_of(name) + ": " + *problem + "; the default is used");
                *p = before;
            } else if (problem) {
                refuse(name, *problem);
            } else if (zero && options.loose_duration) {
                warnings_.push_back(path_of(name) + ": is zero; the default is used");
                *p = before;
            } else if (zero && options.zero_is_default) {
                *p = before;
            }
        },
        value);
}

void LoadVisitor::begin_object(std::string_view name) {
    const json::value* in = error_ ? nullptr : take(name);
    if (in != nullptr && !in->is_object()) {
        refuse(name, *wrong_type("an object", *in));
        in = nullptr;
    }
    PathVisitor::begin_object(name);
    frames_.push_back({in == nullptr ? nullptr : &in->get_object(), {}});
}

void LoadVisitor::end_object() {
    warn_unknown(frames_.back());
    frames_.pop_back();
    PathVisitor::end_object();
}

void LoadVisitor::finish() {
    warn_unknown(frames_.back());
}

void LoadVisitor::warn_unknown(const Frame& frame) {
    if (frame.object == nullptr || error_) return;
    for (const auto& entry : *frame.object) {
        if (!frame.seen.contains(entry.key()))
            warnings_.push_back(path_of(entry.key()) + ": unknown key, ignored");
    }
}

}  // namespace ipfscluster::config
