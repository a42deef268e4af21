#include <fstream>
#include <ostream>

#include "cli/ctl/commands.hpp"

namespace ipfscluster::ctl {

Exit run_id(Context* context) {
    return print_one(context, context->api.id());
}

Exit run_version(Context* context) {
    const auto version = co_await context->api.version();
    if (!version) co_return report(*context, version.error());
    if (context->json)
        context->out << json_of(codec::Version{version.value()});
    else
        context->out << version.value() << "\n";
    co_return kExitOk;
}

Exit run_peers_ls(Context* context) {
    return print_stream(context, context->api.peers());
}

Exit run_peers_add(Context* context) {
    const auto peer = peer_argument(context->argument(0));
    if (!peer) co_return complain(*context, "parsing peer ID", peer.error().text);
    co_return co_await print_one(context, context->api.peer_add(peer.value()));
}

Exit run_peers_rm(Context* context) {
    const auto peer = peer_argument(context->argument(0));
    if (!peer) co_return complain(*context, "parsing peer ID", peer.error().text);
    const bool force = context->flags().boolean("force");
    const auto gone = co_await context->api.peer_remove(peer.value(), force);
    if (!gone) co_return report(*context, gone.error());
    if (gone.value()) co_return kExitOk;
    if (!context->flags().boolean("no-wait"))
        co_return co_await follow_leave(context, peer.value());
    context->err << "the peer leaves once its copies are elsewhere; `peers ls` tells how far it "
                    "is\n";
    co_return kExitOk;
}

Exit run_ipfs_gc(Context* context) {
    return print_one(context, context->api.ipfs_gc(context->flags().boolean("local")));
}

namespace {

/// Lists with relative times: each line by itself in text, one array in JSON.
template <class T>
Exit print_timed(Context* context, client::Call<std::vector<T>> call) {
    const auto list = co_await std::move(call);
    if (!list) co_return report(*context, list.error());
    if (context->json) {
        context->out << json_of(list.value());
        co_return kExitOk;
    }
    const Time now = context->world.system_now();
    for (const T& item : list.value()) context->out << text_of(item, now);
    co_return kExitOk;
}

}  // namespace

Exit run_health_alerts(Context* context) {
    return print_timed(context, context->api.alerts());
}

Exit run_health_metrics(Context* context) {
    const std::string name = context->argument(0);
    if (!name.empty()) co_return co_await print_timed(context, context->api.metrics(name));
    const auto names = co_await context->api.metric_names();
    if (!names) co_return report(*context, names.error());
    if (context->json)
        context->out << json_of(names.value());
    else
        for (const std::string& known : names.value()) context->out << known << "\n";
    co_return kExitOk;
}

Exit run_health_bandwidth(Context* context) {
    return print_one(context, context->api.bandwidth());
}

Exit run_health_graph(Context* context) {
    const auto graph = co_await context->api.graph();
    if (!graph) co_return report(*context, graph.error());
    const std::string text = dot_graph(graph.value(), context->flags().boolean("all-ipfs-peers"));
    const std::string file = context->flags().text("file");
    if (file.empty()) {
        context->out << text;
        co_return kExitOk;
    }
    std::ofstream stream(file);
    stream << text << std::flush;
    if (!stream) co_return complain(*context, "writing the graph", "cannot write " + file);
    co_return kExitOk;
}

}  // namespace ipfscluster::ctl
