#include "cli/ctl/format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "cli/ctl/humanize.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::ctl {
namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

template <class T>
std::vector<std::string> sorted_texts(const std::vector<T>& values) {
    std::vector<std::string> out;
    for (const T& value : values) out.push_back(value.to_string());
    std::sort(out.begin(), out.end());
    return out;
}

/// Map entries in the order of the peers' text forms.
template <class T>
std::vector<std::pair<std::string, const T*>> by_text(const std::map<PeerId, T>& map) {
    std::vector<std::pair<std::string, const T*>> out;
    for (const auto& [id, value] : map) out.emplace_back(id.to_string(), &value);
    std::sort(out.begin(), out.end());
    return out;
}

std::string depth_words(int max_depth) {
    if (max_depth == kDepthDirect) return "Direct";
    if (max_depth == kDepthRecursive) return "Recursive";
    return "Recursive-" + std::to_string(max_depth);
}

/// What is told about a peer, behind what Go prints; nothing where there is nothing to tell.
std::string note_lines(const MemberNote& note) {
    std::string out;
    if (note.away_since != kTimeUnset)
        out += "  > Away since " + format_rfc3339(note.away_since) + "\n";
    if (note.cordon.empty()) return out;
    std::string what = note.cordon;
    what[0] = static_cast<char>(what[0] - 'a' + 'A');
    out += "  > " + what + " since " + format_rfc3339(note.cordon_since);
    if (note.left) out += fmt::format(", {} pins left", *note.left);
    return out + "\n";
}

}  // namespace

std::string text_of(const DrainReport& report) {
    std::string out = report.peer.to_string() + " | " + upper(report.kind);
    if (report.since != kTimeUnset && report.kind != "none")
        out += " since " + format_rfc3339(report.since);
    if (report.everything) out += " | EVERYTHING";
    if (!report.alive) out += " | AWAY";
    out +=
        fmt::format("\n  > Pins: {} | Kept for others: {} | Held by every peer: {} | Stores: {}\n",
                    report.pins, report.kept ? std::to_string(*report.kept) : "unknown",
                    report.everywhere, report.bytes ? human_bytes(*report.bytes) : "unknown");
    if (report.moved) out += fmt::format("  > Moved: {}\n", *report.moved);
    if (report.blocked > 0 || report.waiting > 0)
        out += fmt::format("  > Cannot move: {} | Wait for long: {}\n", report.blocked,
                           report.waiting);
    for (const auto& item : report.stuck)
        out += "    - " + item.cid.to_string() + ": " + item.reason + "\n";
    return out;
}

std::string text_of(const PeerInfo& peer) {
    if (!peer.error.empty())
        return peer.id.to_string() + " | ERROR: " + peer.error + "\n" + note_lines(peer.note);
    std::string out =
        fmt::format("{} | {} | Sees {} other peers\n  > Addresses:\n", peer.id.to_string(),
                    peer.peername, static_cast<std::int64_t>(peer.cluster_peers.size()) - 1);
    for (const std::string& address : sorted_texts(peer.addresses))
        out += "    - " + address + "\n";
    if (!peer.ipfs.error.empty())
        return out + "  > IPFS ERROR: " + peer.ipfs.error + "\n" + note_lines(peer.note);
    out += "  > IPFS: " + peer.ipfs.id.to_string() + "\n";
    for (const std::string& address : sorted_texts(peer.ipfs.addresses))
        out += "    - " + address + "\n";
    return out + note_lines(peer.note);
}

std::string text_of(const GlobalPinInfo& status) {
    std::string out = status.cid.to_string();
    if (!status.name.empty()) out += " | " + status.name;
    out += ":\n";
    for (const auto& [id, info] : by_text(status.peer_map)) {
        out += "    > " + padded(info->peername.empty() ? id : info->peername, 20) + " : " +
               upper(to_string(info->status));
        if (!info->error.empty()) out += ": " + info->error;
        out += fmt::format(" | {} | Attempts: {} | Priority: {}", format_rfc3339(info->timestamp),
                           info->attempt_count, info->priority_pin);
        if (info->fetched_blocks != 0 || info->fetched_bytes != 0)
            out += fmt::format(" | Fetched: {} blocks, {} bytes", info->fetched_blocks,
                               info->fetched_bytes);
        out += '\n';
    }
    return out;
}

