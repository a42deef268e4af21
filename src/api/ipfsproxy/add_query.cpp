#include "api/ipfsproxy/add_query.hpp"

#include "api/ipfsproxy/call.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

/// Options that change what is stored, and that the importer does not know; with the values that
/// change nothing.
struct Foreign {
    std::string_view name, harmless;
};
constexpr Foreign kForeign[] = {
    {"inline", "false"},
    {"preserve-mode", "false"},
    {"preserve-mtime", "false"},
    {"mode", ""},
    {"mtime", ""},
    {"mtime-nsecs", ""},
    {"max-file-links", "174"},
    {"max-directory-links", "0"},
    {"max-hamt-fanout", "256"},
    {"to-files", ""},
};

/// Kubo's words for what the cluster's query says otherwise.
bool translated(std::string_view name) {
    return name == "pin" || name == "trickle" || name == "pin-name" || name == "mode";
}

}  // namespace

Result<adding::AddQuery> parse_kubo_add(const codec::Query& query, Time now) {
    for (const auto& [name, harmless] : kForeign) {
        const auto value = find_option(query, name);
        if (value && !value->empty() && *value != harmless)
            return fail(Kind::invalid, "option \"" + std::string(name) +
                                           "\" is not supported when adding to a cluster");
    }
    codec::Query own;
    for (const auto& [name, value] : query)
        if (!translated(name)) own.emplace_back(name, value);
    ICL_TRY(const bool pin, bool_option(query, "pin", true));
    if (!pin) own.emplace_back("no-pin", "true");
    ICL_TRY(const bool trickle, bool_option(query, "trickle", false));
    if (trickle && !find_option(own, "layout")) own.emplace_back("layout", "trickle");
    const auto pin_name = find_option(query, "pin-name");
    if (pin_name && !find_option(own, "name")) own.emplace_back("name", *pin_name);
    // As in Kubo, another hash needs a CID that can say so.
    const auto hash = find_option(query, "hash").value_or("");
    if (!hash.empty() && hash != "sha2-256" && !find_option(own, "cid-version"))
        own.emplace_back("cid-version", "1");
    return adding::parse_add_query(own, now);
}

}  // namespace ipfscluster::ipfsproxy
