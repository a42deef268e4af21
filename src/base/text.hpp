#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What several formats do with text. Plain functions; any strand.
namespace ipfscluster {

/// Go's strconv.ParseBool: 1, t, T, true, True, TRUE and their opposites.
std::optional<bool> parse_go_bool(std::string_view text);

/// The words of a list, without blanks around them and without empty ones.
std::vector<std::string_view> split_words(std::string_view list, char separator = ',');

/// A path without empty parts, `.` and `..`, never above where it begins: "/a//../b/" is "b".
std::string clean_relative_path(std::string_view path);

/// Bytes of the UTF-8 character at the front of `text`, which is not empty; 0 when it is none.
std::size_t utf8_size(std::string_view text);

/// How JSON text is escaped: as Go's encoder does, which spares HTML `<`, `>` and `&` and has short
/// forms for \b and \f, or as DAG-JSON, where the bytes decide a CID.
enum class JsonEscapes { go, dag_json };
/// Appends `text` in quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_text(std::string& out, std::string_view text, JsonEscapes escapes);

template <class Range, class T>
bool contains(const Range& range, const T& value) {
    return std::find(std::begin(range), std::end(range), value) != std::end(range);
}

}  // namespace ipfscluster
