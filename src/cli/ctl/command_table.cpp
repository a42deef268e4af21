#include "cli/ctl/command_table.hpp"

namespace ipfscluster::ctl {
namespace {

using Kind = FlagKind;
using Flags = std::vector<FlagSpec>;

Flags join(std::initializer_list<Flags> lists) {
    Flags out;
    for (const Flags& list : lists) out.insert(out.end(), list.begin(), list.end());
    return out;
}

FlagSpec boolean(std::vector<std::string> names, std::string usage) {
    return {std::move(names), Kind::boolean, std::move(usage), "", ""};
}

Flags global_flags() {
    return {
        {{"host", "l"},
         Kind::text,
         "address of the peer's REST API; several, separated by commas, are tried in order",
         "/ip4/127.0.0.1/tcp/9094",
         ""},
        {{"secret"}, Kind::text, "cluster secret, for hosts reached over libp2p", "", ""},
        boolean({"https", "s"}, "use TLS"),
        boolean({"no-check-certificate"}, "do not check the server's certificate"),
        {{"encoding", "enc"}, Kind::text, "format of the output: text or json", "text", ""},
        {{"timeout", "t"},
         Kind::integer,
         "seconds each request may take; 0 means no limit",
         "0",
         ""},
        {{"basic-auth"},
         Kind::text,
         "user[:password] for the API; turns TLS on unless --force-http is given",
         "",
         "CLUSTER_CREDENTIALS"},
        boolean({"force-http", "f"}, "send credentials over plain HTTP"),
        boolean({"debug", "d"}, "log everything to standard error"),
    };
}

Flags replication_flags() {
    return {
        {{"replication-min", "rmin"},
         Kind::integer,
         "fewest peers that must hold it; 0 for the server's default, -1 for everywhere",
         "0",
         ""},
        {{"replication-max", "rmax"},
         Kind::integer,
         "most peers that shall hold it; 0 for the server's default, -1 for everywhere",
         "0",
         ""},
        {{"allocations", "allocs"}, Kind::text, "peers to prefer, separated by commas", "", ""},
    };
}

Flags name_flags() {
    return {
        {{"name", "n"}, Kind::text, "name of the pin", "", ""},
        {{"expire-in"}, Kind::duration, "unpin after this time, such as 24h", "", ""},
    };
}

Flags metadata_flag() {
    return {{{"metadata"}, Kind::list, "key=value kept with the pin; may be repeated", "", ""}};
}

Flags wait_flags() {
    return {
        boolean({"no-status", "ns"}, "do not ask for the status afterwards"),
        boolean({"wait", "w"}, "wait until the peers have done it"),
        {{"wait-timeout", "wt"}, Kind::duration, "give up waiting after this time", "0s", ""},
        {{"wait-limit", "wl"},
         Kind::integer,
         "be content when so many peers have done it",
         "0",
         ""},
    };
}

CommandSpec pin_commands() {
    CommandSpec pin{"pin", "", "pin, unpin and list pins", {}, {}, false};
    const FlagSpec replication{
        {"replication", "r"}, Kind::integer, "sets both replication factors", "0", ""};
    const FlagSpec mode{{"mode"}, Kind::text, "recursive or direct", "recursive", ""};
    pin.commands = {
        {"add",
         "<CID or path>",
         "pin content in the cluster",
         join({{replication},
               replication_flags(),
               name_flags(),
               {mode},
               metadata_flag(),
               wait_flags()}),
         {},
         false},
        {"rm", "<CID or path>", "unpin content", wait_flags(), {}, false},
        {"update",
         "<old CID> <new CID or path>",
         "pin content with the options and places of an existing pin, which stays",
         join({name_flags(), wait_flags()}),
         {},
         false},
        {"ls",
         "[CID]",
         "list the pinset, or one pin",
         {{{"filter"},
           Kind::text,
           "comma list of pin, meta-pin, clusterdag-pin, shard-pin, all",
           "all",
           ""}},
         {},
         false},
    };
    return pin;
}

CommandSpec add_command() {
    const Flags listing{
        boolean({"recursive", "r"}, "add directories with everything in them"),
        boolean({"quiet", "q"}, "print only CIDs"),
        boolean({"quieter", "Q"}, "print only the last CID"),
        boolean({"no-stream"}, "print everything at the end"),
        boolean({"local"}, "put the blocks on the asked peer only"),
    };
    const Flags format{
        boolean({"no-pin"}, "do not pin the result"),
        boolean({"wait"}, "wait until the peers have pinned it"),
        {{"wait-timeout", "wt"}, Kind::duration, "give up waiting after this time", "0s", ""},
        boolean({"wrap-with-directory", "w"}, "put everything into an outer directory"),
        {{"format"}, Kind::text, "unixfs or car", "unixfs", ""},
        {{"layout"}, Kind::text, "balanced or trickle", "", ""},
        boolean({"hidden", "H"}, "take hidden files of directories, too"),
        {{"chunker", "s"},
         Kind::text,
         "size-N, rabin-MIN-AVG-MAX, rabin-AVG, rabin or buzhash",
         "size-262144",
         ""},
        boolean({"raw-leaves"}, "write leaves as raw blocks"),
        {{"cid-version"}, Kind::integer, "0 or 1", "0", ""},
        {{"hash"},
         Kind::text,
         "hash function; others than the default need version 1",
         "sha2-256",
         ""},
        boolean({"nocopy"}, "for URLs only"),
        boolean({"no-progress"}, "no progress bar on a terminal"),
    };
    return {"add",
            "<path>...",
            "add files and directories ('-' is standard input) and pin them",
            join({listing, name_flags(), replication_flags(), metadata_flag(), format}),
            {},
            false};
}

CommandSpec health_commands() {
    CommandSpec health{"health", "", "what the cluster knows of itself", {}, {}, false};
    health.commands = {
        {"graph",
         "",
         "the connections as a DOT graph",
         {{{"file", "f"}, Kind::text, "write it to this file", "", ""},
          boolean({"all-ipfs-peers"}, "show IPFS peers outside the cluster, too")},
         {},
         false},
        {"metrics", "[name]", "names of the metrics, or one metric of every peer", {}, {}, false},
        {"alerts", "", "metrics that have failed", {}, {}, false},
        {"bandwidth", "", "traffic by protocol", {}, {}, false},
    };
    return health;
}

CommandSpec make_table() {
    const Flags local{boolean({"local"}, "ask the contacted peer only")};
    const FlagSpec filter{{"filter"}, Kind::text, "comma list of states to show", "", ""};
    CommandSpec app{"ipfs-cluster-ctl", "", "controls a peer of an IPFS cluster",
                    global_flags(),     {}, false};
    const Flags told{boolean({"dry-run"}, "only tell what it has and what could not move")};
    auto apart = told;
    apart.push_back(boolean({"everything"},
                            "also keep away what every peer holds, and leave it to the others"));
    CommandSpec peers{"peers", "", "the members of the cluster", {}, {}, false};
    peers.commands = {
        {"ls", "", "list them", {}, {}, false},
        {"add", "<peer id or multiaddress>", "add a member", {}, {}, false},
        {"rm",
         "<peer id>",
         "remove a member; copies that only it has move to others first",
         {boolean({"force"}, "at once, even if a pin loses its last live copy"),
          boolean({"no-wait"}, "do not wait until it is gone")},
         {},
         false},
        {"cordon", "<peer id>", "give a member no new pins", apart, {}, false},
        {"uncordon", "<peer id>", "take cordon, drain or rm back", told, {}, false},
        {"drain",
         "<peer id>",
         "give a member no new pins and move those it has; it stays a member",
         apart,
         {},
         false},
    };
    CommandSpec ipfs{"ipfs", "", "the IPFS daemons beside the peers", {}, {}, false};
    ipfs.commands = {{"gc", "", "collect garbage", local, {}, false}};
    app.commands = {
        {"id", "", "who the contacted peer is", {}, {}, false},
        std::move(peers),
        add_command(),
        pin_commands(),
        {"get",
         "<CID or path>",
         "save a file or directory read through the peer",
         {{{"output", "o"}, Kind::text, "where to; the last part of the path by default", "", ""}},
         {},
         false},
        {"cat", "<CID or path>", "print a file read through the peer", {}, {}, false},
        {"status",
         "[CID]...",
         "what the peers do with the pins",
         join({local, {filter}}),
         {},
         false},
        {"recover", "[CID]", "try again what failed", local, {}, false},
        {"sync", "[CID]", "compare the status with what the IPFS daemons hold", local, {}, false},
        {"version", "", "the contacted peer's version", {}, {}, false},
        health_commands(),
        std::move(ipfs),
        {"commands", "", "list all commands", {}, {}, true},
        {"help", "[command]", "show help", {}, {}, false},
        {"h", "[command]", "show help", {}, {}, true},
    };
    return app;
}

}  // namespace

const CommandSpec& command_table() {
    static const CommandSpec table = make_table();
    return table;
}

}  // namespace ipfscluster::ctl
