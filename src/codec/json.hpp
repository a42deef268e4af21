#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/json_writer.hpp"

/// The model as JSON in the v1 form of the Go programs: same names, same order of fields. Writers
/// append to a string and cannot fail; readers accept any order, missing fields, null for empty
/// collections and unknown fields. Plain functions; any strand.
namespace ipfscluster::codec {

template <class T>
std::string to_json(const T& value) {
    std::string out;
    append_json(out, value);
    return out;
}

/// Largest JSON document read at once, and how deep it may nest.
inline constexpr std::size_t kJsonBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kJsonDepthMax = 32;

/// Reads one document of at most `bytes_max`. `invalid` names the field that is wrong. Defined for
/// JsonError, Version, PeerAddBody, PinOptions, Pin, GlobalPinInfo, PeerInfo, Metric, Alert,
/// DrainReport, ConnectGraph, RepoStat, GlobalRepoGc, AddedOutput, BandwidthByProtocol,
/// std::vector<std::string>, and vectors of Metric, Alert, Pin, PeerInfo, GlobalPinInfo and
/// AddedOutput.
template <class T>
Result<T> parse_json(std::string_view text, std::size_t bytes_max = kJsonBytesMax);

}  // namespace ipfscluster::codec
