#include "config/peerstore.hpp"

#include <algorithm>
#include <map>

#include "config/file_io.hpp"

namespace ipfscluster::config {
namespace {

bool is_dns(const Multiaddr& address) {
    const auto parts = address.components();
    return !parts.empty() && parts[0].protocol.starts_with("dns");
}

std::vector<std::string> lines_of(const Addresses& of_one_peer) {
    const bool any_dns = std::any_of(of_one_peer.begin(), of_one_peer.end(), is_dns);
    std::vector<std::string> lines;
    for (const Multiaddr& address : of_one_peer)
        if (!any_dns || is_dns(address)) lines.push_back(address.to_string());
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return lines;
}

}  // namespace

Addresses parse_peerstore(std::string_view text, Warnings& warnings) {
    Addresses out;
    std::size_t number = 0, skipped = 0;
    std::string first;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        if (!line.starts_with('/')) continue;
        const auto address = Multiaddr::parse(line);
        if (address && address.value().peer_id()) {
            out.push_back(address.value());
            continue;
        }
        if (++skipped == 1)
            first = "line " + std::to_string(number) + ": " +
                    (address ? "has no /p2p/<id>" : address.error().text);
    }
    if (skipped > 0)
        warnings.push_back("peerstore: " + std::to_string(skipped) + " of " +
                           std::to_string(number) + " lines are skipped; " + first);
    return out;
}

std::string peerstore_text(const Addresses& addresses) {
    std::vector<Addresses> peers;
    std::map<PeerId, std::size_t> places;
    for (const Multiaddr& address : addresses) {
        const auto place = places.emplace(address.peer_id().value_or(PeerId()), peers.size());
        if (place.second) peers.emplace_back();
        peers[place.first->second].push_back(address);
    }
    std::string text;
    for (const auto& of_one_peer : peers)
        for (const std::string& line : lines_of(of_one_peer))
            if (text.size() + line.size() < kPeerstoreBytesMax) text += line + "\n";
    return text;
}

Result<Addresses> load_peerstore(const std::string& path, Warnings& warnings) {
    auto text = read_beginning(path, kPeerstoreBytesMax + 1);
    if (!text && text.error().kind == Kind::not_found) return Addresses{};
    if (!text) return fail(text.error());
    if (text.value().size() > kPeerstoreBytesMax) {
        warnings.push_back(path + ": is larger than " + std::to_string(kPeerstoreBytesMax) +
                           " bytes, the rest is skipped");
        // The last line is cut.
        text.value().resize(text.value().rfind('\n') + 1);
    }
    return parse_peerstore(text.value(), warnings);
}

Result<> save_peerstore(const std::string& path, const Addresses& addresses) {
    return write_file(path, peerstore_text(addresses), 0644);
}

}  // namespace ipfscluster::config
