#include "load_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json_writer.hpp"

namespace ipfscluster::bench {

std::string ListResult::to_json() const {
    std::string text;
    codec::append_json(text, error);
    return fmt::format(
        R"({{"status":{},"rows":{},"bytes":{},"first_row_seconds":{:.4f},"seconds":{:.3f},"error":{}}})",
        status, rows, bytes, first_row_seconds, seconds, text);
}

Async<ListResult> run_list(World& world, http::ClientConfig api, std::string target) {
    http::Client client(world, std::move(api));
    ListResult result;
    const auto start = world.steady_now();
    auto passed = [&] { return std::chrono::duration<double>(world.steady_now() - start).count(); };
    http::ClientRequest request;
    request.target = std::move(target);
    ICL_CO_TRY(auto call, co_await client.send(std::move(request)));
    result.status = call->status();
    while (true) {
        auto piece = co_await call->read();
        if (!piece) {
            result.error = piece.error().text;
            break;
        }
        if (piece.value().empty()) {
            result.error = call->trailer_error();
            break;
        }
        const auto rows = std::count(piece.value().begin(), piece.value().end(), '\n');
        if (result.rows == 0 && rows > 0) result.first_row_seconds = passed();
        result.rows += static_cast<std::uint64_t>(rows);
        result.bytes += piece.value().size();
    }
    result.seconds = passed();
    call.reset();
    client.close();
    co_return result;
}

}  // namespace ipfscluster::bench
