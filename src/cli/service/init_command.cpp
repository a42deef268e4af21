#include "cli/service/init_command.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>

#include "cli/service/prompt.hpp"
#include "config/config.hpp"
#include "config/consensus_kind.hpp"
#include "config/file_io.hpp"
#include "config/flat_file.hpp"
#include "config/identity.hpp"
#include "config/json_text.hpp"
#include "config/lock_file.hpp"
#include "config/peerstore.hpp"
#include "config/take_over.hpp"

namespace ipfscluster::service {

namespace {

constexpr std::uint16_t kKuboPort = 5001;
/// Largest certificate or key file taken over.
constexpr std::size_t kCopiedBytesMax = 1U << 20;
/// Whoever sets it has a daemon.
constexpr std::string_view kDaemonVariable = "CLUSTER_IPFSHTTP_NODEMULTIADDRESS";

Result<std::vector<Multiaddr>> parse_peers(const std::vector<std::string>& texts) {
    std::vector<Multiaddr> out;
    for (const auto& text : texts) {
        auto address = Multiaddr::parse(text);
        if (!address) return fail(address.error().in("--peers \"" + text + "\""));
        if (!address.value().peer_id())
            return fail(Kind::invalid, "--peers \"" + text + "\" has no /p2p/<peer id>");
        out.push_back(std::move(address.value()));
    }
    return out;
}

Result<config::IpfsChoice> choose_ipfs(const std::string& wish, std::string& reason) {
    if (wish == "embedded") return config::IpfsChoice::embedded;
    if (wish == "kubo") return config::IpfsChoice::kubo;
    if (wish != "auto")
        return fail(Kind::invalid, "--ipfs \"" + wish + "\": choose kubo, embedded or auto");
    const bool kubo = kubo_answers();
    reason = kubo ? " (an IPFS daemon answers on 127.0.0.1:5001)"
                  : " (no IPFS daemon answers on 127.0.0.1:5001)";
    return kubo ? config::IpfsChoice::kubo : config::IpfsChoice::embedded;
}

/// An identity that is there already stays, so it must be the old peer's.
Result<> check_identity_free(const std::string& folder, const KeyPair& old) {
    if (!config::file_exists(config::identity_path(folder))) return ok();
    ICL_TRY(const auto present, config::read_identity(folder));
    if (present.id == old.id) return ok();
    return fail(Kind::conflict, config::identity_path(folder) + " is another peer's (" +
                                    present.id.to_string() + "); choose an empty folder");
}

/// Certificates and keys that the old file names relative to its folder.
Result<> copy_files(const config::TakenOver& old, const Flags& flags) {
    for (const auto& name : old.files) {
        ICL_TRY(const auto content, config::read_file(flags.from + "/" + name, kCopiedBytesMax));
        const auto to = std::filesystem::path(flags.folder) / name;
        ICL_TRY(config::make_folder(to.parent_path().string()));
        ICL_TRY(config::write_file(to.string(), content, 0600));
    }
    return ok();
}

/// The only copy of a 0.0.3 peer's key may be in the file that is about to be replaced.
Result<> keep_flat_copy(const std::string& path, std::ostream& err) {
    const auto text = config::read_file(path, config::kConfigBytesMax);
    const auto file = text ? config::parse_json_object(text.value())
                           : Result<boost::json::object>(boost::json::object{});
    if (!file || !config::is_flat_file(file.value())) return ok();
    ICL_TRY(config::write_file(path + ".flat", text.value(), 0600));
    err << "the file of version 0.0.3 was kept as " << path << ".flat\n";
    return ok();
}

/// A secret that the operator gave is not repeated: this may end in the log of a container.
void print_joining(const config::Config& config, const PeerId& id, bool secret_given,
                   std::ostream& err) {
    const auto& secret = config.cluster.secret;
    err << "To let another peer join, give it this cluster's secret and an address of this peer:\n";
    if (secret.empty())
        err << "  ipfs-cluster-service init --custom-secret   (and an empty line)\n";
    else
        err << "  CLUSTER_SECRET=" << (secret_given ? "<the secret given>" : secret)
            << " ipfs-cluster-service init\n";
    for (const auto& address : config.cluster.listen_multiaddress) {
        if (!address.value_of("tcp")) continue;
        auto text = address.with_peer(id).to_string();
        if (const auto at = text.find("/ip4/0.0.0.0/"); at == 0)
            text =
                "/ip4/<address of this machine>" + text.substr(std::string("/ip4/0.0.0.0").size());
        err << "  ipfs-cluster-service daemon --bootstrap " << text << "\n";
    }
}

void print_network(const config::EmbeddedConfig& embedded, const std::string& config_path,
                   std::ostream& err) {
    const bool joined = embedded.network == "public";
    err << "The public IPFS network is " << (joined ? "on" : "off") << "; to change that, set\n"
        << "  ipfs_connector.embedded.network to \"" << (joined ? "off" : "public") << "\" in "
        << config_path << "\n";
}

}  // namespace

bool kubo_answers() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const timeval limit{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kKuboPort);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool answered = false;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
        const std::string request =
            "POST /api/v0/version HTTP/1.1\r\nHost: 127.0.0.1:5001\r\nContent-Length: 0\r\n\r\n";
        char reply[16] = {};
        answered = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(request.size()) &&
                   ::recv(fd, reply, sizeof reply - 1, 0) > 0 &&
                   std::string_view(reply).starts_with("HTTP/1.");
    }
    ::close(fd);
    return answered;
}

