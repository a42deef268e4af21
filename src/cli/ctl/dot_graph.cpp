#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/ctl/format.hpp"

namespace ipfscluster::ctl {
namespace {

struct Style {
    const char* prefix;
    const char* color;
    const char* shape;
    const char* extra;
};
constexpr Style kContacted{"C", "orange", "box3d", " peripheries=\"2\""};
constexpr Style kTrusted{"T", "orange", "box3d", ""};
constexpr Style kOther{"C", "darkorange3", "box3d", ""};
constexpr Style kIpfs{"I", "turquoise3", "cylinder", ""};
constexpr Style kErrored{"I", "firebrick1", "cylinder", ""};

std::string short_id(const std::string& id) {
    if (id.size() <= 8) return id;
    return id.substr(0, 2) + "*" + id.substr(id.size() - 6);
}

std::string node_line(const std::string& name, const std::string& first, const std::string& second,
                      const std::string& group, const Style& style) {
    return fmt::format(
        "{} [label=< <B> {} </B> <BR/> <B> {} </B> > group=\"{}\" color=\"{}\" style=\"filled\" "
        "colorscheme=\"x11\" fontcolor=\"black\" fontname=\"Arial\" shape=\"{}\"{} ]\n",
        name, first, second, group, style.color, style.shape, style.extra);
}

template <class T>
std::vector<std::pair<std::string, const T*>> sorted(const std::map<PeerId, T>& map) {
    std::vector<std::pair<std::string, const T*>> out;
    for (const auto& [id, value] : map) out.emplace_back(id.to_string(), &value);
    std::sort(out.begin(), out.end());
    return out;
}

/// Names of the nodes drawn so far.
class Graph {
 public:
    explicit Graph(const ConnectGraph& graph, bool all) : graph_(graph), all_(all) {}

    std::string draw() {
        std::string out =
            "digraph cluster {\n/* Nodes of the connectivity graph */\n"
            "/* Cluster service peers */\n";
        // Each of the two fills names the next one needs.
        out += cluster_nodes();
        out += "\n/* IPFS peers */\n";
        out += ipfs_nodes();
        out += "\n";
        out += "/* Edges of the connectivity graph */\n/* Cluster to cluster */\n";
        out += edges(graph_.cluster_links, cluster_names_);
        out += "\n/* Cluster to IPFS */\n";
        for (const auto& [id, name] : cluster_names_) {
            const auto found = ipfs_of_.find(id);
            if (found != ipfs_of_.end()) out += name + " -> " + ipfs_names_[found->second] + "\n";
            const auto errored = errored_.find(id);
            if (errored != errored_.end())
                out += name + " -> " + errored->second + " [ style=\"dotted\" ]\n";
        }
        out += "\n/* IPFS to IPFS */\n" + edges(graph_.ipfs_links, ipfs_names_);
        return out + "}";
    }

 private:
    std::string cluster_nodes() {
        std::string out = "subgraph  {\nrank=\"min\"\n";
        std::size_t count = 0;
        for (const auto& [id, links] : sorted(graph_.cluster_links)) {
            const PeerId peer = PeerId::parse(id).value();
            const auto trust = graph_.cluster_trust_links.find(peer);
            const bool trusted = trust != graph_.cluster_trust_links.end() && trust->second;
            const Style& style = peer == graph_.cluster_id ? kContacted
                                 : trusted                 ? kTrusted
                                                           : kOther;
            const std::string name = style.prefix + std::to_string(count++);
            const auto peername = graph_.id_to_peername.find(peer);
            out += node_line(name, peername == graph_.id_to_peername.end() ? "" : peername->second,
                             short_id(id), id, style);
            cluster_names_[id] = name;
            const auto ipfs = graph_.cluster_to_ipfs.find(peer);
            if (ipfs != graph_.cluster_to_ipfs.end()) ipfs_of_[id] = ipfs->second.to_string();
        }
        return out + "}\n";
    }

    std::string ipfs_nodes() {
        std::set<std::string> ids;
        for (const auto& [cluster, id] : ipfs_of_) ids.insert(id);
        if (all_) {
            for (const auto& [id, links] : graph_.ipfs_links) {
                ids.insert(id.to_string());
                for (const PeerId& link : links) ids.insert(link.to_string());
            }
        }
        std::string out = "subgraph  {\nrank=\"max\"\n";
        std::size_t count = 0;
        for (const std::string& id : ids) {
            const std::string name = kIpfs.prefix + std::to_string(count++);
            out += node_line(name, "IPFS", short_id(id), id, kIpfs);
            ipfs_names_[id] = name;
        }
        for (const auto& [id, name] : cluster_names_) {
            if (ipfs_of_.contains(id)) continue;
            const std::string errored = kErrored.prefix + std::to_string(count++);
            out += node_line(errored, "IPFS", "Errored", id, kErrored);
            errored_[id] = errored;
        }
        return out + "}\n";
    }

    /// Links to something that is no node are left out.
    static std::string edges(const std::map<PeerId, std::vector<PeerId>>& links,
                             const std::map<std::string, std::string>& names) {
        std::string out;
        for (const auto& [id, targets] : sorted(links)) {
            const auto from = names.find(id);
            if (from == names.end()) continue;
            for (const PeerId& target : *targets) {
                const auto to = names.find(target.to_string());
                if (to != names.end()) out += from->second + " -> " + to->second + "\n";
            }
        }
        return out;
    }

    const ConnectGraph& graph_;
    bool all_;
    std::map<std::string, std::string> cluster_names_, ipfs_names_, ipfs_of_, errored_;
};

}  // namespace

std::string dot_graph(const ConnectGraph& graph, bool all_ipfs_peers) {
    return Graph(graph, all_ipfs_peers).draw();
}

}  // namespace ipfscluster::ctl
