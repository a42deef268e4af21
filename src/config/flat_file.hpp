#pragma once
#include <boost/json/object.hpp>
#include <string>

#include "base/result.hpp"
#include "config/fields.hpp"

/// The flat service.json of version 0.0.3 (2017), which had no sections, no secret and no identity
/// file. Its keys and their modern places: reference/programs 6.
namespace ipfscluster::config {

/// Whether it is such a file: at least one of its keys and none of the modern sections.
bool is_flat_file(const boost::json::object& file);

/// What such a file says beyond the modern sections.
struct FlatExtras {
    Addresses peers;  ///< `cluster_peers`: the first content of the peerstore
    Addresses
        bootstrap;  ///< members to join when nothing of consensus is there; only without peers
};

/// The same settings in sections, on top of what `init` writes for raft beside Kubo; without the
/// identity and with an empty secret. `invalid` names the old key. Unknown keys are ignored.
Result<boost::json::object> modern_sections(const boost::json::object& flat);
Result<FlatExtras> flat_extras(const boost::json::object& flat);

}  // namespace ipfscluster::config