Result<bool> run_init(const Flags& flags, const config::Environment& env, std::istream& in,
                      std::ostream& out, std::ostream& err) {
    if (!flags.source_url.empty())
        return fail(Kind::unsupported, "a remote configuration is not served by this build");
    ICL_TRY(config::check_kind_of_consensus(flags.consensus));
    std::string reason;
    std::optional<config::TakenOver> old;
    if (!flags.from.empty()) {
        std::error_code ec;
        if (flags.from == flags.folder || std::filesystem::equivalent(flags.from, flags.folder, ec))
            return fail(Kind::invalid,
                        "--from names the new folder itself; give the new one with --config");
        ICL_TRY(old, config::read_old_folder(flags.from));
    }
    const bool keep_ipfs = old && !flags.ipfs_given;
    auto ipfs = config::IpfsChoice::kubo;
    if (keep_ipfs) {
        if (old->config.embedded.enabled) ipfs = config::IpfsChoice::embedded;
        reason = " (as in " + flags.from + ")";
    } else if (flags.ipfs == "auto" && env.get(kDaemonVariable)) {
        // Containers name the daemon this way, often before it is up.
        reason = " (" + std::string(kDaemonVariable) + " is set)";
    } else {
        ICL_TRY(ipfs, choose_ipfs(flags.ipfs, reason));
    }
    ICL_TRY(auto peers, parse_peers(flags.peers));
    if (old) {
        ICL_TRY(check_identity_free(flags.folder, old->identity));
    }

    const auto config_path = flags.folder + "/" + std::string(config::kConfigFile);
    const bool exists = std::filesystem::exists(config_path);
    std::optional<config::LockFile> lock;
    if (exists || std::filesystem::exists(config::identity_path(flags.folder))) {
        ICL_TRY(auto taken, config::LockFile::acquire(flags.folder));
        lock.emplace(std::move(taken));
    }
    if (exists && !flags.force && !confirmed(in, out, config_path + " will be overwritten."))
        return false;

    config::InitOptions options;
    options.consensus = flags.consensus;
    options.ipfs = ipfs;
    options.peers = peers;
    options.random_ports = flags.random_ports;
    options.env = env;
    if (ipfs == config::IpfsChoice::embedded && !keep_ipfs && flags.terminal &&
        !env.get("CLUSTER_EMBEDDED_NETWORK"))
        options.public_network = confirmed(in, out,
                                           "The embedded IPFS node can join the public IPFS "
                                           "network: it fetches what nobody in the cluster has,\n"
                                           "and everybody can find and fetch what is stored here. "
                                           "Otherwise content moves between the cluster's\n"
                                           "peers only. Joining the public network.");
    options.ipfs_given = !keep_ipfs;
    if (old) options.from = old->config;
    if (flags.custom_secret) {
        out << "Enter the cluster secret (32 bytes in hexadecimal): " << std::flush;
        std::string line;
        if (!std::getline(in, line))
            return fail(Kind::invalid, "no secret was entered; an empty line means none");
        ICL_TRY(auto secret, config::check_secret(line));
        options.custom_secret = std::move(secret);
    }
    ICL_TRY(const auto text, config::default_config_json(options));
    config::Warnings warnings;
    ICL_TRY(const auto config, config::parse_config(text, env, warnings));

    ICL_TRY(config::make_folder(flags.folder));
    bool created = false;
    if (old) {
        created = !config::file_exists(config::identity_path(flags.folder));
        if (created) {
            ICL_TRY(config::save_identity(flags.folder, old->identity));
        }
        ICL_TRY(copy_files(*old, flags));
        peers.insert(peers.end(), old->peers.begin(), old->peers.end());
    }
    bool fresh = false;
    ICL_TRY(const auto identity, config::load_or_create_identity(flags.folder, env, fresh));
    created = created || fresh;
    if (exists) {
        ICL_TRY(keep_flat_copy(config_path, err));
    }
    ICL_TRY(config::write_file(config_path, text, 0600));
    err << "configuration written to " << config_path << "\n";
    if (created)
        err << (old ? "identity" : "new identity") << " written to "
            << config::identity_path(flags.folder) << "\n";
    const auto peerstore = flags.folder + "/" + config.cluster.peerstore_file;
    ICL_TRY(config::save_peerstore(peerstore, peers));
    err << "peerstore written to " << peerstore << " with " << peers.size() << " entries\n";
    err << "IPFS: "
        << (ipfs == config::IpfsChoice::kubo ? "a Kubo daemon beside this peer"
                                             : "the node embedded in this peer")
        << reason << "\n";
    if (config.embedded.enabled) print_network(config.embedded, config_path, err);
    for (const auto& warning : warnings) err << "NOTICE: " << warning << "\n";
    if (old) {
        for (const auto& notice : old->notices) err << "NOTICE: " << notice << "\n";
        err << "This peer is the one of " << flags.from << " now: do not run both.\n";
    }
    const bool secret_given = flags.custom_secret || old || env.get("CLUSTER_SECRET");
    print_joining(config, identity.id, secret_given, err);
    return true;
}

}  // namespace ipfscluster::service
