#include "cli/service/pin_file.hpp"

#include <boost/json.hpp>

#include "codec/json_reader.hpp"
#include "state/state.hpp"

namespace ipfscluster::service {

namespace {

namespace json = boost::json;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// What from_json lets pass because other places want it so: a mode it does not know.
Result<> check_words(const json::object& object) {
    const auto* mode = object.if_contains("mode");
    if (mode == nullptr || mode->is_null()) return ok();
    const auto* text = mode->if_string();
    if (text == nullptr || (*text != to_string(PinMode::recursive).data() &&
                            *text != to_string(PinMode::direct).data() && !text->empty()))
        return fail(Kind::invalid, "mode: must be \"recursive\" or \"direct\"");
    return ok();
}

Result<> check_pin(const Pin& pin) {
    if (!pin.cid.defined()) return fail(Kind::invalid, "cid: is missing");
    if (pin.type == PinType::bad || pin.type == PinType::all)
        return fail(Kind::invalid, "type: not one of a pin");
    if ((pin.options.mode == PinMode::direct) != (pin.max_depth == kDepthDirect))
        return fail(Kind::invalid, "mode: contradicts max_depth");
    if (pin.max_depth < kDepthRecursive)
        return fail(Kind::invalid, "max_depth: must not be less than -1");
    ICL_TRY(check_replication(pin.options.replication_min, pin.options.replication_max));
    state::LoggedOperation operation;
    operation.pin = pin;
    return state::check_operation(operation);
}

void apply_rules(const ImportRules& rules, Pin& pin) {
    auto& options = pin.options;
    if (options.replication_min == 0) options.replication_min = rules.default_replication_min;
    if (options.replication_max == 0) options.replication_max = rules.default_replication_max;
    if (rules.replication_min > 0) options.replication_min = rules.replication_min;
    if (rules.replication_max > 0) options.replication_max = rules.replication_max;
    if (!rules.allocations.empty()) pin.allocations = rules.allocations;
}

Result<Pin> parse_pin(const std::string& text) {
    json::parse_options options;
    options.max_depth = codec::kJsonDepthMax;
    boost::system::error_code ec;
    const auto value = json::parse(text, ec, {}, options);
    if (ec) return fail(Kind::invalid, "not valid JSON: " + ec.message());
    ICL_TRY(check_words(value.get_object()));
    Pin pin;
    ICL_TRY(codec::from_json(value, pin));
    return pin;
}

}  // namespace

Error PinReader::error_at_line(std::string_view why) const {
    return {Kind::invalid, "line " + std::to_string(first_line_) + ": " + std::string(why)};
}

bool PinReader::fill() {
    if (at_ < end_) return true;
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    at_ = 0;
    end_ = static_cast<std::size_t>(in_.gcount());
    return end_ > 0;
}

/// Takes the bytes of one object into `text_`; false at the end.
Result<bool> PinReader::cut() {
    text_.clear();
    for (;; ++at_) {
        if (!fill()) {
            first_line_ = line_;
            if (in_.bad()) return fail(error_at_line("cannot be read"));
            return false;
        }
        if (!is_blank(buffer_[at_])) break;
        if (buffer_[at_] == '\n') ++line_;
    }
    first_line_ = line_;
    if (buffer_[at_] != '{') return fail(error_at_line("a pin must begin with {"));
    std::size_t depth = 0;
    bool quoted = false, escaped = false;
    while (fill()) {
        const char c = buffer_[at_++];
        text_.push_back(c);
        if (c == '\n') ++line_;
        if (text_.size() > kPinTextMax) return fail(error_at_line("the pin is too large"));
        if (quoted) {
            if (escaped)
                escaped = false;
            else if (c == '\\')
                escaped = true;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return true;
        }
    }
    return fail(error_at_line("ends in the middle of a pin"));
}

Result<std::optional<Pin>> PinReader::next() {
    ICL_TRY(const bool more, cut());
    if (!more) return std::optional<Pin>{};
    auto pin = parse_pin(text_);
    if (!pin) return fail(error_at_line(pin.error().text));
    apply_rules(rules_, pin.value());
    if (auto checked = check_pin(pin.value()); !checked)
        return fail(error_at_line(checked.error().text));
    return std::optional<Pin>(std::move(pin.value()));
}

void append_pin_line(std::string& out, const Pin& pin) {
    codec::append_json(out, pin);
    out += '\n';
}

}  // namespace ipfscluster::service
