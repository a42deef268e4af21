#include "http/ndjson.hpp"

#include <algorithm>

namespace ipfscluster::http {

Result<> LineSplitter::feed(BytesView piece) {
    if (at_ > 0) {
        in_.erase(0, at_);
        searched_ -= at_;
        at_ = 0;
    }
    const auto last_end = in_.rfind('\n');
    auto open = last_end == std::string::npos ? in_.size() : in_.size() - last_end - 1;
    for (BytesView rest = piece;; open = 0) {
        const auto end = rest.find('\n');
        if (open + std::min(end, rest.size()) > line_bytes_max_)
            return fail(Kind::corrupt,
                        "a line is longer than " + std::to_string(line_bytes_max_) + " bytes");
        if (end == BytesView::npos) break;
        rest.remove_prefix(end + 1);
    }
    in_.append(piece);
    return ok();
}

std::optional<std::string> LineSplitter::next() {
    while (true) {
        const auto end = in_.find('\n', searched_);
        if (end == std::string::npos) {
            searched_ = in_.size();
            return std::nullopt;
        }
        std::string line = in_.substr(at_, end - at_);
        at_ = searched_ = end + 1;
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (!line.empty()) return line;
    }
}

std::string LineSplitter::rest() {
    std::string line = in_.substr(at_);
    in_.clear();
    at_ = searched_ = 0;
    return line;
}

}  // namespace ipfscluster::http
