#pragma once
#include "codec/pin_query.hpp"
#include "http/exchange.hpp"
#include "multi/cid.hpp"

/// Reading parts of a request; every error is `invalid` and names the part.
namespace ipfscluster::rest {

inline Result<codec::Query> query_of(const http::Exchange& e) {
    auto query = codec::parse_query(e.request.query);
    if (!query) return fail(query.error().in("query"));
    return query;
}
/// `local` counts only when it is exactly `true` (reference/http 3).
inline bool is_true(const codec::Query& query, std::string_view name) {
    return codec::query_value(query, name) == "true";
}
inline Result<Cid> cid_of(std::string_view text) {
    auto cid = Cid::parse(text);
    if (!cid) return fail(cid.error().in("error decoding Cid \"" + std::string(text) + "\""));
    return cid;
}

}  // namespace ipfscluster::rest
