#include "config/json_text.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

void put_escape(std::string& out, unsigned code) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[code >> shift & 15]);
}

void put_string(std::string& out, std::string_view text) {
    out.push_back('"');
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (code < 0x20 || c == '<' || c == '>' || c == '&') {
            put_escape(out, code);
        } else if (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029") {
            put_escape(out, text.substr(i, 3) == "\u2028" ? 0x2028 : 0x2029);
            i += 2;
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

class Printer {
 public:
    explicit Printer(unsigned indent) : indent_(indent) {}

    void put(const json::value& value) {
        switch (value.kind()) {
            case json::kind::null:
                out += "null";
                break;
            case json::kind::bool_:
                out += value.get_bool() ? "true" : "false";
                break;
            case json::kind::int64:
                out += std::to_string(value.get_int64());
                break;
            case json::kind::uint64:
                out += std::to_string(value.get_uint64());
                break;
            case json::kind::double_:
                put_double(value.get_double());
                break;
            case json::kind::string:
                put_string(out, value.get_string());
                break;
            case json::kind::array:
                put_array(value.get_array());
                break;
            case json::kind::object:
                put_object(value.get_object());
                break;
        }
    }

    std::string out;

 private:
    void put_double(double value) {
        std::array<char, 32> text;
        const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        out.append(text.data(), end);
    }

    void put_array(const json::array& array) {
        open('[');
        for (const auto& element : array) {
            next();
            put(element);
        }
        close(']');
    }

    void put_object(const json::object& object) {
        open('{');
        for (const auto& [key, value] : object) {
            next();
            put_string(out, key);
            out += indent_ == 0 ? ":" : ": ";
            put(value);
        }
        close('}');
    }

    void open(char bracket) {
        out.push_back(bracket);
        ++depth_;
        first_ = true;
    }

    void next() {
        if (!first_) out.push_back(',');
        first_ = false;
        new_line();
    }

    void close(char bracket) {
        --depth_;
        if (!first_) new_line();
        first_ = false;
        out.push_back(bracket);
    }

    void new_line() {
        if (indent_ == 0) return;
        out.push_back('\n');
        out.append(static_cast<std::size_t>(indent_) * depth_, ' ');
    }

    unsigned indent_;
    unsigned depth_ = 0;
    bool first_ = true;
};

}  // namespace

std::string json_text(const json::value& value, unsigned indent) {
    Printer printer(indent);
    printer.put(value);
    return std::move(printer.out);
}

std::string json_quote(std::string_view text) {
    std::string out;
    put_string(out, text);
    return out;
}

Result<json::object> parse_json_object(std::string_view text) {
    json::parser parser;
    boost::system::error_code error;
    const std::size_t read = parser.write_some(text.data(), text.size(), error);
    const auto bad = [&](const std::string& why) {
        const auto line =
            std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
        return fail(Kind::invalid, "not valid JSON: line " + std::to_string(line + 1) + ": " + why);
    };
    if (error) return bad(error.message());
    if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos)
        return bad("something follows the object");
    json::value value = parser.release();
    if (!value.is_object()) return fail(Kind::invalid, "not a JSON object");
    return std::move(value.get_object());
}

}  // namespace ipfscluster::config
