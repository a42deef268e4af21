#pragma once
#include <memory>
#include <optional>
#include <utility>

#include "client/transport.hpp"
#include "codec/json.hpp"
#include "http/ndjson.hpp"

namespace ipfscluster::client {

/// A list of JSON documents read as they come, one line each. Owned by the reader; holds one
/// document at a time. An error ends it.
template <class T>
class Stream {
 public:
    explicit Stream(AnswerPtr answer) : answer_(std::move(answer)) {}

    /// Nothing at the clean end. Items read before an error stay valid.
    Call<std::optional<T>> next() {
        while (true) {
            if (auto line = lines_.next()) co_return parse(*line);
            if (ended_) co_return std::optional<T>{};
            ICL_CO_TRY(auto piece, co_await answer_->read());
            if (piece.empty()) {
                ended_ = true;
                const std::string rest = lines_.rest();
                if (!rest.empty()) co_return parse(rest);
                continue;
            }
            ICL_CO_TRY(lines_.feed(piece));
        }
    }

 private:
    static ApiResult<std::optional<T>> parse(const std::string& line) {
        auto value = codec::parse_json<T>(line);
        if (!value) return api_fail(value.error().in("the server's answer"));
        return std::optional<T>(std::move(value.value()));
    }

    AnswerPtr answer_;
    http::LineSplitter lines_{kDocumentBytesMax};
    bool ended_ = false;
};
template <class T>
using StreamPtr = std::unique_ptr<Stream<T>>;

}  // namespace ipfscluster::client
