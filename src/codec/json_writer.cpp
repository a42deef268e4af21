#include "codec/json_writer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/text.hpp"

namespace ipfscluster::codec {
void append_json(std::string& out, std::string_view text) {
    append_json_text(out, text, JsonEscapes::go);
}

void append_json(std::string& out, double value) {
    // JSON has no other numbers; Go refuses them, we show nothing measured.
    if (!std::isfinite(value)) value = 0;
    fmt::format_to(std::back_inserter(out), "{}", value);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
}

void append_json(std::string& out, Time value) {
    out += '"';
    out += format_rfc3339(value);
    out += '"';
}

void append_json(std::string& out, const Cid& value) {
    if (!value.defined()) {
        out += "null";
        return;
    }
    out += '"';
    out += value.to_string();
    out += '"';
}

void append_json(std::string& out, const PeerId& value) {
    out += '"';
    out += value.to_string();
    out += '"';
}

void append_json(std::string& out, const Multiaddr& value) {
    append_json(out, value.to_string());
}

}  // namespace ipfscluster::codec
