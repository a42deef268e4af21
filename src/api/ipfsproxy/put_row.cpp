#include "api/ipfsproxy/put_row.hpp"

#include <boost/json.hpp>

namespace ipfscluster::ipfsproxy {

Result<Cid> parse_put_row(Op op, std::string_view line) {
    namespace json = boost::json;
    const auto bad = [&](std::string_view why) {
        return fail(Kind::corrupt, "the daemon's answer \"" + std::string(line.substr(0, 200)) +
                                       "\" " + std::string(why));
    };
    boost::system::error_code ec;
    const json::value row = json::parse(json::string_view(line.data(), line.size()), ec);
    if (ec || !row.is_object()) return bad("is not a JSON object");
    const json::value* found = row.get_object().if_contains(op == Op::dag_put ? "Cid" : "Key");
    if (op == Op::dag_put && found != nullptr)
        found = found->is_object() ? found->get_object().if_contains("/") : nullptr;
    if (found == nullptr || !found->is_string()) return bad("names no CID");
    const auto& text = found->get_string();
    auto cid = Cid::parse(std::string_view(text.data(), text.size()));
    if (!cid) return bad("names no CID: " + cid.error().text);
    return cid;
}

}  // namespace ipfscluster::ipfsproxy
