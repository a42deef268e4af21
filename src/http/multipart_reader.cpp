#include "http/multipart_reader.hpp"

#include <algorithm>

#include "http/header_params.hpp"

namespace ipfscluster::http {

namespace {

Error truncated() {
    return {Kind::corrupt, "the multipart body ends before its closing boundary"};
}

Result<Headers> parse_part_head(std::string_view text) {
    Headers headers;
    while (!text.empty()) {
        const auto end = std::min(text.find("\r\n"), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 2, text.size()));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return fail(Kind::corrupt, "malformed multipart part header");
        auto value = line.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
            value.remove_prefix(1);
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
            value.remove_suffix(1);
        headers.add(line.substr(0, colon), value);
    }
    return headers;
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
    ICL_TRY(auto parsed, parse_header_params(content_type));
    if (parsed.value != "multipart/form-data" && parsed.value != "multipart/mixed")
        return fail(Kind::invalid, "Content-Type is not multipart/form-data");
    const auto boundary = parsed.get("boundary");
    if (boundary.empty()) return fail(Kind::invalid, "Content-Type: no multipart boundary");
    if (boundary.size() > kBoundaryBytesMax)
        return fail(Kind::invalid, "Content-Type: the multipart boundary is too long");
    return std::string(boundary);
}

MultipartReader::MultipartReader(std::string boundary, BodyPull pull)
    // The body may begin with the first delimiter's "--": pretend a line end stands before it.
    : delimiter_("\r\n--" + std::move(boundary)), pull_(std::move(pull)), in_("\r\n") {}

Async<bool> MultipartReader::fill() {
    if (ended_) co_return false;
    auto piece = co_await pull_();
    if (!piece) co_return fail(piece.error());
    if (piece.value().empty()) {
        ended_ = true;
        co_return false;
    }
    if (in_.empty())
        in_ = std::move(piece.value());
    else
        in_.append(piece.value());
    co_return true;
}

/// A delimiter counts only when "--" or the end of a line follows; otherwise it is content that
/// looks like one. Not `whole`: the bytes before `at` are surely content, the others need more
/// input.
MultipartReader::Found MultipartReader::find_delimiter() const {
    std::size_t from = 0;
    while (true) {
        std::size_t at = in_.find(delimiter_, from);
        std::size_t end = at == std::string::npos ? at : at + delimiter_.size();
        // A part without content may lack the line end of its delimiter.
        if (from == 0 && part_start_ && in_.starts_with(std::string_view(delimiter_).substr(2))) {
            at = 0;
            end = delimiter_.size() - 2;
        }
        if (at == std::string::npos) {
            const auto kept = std::min(in_.size(), delimiter_.size() - 1);
            for (std::size_t start = in_.size() - kept; start < in_.size(); ++start)
                if (delimiter_.starts_with(std::string_view(in_).substr(start)))
                    return {start, 0, false};
            return {in_.size(), 0, false};
        }
        if (in_.size() - end < 2) return {at, 0, false};
        const auto next = std::string_view(in_).substr(end, 2);
        if (next == "--" || next == "\r\n" || next[0] == ' ' || next[0] == '\t')
            return {at, end, true};
        from = at + 1;
    }
}

Async<Bytes> MultipartReader::read() {
    if (place_ != Place::part) co_return Bytes{};
    while (true) {
        // With few bytes at the front of a part its missing line end could still appear.
        const bool short_start = part_start_ && in_.size() < delimiter_.size() && !ended_;
        const auto found = find_delimiter();
        if (found.whole || (found.at > 0 && !short_start)) {
            Bytes piece = in_.substr(0, found.at);
            in_.erase(0, found.whole ? found.end : found.at);
            part_start_ = false;
            if (found.whole) place_ = Place::between;
            // The delimiter is gone from the input, so an empty piece really is the end of the
            // part.
            co_return piece;
        }
        ICL_CO_TRY(const bool more, co_await fill());
        if (!more) co_return fail(truncated());
    }
}

Async<std::optional<Headers>> MultipartReader::next_part() {
    if (place_ == Place::closed) co_return std::optional<Headers>{};
    while (place_ == Place::part) {
        ICL_CO_TRY(auto skipped, co_await read());
        if (skipped.empty()) break;
    }
    while (place_ == Place::preamble) {
        const auto found = find_delimiter();
        if (found.whole) {
            in_.erase(0, found.end);
            place_ = Place::between;
            break;
        }
        in_.erase(0, found.at);
        ICL_CO_TRY(const bool more, co_await fill());
        if (!more) co_return fail(Kind::corrupt, "the multipart body has no boundary");
    }
    if (in_.starts_with("--")) {
        place_ = Place::closed;
        in_.clear();
        co_return std::optional<Headers>{};
    }
    ICL_CO_TRY(auto headers, co_await read_head());
    co_return std::optional<Headers>(std::move(headers));
}

Async<Headers> MultipartReader::read_head() {
    std::size_t line_end = 0;
    while ((line_end = in_.find("\r\n")) == std::string::npos || in_.size() < line_end + 4) {
        if (in_.size() > kPartHeaderBytesMax) break;
        ICL_CO_TRY(const bool more, co_await fill());
        if (!more) co_return fail(truncated());
    }
    if (in_.find_first_not_of(" \t") != line_end)
        co_return fail(Kind::corrupt, "text behind a multipart boundary");
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n", line_end)) == std::string::npos) {
        if (in_.size() - line_end > kPartHeaderBytesMax) break;
        ICL_CO_TRY(const bool more, co_await fill());
        if (!more) co_return fail(truncated());
    }
    if (end == std::string::npos || end - line_end > kPartHeaderBytesMax)
        co_return fail(Kind::corrupt, "a multipart part header is longer than " +
                                          std::to_string(kPartHeaderBytesMax) + " bytes");
    const std::string text =
        end > line_end ? in_.substr(line_end + 2, end - line_end - 2) : std::string();
    in_.erase(0, end + 4);
    place_ = Place::part;
    part_start_ = true;
    ICL_CO_TRY(auto headers, parse_part_head(text));
    co_return headers;
}

}  // namespace ipfscluster::http
