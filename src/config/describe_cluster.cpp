#include "base/encoding.hpp"
#include "config/describe.hpp"

namespace ipfscluster::config {
namespace {

constexpr std::string_view kNoLimits = "the network layer has fixed bounds of its own";
constexpr std::string_view kRaftTrust = "every member of a raft cluster is trusted";

void describe(FieldVisitor& v, ConnectionManagerConfig& c) {
    v.begin_object("connection_manager");
    v.field("high_water", &c.high_water,
            {.absent = Absent::zero, .min = kPositive, .max = kCountMax});
    v.field("low_water", &c.low_water,
            {.absent = Absent::zero, .min = kPositive, .max = kCountMax});
    v.field("grace_period", &c.grace_period, {.absent = Absent::zero, .min = kPositive});
    v.end_object();
}

void describe(FieldVisitor& v, ResourceManagerConfig& c) {
    const FieldOptions option{.absent = Absent::zero, .no_effect = kNoLimits};
    v.begin_object("resource_manager");
    v.field("enabled", &c.enabled, option);
    v.field("memory_limit_bytes", &c.memory_limit_bytes, option);
    v.field("file_descriptors_limit", &c.file_descriptors_limit, option);
    v.end_object();
}

void describe(FieldVisitor& v, PubsubConfig& c) {
    const FieldOptions number{.absent = Absent::zero, .min = kPositive, .max = 1000};
    v.begin_object("pubsub");
    v.field("seen_messages_ttl", &c.seen_messages_ttl, {.min = kPositive});
    v.field("heartbeat_interval", &c.heartbeat_interval, {.min = kMillisecond});
    v.field("d_factor", &c.d_factor, number);
    v.field("history_gossip", &c.history_gossip, number);
    v.field("history_length", &c.history_length, number);
    v.field("flood_publish", &c.flood_publish, {.absent = Absent::zero});
    v.end_object();
}

}  // namespace

ClusterConfig::ClusterConfig() {
    listen_multiaddress = {Multiaddr::parse("/ip4/0.0.0.0/tcp/9096").value(),
                           Multiaddr::parse("/ip4/0.0.0.0/udp/9096/quic").value()};
}

Bytes ClusterConfig::secret_bytes() const {
    return hex_decode(secret).value();
}

void describe(FieldVisitor& v, ClusterConfig& c) {
    const FieldOptions flag{.absent = Absent::zero};
    const FieldOptions interval{.min = kPositive};
    const FieldOptions trust{.absent = Absent::zero, .no_effect = kRaftTrust};
    v.field("peername", &c.peername, {.zero_is_default = true});
    v.field("secret", &c.secret, {.absent = Absent::zero, .secret = true});
    v.field("leave_on_shutdown", &c.leave_on_shutdown, flag);
    v.field("listen_multiaddress", &c.listen_multiaddress,
            {.absent = Absent::zero, .not_empty = true});
    v.field("announce_multiaddress", &c.announce_multiaddress, flag);
    v.field("no_announce_multiaddress", &c.no_announce_multiaddress, flag);
    v.field("enable_relay_hop", &c.enable_relay_hop, {.absent = Absent::zero});
    describe(v, c.connection_manager);
    describe(v, c.resource_manager);
    describe(v, c.pubsub);
    v.field("dial_peer_timeout", &c.dial_peer_timeout, interval);
    v.field("state_sync_interval", &c.state_sync_interval, interval);
    v.field("pin_recover_interval", &c.pin_recover_interval, interval);
    v.field("replication_factor_min", &c.replication_factor_min,
            {.zero_is_default = true, .min = -1, .max = kCountMax});
    v.field("replication_factor_max", &c.replication_factor_max,
            {.zero_is_default = true, .min = -1, .max = kCountMax});
    v.field("monitor_ping_interval", &c.monitor_ping_interval, interval);
    v.field("peer_watch_interval", &c.peer_watch_interval, interval);
    v.field("mdns_interval", &c.mdns_interval, {});
    v.field("pin_only_on_trusted_peers", &c.pin_only_on_trusted_peers, trust);
    v.field("pin_only_on_untrusted_peers", &c.pin_only_on_untrusted_peers, trust);
    v.field("disable_repinning", &c.disable_repinning, flag);
    v.field("repin_grace", &c.repin_grace, {.min = kNotNegative});
    v.field("repin_rate", &c.repin_rate, {.min = kPositive, .max = 1'000'000});
    v.field("follower_mode", &c.follower_mode, {.absent = Absent::zero, .omit_default = true});
    v.field("peerstore_file", &c.peerstore_file, {.zero_is_default = true, .omit_default = true});
    v.field("peer_addresses", &c.peer_addresses, {.absent = Absent::zero, .array_only = true});
    v.field("id", &c.id, {.never_written = true});
    v.field("private_key", &c.private_key, {.never_written = true, .secret = true});
}

void describe(FieldVisitor& v, RaftConfig& c) {
    constexpr std::string_view no_namespace = "the store has a fixed layout";
    constexpr std::string_view no_batch_wait = "entries are sent as soon as they are there";
    constexpr std::string_view no_lease = "current reads ask a majority, no lease is needed";
    constexpr std::string_view by_count = "snapshots follow snapshot_threshold alone";
    constexpr std::string_view by_election = "heartbeats follow election_timeout";
    constexpr std::string_view no_wait = "a peer waits for a leader until it is stopped";
    constexpr std::string_view no_retries = "an operation is tried until its deadline";
    constexpr std::string_view by_bytes = "batches are bounded by their bytes";
    constexpr std::int64_t kBackupsMax = 1000;
    const FieldOptions timer{.loose_duration = true, .min = 5 * kMillisecond};
    v.field("data_folder", &c.data_folder, {.omit_default = true});
    v.field("init_peerset", &c.init_peerset, {.absent = Absent::zero, .array_only = true});
    v.field("wait_for_leader_timeout", &c.wait_for_leader_timeout,
            {.loose_duration = true, .min = kNotNegative, .no_effect = no_wait});
    v.field("network_timeout", &c.network_timeout, {.loose_duration = true, .min = kNotNegative});
    v.field("commit_retries", &c.commit_retries,
            {.absent = Absent::zero, .min = kNotNegative, .no_effect = no_retries});
    v.field("commit_retry_delay", &c.commit_retry_delay,
            {.loose_duration = true, .min = kNotNegative, .no_effect = no_retries});
    v.field("backups_rotate", &c.backups_rotate,
            {.zero_is_default = true, .min = kNotNegative, .max = kBackupsMax});
    v.field("datastore_namespace", &c.datastore_namespace,
            {.zero_is_default = true, .omit_default = true, .no_effect = no_namespace});
    v.field("heartbeat_timeout", &c.heartbeat_timeout,
            {.loose_duration = true, .min = 5 * kMillisecond, .no_effect = by_election});
    v.field("election_timeout", &c.election_timeout, timer);
    v.field("commit_timeout", &c.commit_timeout,
            {.loose_duration = true, .min = kMillisecond, .no_effect = no_batch_wait});
    v.field("max_append_entries", &c.max_append_entries,
            {.min = kNotNegative, .max = 1024, .no_effect = by_bytes});
    v.field("trailing_logs", &c.trailing_logs, {});
    v.field("snapshot_interval", &c.snapshot_interval,
            {.loose_duration = true, .min = 5 * kMillisecond, .no_effect = by_count});
    v.field("snapshot_threshold", &c.snapshot_threshold, {});
    v.field("leader_lease_timeout", &c.leader_lease_timeout,
            {.loose_duration = true, .min = 5 * kMillisecond, .no_effect = no_lease});
}

}  // namespace ipfscluster::config
