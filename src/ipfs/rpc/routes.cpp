#include <algorithm>

#include "ipfs/rpc/handlers.hpp"

// What the RPC API answers, in the words of Kubo's reference; docs/kubo-rpc.md is made from this.
namespace ipfscluster::ipfs_rpc {
namespace {

constexpr auto kFlag = OptionType::flag;
constexpr auto kNumber = OptionType::number;
constexpr auto kText = OptionType::text;
constexpr auto kServed = OptionUse::served;
constexpr auto kClient = OptionUse::client;
constexpr auto kMoot = OptionUse::moot;
constexpr auto kRefused = OptionUse::refused;

const Argument kPath{.name = "ipfs-path", .stdin_ = true};
const Argument kPaths{.name = "ipfs-path", .several = true, .stdin_ = true};
const Argument kBlockCid{.name = "cid", .stdin_ = true};

constexpr Option kProgress{"progress", kFlag, kClient, "", 'p'};
/// Announcing to a routing system: there is none in a cluster's own network.
constexpr Option kProvideRoot{"fast-provide-root", kFlag, kMoot};
constexpr Option kProvideDag{"fast-provide-dag", kFlag, kMoot};
constexpr Option kProvideWait{"fast-provide-wait", kFlag, kMoot};
constexpr Option kBigBlock{"allow-big-block", kFlag, kServed};

constexpr Option kCommon[] = {
    {"encoding", kText, kServed, "json"}, {"stream-channels", kFlag, kClient},
    {"timeout", kText, kServed},          {"offline", kFlag, kServed},
    {"cid-base", kText, kServed},         {"upgrade-cidv0-in-output", kFlag, kServed},
};

std::vector<Route> reading_routes() {
    return {
        {"cat",
         {kPaths},
         {{"offset", kNumber, kServed, "", 'o'}, {"length", kNumber, kServed, "", 'l'}, kProgress},
         cat},
        {"get",
         {kPath},
         {{"output", kText, kClient, "", 'o'},
          {"archive", kFlag, kServed, "", 'a'},
          {"compress", kFlag, kServed, "", 'C'},
          {"compression-level", kNumber, kServed, "", 'l'},
          kProgress},
         get,
         "modes, owners and times in the archive are fixed ones"},
        {"ls",
         {kPaths},
         {{"headers", kFlag, kClient, "", 'v'},
          {"resolve-type", kFlag, kServed, "true"},
          {"size", kFlag, kServed, "true"},
          {"stream", kFlag, kServed, "", 's'},
          {"long", kFlag, kClient, "", 'l'}},
         ls,
         "entries of sharded directories are sorted by name up to 100,000 of them; larger ones "
         "come "
         "in the order of the shards"},
        {"refs",
         {kPaths},
         {{"format", kText, kServed, "<dst>"},
          {"edges", kFlag, kServed, "", 'e'},
          {"unique", kFlag, kServed, "", 'u'},
          {"recursive", kFlag, kServed, "", 'r'},
          {"max-depth", kNumber, kServed, "-1"}},
         refs,
         "`unique` tells 500,000 blocks apart, a larger DAG is an error"},
        {"refs/local", {}, {}, refs_local},
        {"resolve",
         {{.name = "name", .stdin_ = true}},
         {{"recursive", kFlag, kServed, "true", 'r'},
          {"dht-record-count", kNumber, kMoot},
          {"dht-timeout", kText, kMoot}},
         resolve,
         "no IPNS names"},
        {"files/stat",
         {{.name = "path"}},
         {{"format", kText, kClient},
          {"hash", kFlag, kClient},
          {"size", kFlag, kClient},
          {"with-local", kFlag, kServed}},
         files_stat,
         "paths under `/ipfs/` and `/ipld/` only: there is no mutable file system"},
    };
}

std::vector<Route> pin_routes() {
    return {
        {"pin/add",
         {kPaths},
         {{"recursive", kFlag, kServed, "true", 'r'},
          {"name", kText, kServed, "", 'n'},
          {"progress", kFlag, kServed},
          kProvideRoot,
          kProvideDag,
          kProvideWait},
         pin_add},
        {"pin/ls",
         {{.name = "ipfs-path", .required = false, .several = true}},
         {{"type", kText, kServed, "all", 't'},
          {"quiet", kFlag, kClient, "", 'q'},
          {"name", kText, kServed, "", 'n'},
          {"stream", kFlag, kServed, "", 's'},
          {"names", kFlag, kServed}},
         pin_ls,
         "indirect pins: 500,000 blocks are told apart, more are an error"},
        {"pin/rm", {kPaths}, {{"recursive", kFlag, kServed, "true", 'r'}}, pin_rm},
        {"pin/update",
         {{.name = "from-path"}, {.name = "to-path"}},
         {{"unpin", kFlag, kServed, "true"}, kProvideRoot, kProvideDag, kProvideWait},
         pin_update},
    };
}

std::vector<Route> block_routes() {
    return {
        {"block/get", {kBlockCid}, {}, block_get},
        {"block/put",
         {{.name = "data", .several = true, .file = true}},
         {{"cid-codec", kText, kServed, "raw"},
          {"mhtype", kText, kServed},
          {"mhlen", kNumber, kServed, "-1"},
          {"pin", kFlag, kServed},
          kBigBlock,
          {"format", kText, kServed, "", 'f'}},
         block_put,
         "blocks of at most 4 MiB; digests are not shortened"},
        {"block/rm",
         {{.name = "cid", .several = true}},
         {{"force", kFlag, kServed, "", 'f'}, {"quiet", kFlag, kServed, "", 'q'}},
         block_rm,
         "refused, too, while an add or import that runs protects the block"},
        {"block/stat", {kBlockCid}, {}, block_stat},
        {"dag/export",
         {{.name = "root", .stdin_ = true}},
         {kProgress, {"local-only", kFlag, kServed}},
         dag_export,
         "beyond 500,000 blocks one that stands in several places may come again"},
        {"dag/get",
         {{.name = "ref", .stdin_ = true}},
         {{"output-codec", kText, kServed, "dag-json"}},
         dag_get,
         "raw, dag-pb, dag-cbor and dag-json; at most 250,000 values in a block"},
        {"dag/import",
         {{.name = "path", .several = true, .file = true}},
         {{"pin-roots", kFlag, kServed, "true"},
          {"local-only", kFlag, kServed},
          {"silent", kFlag, kClient},
          {"stats", kFlag, kServed},
          kProvideRoot,
          kProvideDag,
          kProvideWait,
          kBigBlock},
         dag_import,
         "CAR version 1; each block is checked against its CID"},
        {"dag/put",
         {{.name = "object data", .several = true, .file = true}},
         {{"store-codec", kText, kServed, "dag-cbor"},
          {"input-codec", kText, kServed, "dag-json"},
          {"pin", kFlag, kServed},
          {"hash", kText, kServed},
          kBigBlock},
         dag_put,
         "raw, dag-pb, dag-cbor and dag-json; at most 250,000 values in a block"},
        {"dag/resolve", {{.name = "ref", .stdin_ = true}}, {}, dag_resolve},
        {"dag/stat",
         {{.name = "root", .several = true, .stdin_ = true}},
         {{"progress", kFlag, kServed, "true", 'p'}},
         dag_stat,
         "500,000 blocks are told apart, a larger DAG is an error"},
    };
}

std::vector<Route> node_routes() {
    return {
        {"id",
         {{.name = "peerid", .required = false}},
         {{"format", kText, kClient, "", 'f'}, {"peerid-base", kText, kRefused, "b58mh"}},
         id,
         "another peer only while it is connected"},
        {"version",
         {},
         {{"number", kFlag, kClient, "", 'n'},
          {"commit", kFlag, kClient},
          {"repo", kFlag, kClient},
          {"all", kFlag, kClient}},
         version,
         "the Kubo version whose behaviour this node follows; `Commit` is `ipfs-cluster-embedded`"},
        {"repo/gc",
         {},
         {{"stream-errors", kFlag, kServed},
          {"quiet", kFlag, kClient, "", 'q'},
          {"silent", kFlag, kServed}},
         repo_gc,
         "keeps what a running or recent add of the cluster protects"},
        {"repo/stat",
         {},
         {{"size-only", kFlag, kServed, "", 's'}, {"human", kFlag, kClient, "", 'H'}},
         repo_stat},
        {"repo/version", {}, {{"quiet", kFlag, kClient, "", 'q'}}, repo_version},
        {"swarm/connect",
         {{.name = "address", .several = true, .stdin_ = true}},
         {},
         swarm_connect,
         "within the cluster's own network"},
        {"swarm/peers",
         {},
         {{"verbose", kFlag, kMoot, "", 'v'},
          {"streams", kFlag, kMoot},
          {"latency", kFlag, kMoot},
          {"direction", kFlag, kMoot},
          {"identify", kFlag, kMoot}},
         swarm_peers,
         "the peers of the cluster's own network; addresses only"},
    };
}

std::vector<Route> adding_routes() {
    return {
        {"add",
         {{.name = "path", .several = true, .file = true}},
         {{"recursive", kFlag, kClient, "", 'r'},
          {"dereference-args", kFlag, kClient},
          {"dereference-symlinks", kFlag, kClient},
          {"stdin-name", kText, kClient},
          {"hidden", kFlag, kClient, "", 'H'},
          {"ignore", kText, kClient},
          {"ignore-rules-path", kText, kClient},
          {"quiet", kFlag, kClient, "", 'q'},
          {"quieter", kFlag, kClient, "", 'Q'},
          {"silent", kFlag, kServed},
          {"progress", kFlag, kServed, "", 'p'},
          {"only-hash", kFlag, kServed, "", 'n'},
          {"wrap-with-directory", kFlag, kServed, "", 'w'},
          {"pin", kFlag, kServed, "true"},
          {"pin-name", kText, kServed},
          {"cid-version", kNumber, kServed},
          {"hash", kText, kServed},
          {"raw-leaves", kFlag, kServed},
          {"chunker", kText, kServed, "", 's'},
          {"trickle", kFlag, kServed, "", 't'},
          {"empty-dirs", kFlag, kRefused, "true", 'E'},
          {"to-files", kText, kRefused},
          {"max-file-links", kNumber, kRefused},
          {"max-directory-links", kNumber, kRefused},
          {"max-hamt-fanout", kNumber, kRefused},
          {"inline", kFlag, kRefused},
          {"inline-limit", kNumber, kMoot, "32"},
          {"nocopy", kFlag, kRefused},
          {"fscache", kFlag, kRefused},
          {"preserve-mode", kFlag, kRefused},
          {"preserve-mtime", kFlag, kRefused},
          {"mode", kNumber, kRefused},
          {"mtime", kNumber, kRefused},
          {"mtime-nsecs", kNumber, kRefused},
          kProvideRoot,
          kProvideDag,
          kProvideWait},
         add},
    };
}

std::vector<Route> make_routes() {
    std::vector<Route> all;
    for (auto part :
         {adding_routes(), reading_routes(), pin_routes(), block_routes(), node_routes()})
        for (auto& route : part) all.push_back(std::move(route));
    std::sort(all.begin(), all.end(),
              [](const Route& a, const Route& b) { return a.name < b.name; });
    return all;
}

constexpr std::string_view kRefusedCalls[] = {"bitswap/ledger",
                                              "bitswap/reprovide",
                                              "bitswap/stat",
                                              "bitswap/wantlist",
                                              "bootstrap",
                                              "bootstrap/add",
                                              "bootstrap/list",
                                              "bootstrap/rm",
                                              "bootstrap/rm/all",
                                              "cid/base32",
                                              "cid/bases",
                                              "cid/codecs",
                                              "cid/format",
                                              "cid/hashes",
                                              "cid/inspect",
                                              "commands",
                                              "commands/completion/bash",
                                              "commands/completion/fish",
                                              "commands/completion/zsh",
                                              "config",
                                              "config/profile/apply",
                                              "config/replace",
                                              "config/show",
                                              "dht/query",
                                              "diag/cmds",
                                              "diag/cmds/clear",
                                              "diag/cmds/set-time",
                                              "diag/healthy",
                                              "diag/profile",
                                              "diag/sys",
                                              "files/chcid",
                                              "files/chmod",
                                              "files/chroot",
                                              "files/cp",
                                              "files/flush",
                                              "files/ls",
                                              "files/mkdir",
                                              "files/mv",
                                              "files/read",
                                              "files/rm",
                                              "files/touch",
                                              "files/write",
                                              "filestore/dups",
                                              "filestore/ls",
                                              "filestore/verify",
                                              "key/export",
                                              "key/gen",
                                              "key/import",
                                              "key/list",
                                              "key/ls",
                                              "key/rename",
                                              "key/rm",
                                              "key/rotate",
                                              "key/sign",
                                              "key/verify",
                                              "log/level",
                                              "log/ls",
                                              "log/tail",
                                              "mount",
                                              "multibase/decode",
                                              "multibase/encode",
                                              "multibase/list",
                                              "multibase/transcode",
                                              "name/get",
                                              "name/inspect",
                                              "name/publish",
                                              "name/pubsub/cancel",
                                              "name/pubsub/state",
                                              "name/pubsub/subs",
                                              "name/put",
                                              "name/resolve",
                                              "object/data",
                                              "object/diff",
                                              "object/get",
                                              "object/links",
                                              "object/new",
                                              "object/patch/add-link",
                                              "object/patch/append-data",
                                              "object/patch/rm-link",
                                              "object/patch/set-data",
                                              "object/put",
                                              "object/stat",
                                              "p2p/close",
                                              "p2p/forward",
                                              "p2p/listen",
                                              "p2p/ls",
                                              "p2p/stream/close",
                                              "p2p/stream/ls",
                                              "pin/remote/add",
                                              "pin/remote/ls",
                                              "pin/remote/rm",
                                              "pin/remote/service/add",
                                              "pin/remote/service/ls",
                                              "pin/remote/service/rm",
                                              "pin/verify",
                                              "ping",
                                              "provide/clear",
                                              "provide/once",
                                              "provide/stat",
                                              "pubsub/ls",
                                              "pubsub/peers",
                                              "pubsub/pub",
                                              "pubsub/reset",
                                              "pubsub/sub",
                                              "repo/ls",
                                              "repo/migrate",
                                              "repo/verify",
                                              "routing/findpeer",
                                              "routing/findprovs",
                                              "routing/get",
                                              "routing/provide",
                                              "routing/put",
                                              "routing/reprovide",
                                              "shutdown",
                                              "stats/bitswap",
                                              "stats/bw",
                                              "stats/dht",
                                              "stats/provide",
                                              "stats/repo",
                                              "stats/reprovide",
                                              "swarm/addrs",
                                              "swarm/addrs/autonat",
                                              "swarm/addrs/listen",
                                              "swarm/addrs/local",
                                              "swarm/disconnect",
                                              "swarm/filters",
                                              "swarm/filters/add",
                                              "swarm/filters/rm",
                                              "swarm/peering/add",
                                              "swarm/peering/ls",
                                              "swarm/peering/rm",
                                              "swarm/resources",
                                              "update/check",
                                              "update/clean",
                                              "update/install",
                                              "update/revert",
                                              "update/versions",
                                              "version/check",
                                              "version/deps"};

std::string describe_arguments(const Route& route) {
    std::string out;
    for (const auto& argument : route.arguments) {
        if (!out.empty()) out += ", ";
        out += argument.file ? "file " : "";
        out += "`" + std::string(argument.name) + "`";
        if (argument.several) out += " …";
        if (!argument.required) out += " (optional)";
    }
    return out.empty() ? "–" : out;
}

std::string describe_options(const Route& route, OptionUse use) {
    std::string out;
    for (const auto& option : route.options) {
        if (option.use != use) continue;
        out += (out.empty() ? "`" : " `") + std::string(option.name) + "`";
    }
    return out.empty() ? "–" : out;
}

}  // namespace

std::span<const Option> common_options() {
    return kCommon;
}

const std::vector<Route>& routes() {
    static const std::vector<Route> all = make_routes();
    return all;
}

const Route* find_route(std::string_view name) {
    const auto& all = routes();
    const auto found = std::lower_bound(
        all.begin(), all.end(), name,
        [](const Route& route, std::string_view text) { return route.name < text; });
    return found == all.end() || found->name != name ? nullptr : &*found;
}

std::span<const std::string_view> refused_calls() {
    return kRefusedCalls;
}

std::string describe_routes() {
    std::string out =
        "| Call | Arguments | Options with effect | Only for the command line | Nothing to act on "
        "| "
        "Refused unless at the default | Differs from Kubo |\n|---|---|---|---|---|---|---|\n";
    for (const auto& route : routes()) {
        out += "| `" + std::string(route.name) + "` | " + describe_arguments(route);
        for (const auto use :
             {OptionUse::served, OptionUse::client, OptionUse::moot, OptionUse::refused})
            out += " | " + describe_options(route, use);
        out += " | " + std::string(route.note) + " |\n";
    }
    out += "\nKnown and refused by name:\n\n";
    std::string_view group;
    for (const auto call : kRefusedCalls) {
        const auto first = call.substr(0, call.find('/'));
        if (first != group)
            out += group.empty() ? "- " : "\n- ";
        else
            out += " ";
        group = first;
        out += "`" + std::string(call) + "`";
    }
    return out + "\n";
}

}  // namespace ipfscluster::ipfs_rpc
