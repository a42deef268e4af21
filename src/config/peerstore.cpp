#include "config/peerstore.hpp"

#include <algorithm>

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
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        if (!line.starts_with('/')) continue;
        const auto address = Multiaddr::parse(line);
        const std::string place = "peerstore line " + std::to_string(number) + ": ";
        if (!address)
            warnings.push_back(place + address.error().text + "; skipped");
        else if (!address.value().peer_id())
            warnings.push_back(place + "has no /p2p/<id>; skipped");
        else
            out.push_back(address.value());
    }
    return out;
}

std::string peerstore_text(const Addresses& addresses) {
    std::vector<std::pair<PeerId, Addresses>> peers;
    for (const Multiaddr& address : addresses) {
        const PeerId id = address.peer_id().value_or(PeerId());
        auto it = std::find_if(peers.begin(), peers.end(),
                               [&](const auto& peer) { return peer.first == id; });
        if (it == peers.end()) it = peers.insert(peers.end(), {id, {}});
        it->second.push_back(address);
    }
    std::string text;
    for (const auto& [id, of_one_peer] : peers)
        for (const std::string& line : lines_of(of_one_peer)) text += line + "\n";
    return text;
}

Result<Addresses> load_peerstore(const std::string& path, Warnings& warnings) {
    const auto text = read_file(path, kPeerstoreBytesMax);
    if (!text && text.error().kind == Kind::not_found) return Addresses{};
    if (!text) return fail(text.error());
    return parse_peerstore(text.value(), warnings);
}

Result<> save_peerstore(const std::string& path, const Addresses& addresses) {
    return write_file(path, peerstore_text(addresses), 0644);
}

}  // namespace ipfscluster::config
