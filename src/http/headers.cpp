#include "http/headers.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace ipfscluster::http {

namespace {
char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
}  // namespace

bool equals_nocase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::add(std::string_view name, std::string_view value) {
    const auto at = static_cast<std::uint32_t>(text_.size());
    text_.append(name).append(value);
    const auto name_size = static_cast<std::uint32_t>(name.size());
    fields_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

void Headers::remove(std::string_view name) {
    // The text stays behind: it goes with clear().
    std::erase_if(
        fields_, [&](const Field& f) { return equals_nocase(view(f.name_at, f.name_size), name); });
}

void Headers::clear() {
    text_.clear();
    fields_.clear();
}

std::string_view Headers::get(std::string_view name) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (equals_nocase(name_at(i), name)) return value_at(i);
    return {};
}

bool Headers::has(std::string_view name) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (equals_nocase(name_at(i), name)) return true;
    return false;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (equals_nocase(name_at(i), name)) values.push_back(value_at(i));
    return values;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (!equals_nocase(name_at(i), name)) continue;
        for (const auto item : split_words(value_at(i)))
            if (equals_nocase(item, token)) return true;
    }
    return false;
}

void Headers::write_to(std::string& out) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        out.append(name_at(i)).append(": ").append(value_at(i)).append("\r\n");
}

}  // namespace ipfscluster::http