std::string text_of(const Pin& pin) {
    const bool direct = pin.options.mode == PinMode::direct;
    std::string out =
        fmt::format("{} | {} | {}{} | Repl. Factor: ", pin.cid.to_string(), pin.options.name,
                    upper(to_string(pin.type)), direct ? "-DIRECT" : "");
    if (pin.everywhere())
        out += "-1 | Allocations: [everywhere]";
    else
        out +=
            fmt::format("{}--{} | Allocations: [{}]", pin.options.replication_min,
                        pin.options.replication_max, fmt::join(sorted_texts(pin.allocations), " "));
    out += " | " + depth_words(pin.max_depth);
    out += std::string(" | Metadata: ") + (pin.options.metadata.empty() ? "no" : "yes");
    const bool expires = pin.options.expire_at != kTimeUnset;
    out += " | Exp: " + (expires ? plain_time(pin.options.expire_at) : std::string("∞"));
    const bool dated = pin.timestamp != kTimeUnset;
    return out + " | Added: " + (dated ? plain_time(pin.timestamp) : std::string("unknown")) + "\n";
}

std::string text_of(const AddedOutput& added) {
    return "added " + added.cid.to_string() + " " + added.name + "\n";
}

std::string text_of(const GlobalRepoGc& gc) {
    std::string out;
    for (const auto& [id, result] : by_text(gc.peer_map)) {
        out += padded(result->peername.empty() ? id : result->peername, 15);
        if (!result->error.empty()) out += " | ERROR: " + result->error;
        out += "\n  > CIDs:\n";
        for (const RepoGcKey& key : result->keys)
            out +=
                "    - " + (key.error.empty() ? key.key.to_string() : "ERROR: " + key.error) + "\n";
    }
    return out;
}

std::string text_of(const codec::BandwidthByProtocol& bandwidth) {
    std::string out;
    for (const auto& [protocol, b] : bandwidth)
        out += fmt::format("{:>25}: In: {:>7}. Out: {:>7}. RateIn: {:.2f}B/s. RateOut: {:.2f}B/s\n",
                           protocol, human_bytes(static_cast<std::uint64_t>(b.total_in)),
                           human_bytes(static_cast<std::uint64_t>(b.total_out)), b.rate_in,
                           b.rate_out);
    return out;
}

std::string text_of(const Metric& metric, Time now) {
    const bool sized = metric.name == "freespace" && metric.weight > 0;
    const std::string value =
        sized ? human_bytes(static_cast<std::uint64_t>(metric.weight)) : metric.value;
    return metric.peer.to_string() + " | " + metric.name + ": " + value +
           " | Expires in: " + relative_time(metric.expire, now) + "\n";
}

std::string text_of(const Alert& alert, Time now) {
    if (alert.metric.expire == kTimeUnset)
        return alert.metric.peer.to_string() + ": " + alert.metric.name + ": " +
               alert.metric.value + ". Triggered at: " + relative_time(alert.triggered_at, now) +
               "\n";
    return alert.metric.peer.to_string() + ": " + alert.metric.name +
           ". Expired at: " + relative_time(alert.metric.expire, now) +
           ". Triggered at: " + relative_time(alert.triggered_at, now) + "\n";
}

std::string indented_json(std::string_view compact) {
    boost::system::error_code error;
    const auto value = boost::json::parse(compact, error);
    if (error) return std::string(compact) + "\n";
    return config::json_text(value, 4) + "\n";
}

std::string error_block(int code, const std::string& message, bool as_json) {
    if (as_json) return json_of(codec::JsonError{code, message});
    return fmt::format("An error occurred:\n  Code: {}\n  Message: {}\n", code, message);
}

}  // namespace ipfscluster::ctl
