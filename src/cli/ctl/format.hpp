#pragma once
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "model/metric.hpp"
#include "model/peer_info.hpp"
#include "model/pin.hpp"
#include "model/status.hpp"

/// The text layouts of reference/programs 4.5, each ending with its line ends. Pure.
namespace ipfscluster::ctl {

std::string text_of(const PeerInfo& peer);
std::string text_of(const DrainReport& report);
std::string text_of(const GlobalPinInfo& status);
std::string text_of(const Pin& pin);
std::string text_of(const AddedOutput& added);
std::string text_of(const GlobalRepoGc& gc);
std::string text_of(const codec::BandwidthByProtocol& bandwidth);
std::string text_of(const Metric& metric, Time now);
std::string text_of(const Alert& alert, Time now);

/// One JSON document, indented by four, with a line end. Maps are sorted by key.
template <class T>
std::string json_of(const T& value);
/// The same for a JSON text at hand.
std::string indented_json(std::string_view compact);

template <class T>
std::string json_of(const T& value) {
    return indented_json(codec::to_json(value));
}

/// The block printed for a failed request.
std::string error_block(int code, const std::string& message, bool as_json);

/// The connections of a cluster in DOT (reference/programs 4.7); no final line end.
std::string dot_graph(const ConnectGraph& graph, bool all_ipfs_peers);

}  // namespace ipfscluster::ctl
