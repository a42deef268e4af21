#pragma once
#include "cli/ctl/context.hpp"

/// One coroutine per command. Each prints and gives its exit code.
namespace ipfscluster::ctl {

Exit run_id(Context* context);
Exit run_version(Context* context);
Exit run_peers_ls(Context* context);
Exit run_peers_add(Context* context);
Exit run_peers_rm(Context* context);
Exit run_peers_cordon(Context* context);
Exit run_peers_uncordon(Context* context);
Exit run_peers_drain(Context* context);
/// Tells on standard error how far a peer that leaves has come, until it is gone.
Exit follow_leave(Context* context, PeerId peer);
Exit run_add(Context* context);
Exit run_pin_add(Context* context);
Exit run_pin_rm(Context* context);
Exit run_pin_update(Context* context);
Exit run_pin_ls(Context* context);
Exit run_get(Context* context);
Exit run_cat(Context* context);
Exit run_status(Context* context);
Exit run_recover(Context* context);
Exit run_sync(Context* context);
Exit run_health_graph(Context* context);
Exit run_health_metrics(Context* context);
Exit run_health_alerts(Context* context);
Exit run_health_bandwidth(Context* context);
Exit run_ipfs_gc(Context* context);

}  // namespace ipfscluster::ctl
