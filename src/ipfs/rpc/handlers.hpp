#pragma once
#include "ipfs/rpc/call.hpp"

/// The handlers, by topic: one source each.
namespace ipfscluster::ipfs_rpc {

// add.cpp
Async<> add(Call& call);
// files.cpp
Async<> cat(Call& call);
Async<> get(Call& call);
Async<> files_stat(Call& call);
// listing.cpp
Async<> ls(Call& call);
// refs.cpp
Async<> refs(Call& call);
Async<> refs_local(Call& call);
Async<> resolve(Call& call);
// pins.cpp
Async<> pin_add(Call& call);
Async<> pin_ls(Call& call);
Async<> pin_rm(Call& call);
Async<> pin_update(Call& call);
// blocks.cpp
Async<> block_get(Call& call);
Async<> block_put(Call& call);
Async<> block_rm(Call& call);
Async<> block_stat(Call& call);
// dag.cpp
Async<> dag_get(Call& call);
Async<> dag_put(Call& call);
Async<> dag_resolve(Call& call);
Async<> dag_stat(Call& call);
// car.cpp
Async<> dag_export(Call& call);
Async<> dag_import(Call& call);
// repo.cpp
Async<> repo_gc(Call& call);
Async<> repo_stat(Call& call);
Async<> repo_version(Call& call);
Async<> version(Call& call);
// swarm.cpp
Async<> id(Call& call);
Async<> swarm_connect(Call& call);
Async<> swarm_peers(Call& call);

}  // namespace ipfscluster::ipfs_rpc
