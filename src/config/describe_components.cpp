#include "config/describe.hpp"

namespace ipfscluster::config {
namespace {

constexpr std::string_view kNoStats = "this build has no metrics endpoint";
constexpr std::string_view kNoTracing = "this build sends no traces";
/// A round over everything takes its time.
constexpr std::int64_t kReprovideMin = 10LL * 1'000'000'000;

/// The public network's bootstrap peers, as Kubo 0.43 has them when it cannot ask for newer ones.
constexpr std::string_view kPublicBootstrap[] = {
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
    "/dnsaddr/va1.bootstrap.libp2p.io/p2p/12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8",
    "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
    "/ip4/104.131.131.82/udp/4001/quic-v1/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ",
};

}  // namespace

IpfsHttpConfig::IpfsHttpConfig()
    : node_multiaddress(Multiaddr::parse("/ip4/127.0.0.1/tcp/5001").value()) {}

EmbeddedConfig::EmbeddedConfig()
    : public_listen_multiaddress{Multiaddr::parse("/ip4/0.0.0.0/tcp/4011").value(),
                                 Multiaddr::parse("/ip4/0.0.0.0/udp/4011/quic-v1").value()},
      api_listen_multiaddress{Multiaddr::parse("/ip4/127.0.0.1/tcp/5011").value()} {
    for (const auto text : kPublicBootstrap) bootstrap.push_back(Multiaddr::parse(text).value());
}

MetricsConfig::MetricsConfig()
    : prometheus_endpoint(Multiaddr::parse("/ip4/127.0.0.1/tcp/8888").value()) {}

TracingConfig::TracingConfig()
    : jaeger_agent_endpoint(Multiaddr::parse("/ip4/0.0.0.0/udp/6831").value()) {}

void describe(FieldVisitor& v, IpfsHttpConfig& c) {
    const FieldOptions timeout{.min = kNotNegative};
    v.field("node_multiaddress", &c.node_multiaddress, {.absent = Absent::zero, .not_empty = true});
    v.field("connect_swarms_delay", &c.connect_swarms_delay, timeout);
    v.field("ipfs_request_timeout", &c.ipfs_request_timeout, timeout);
    v.field("pin_timeout", &c.pin_timeout, timeout);
    v.field("unpin_timeout", &c.unpin_timeout, timeout);
    v.field("repogc_timeout", &c.repogc_timeout, timeout);
    v.field("informer_trigger_interval", &c.informer_trigger_interval,
            {.absent = Absent::zero, .min = kNotNegative});
    v.field("unpin_disable", &c.unpin_disable, {.omit_default = true});
}

void describe(FieldVisitor& v, EmbeddedConfig& c) {
    v.field("folder", &c.folder, {.zero_is_default = true});
    v.field("storage_max", &c.storage_max, {});
    v.field("reserve", &c.reserve, {});
    v.field("network", &c.network, {.zero_is_default = true});
    v.field("public_listen_multiaddress", &c.public_listen_multiaddress, {.omit_default = true});
    v.field("public_announce_multiaddress", &c.public_announce_multiaddress,
            {.omit_default = true});
    v.field("bootstrap", &c.bootstrap, {.omit_default = true, .array_only = true});
    v.field("provide", &c.provide, {.zero_is_default = true, .omit_default = true});
    v.field("reprovide_interval", &c.reprovide_interval,
            {.omit_default = true, .min = kReprovideMin});
    v.field("api_listen_multiaddress", &c.api_listen_multiaddress, {});
    v.field("pin_timeout", &c.pin_timeout, {.min = kMillisecond});
    v.field("gc_lease", &c.gc_lease, {.min = kMillisecond});
}

void describe(FieldVisitor& v, TrackerConfig& c) {
    v.field("max_pin_queue_size", &c.max_pin_queue_size,
            {.zero_is_default = true, .omit_default = true, .min = kNotNegative});
    v.field("concurrent_pins", &c.concurrent_pins,
            {.zero_is_default = true, .min = kNotNegative, .max = kCountMax});
    v.field("priority_pin_max_age", &c.priority_pin_max_age, {.min = kPositive});
    v.field("priority_pin_max_retries", &c.priority_pin_max_retries,
            {.min = kNotNegative, .max = kCountMax});
}

void describe(FieldVisitor& v, MonitorConfig& c) {
    v.field("check_interval", &c.check_interval, {.absent = Absent::zero, .min = kPositive});
}

void describe(FieldVisitor& v, AllocatorConfig& c) {
    v.field("allocate_by", &c.allocate_by, {.zero_is_default = true, .array_only = true});
}

void describe(FieldVisitor& v, DiskConfig& c) {
    v.field("metric_ttl", &c.metric_ttl, {.absent = Absent::zero, .min = kPositive});
    v.field("metric_type", &c.metric_type, {.absent = Absent::zero, .not_empty = true});
}

void describe(FieldVisitor& v, TagsConfig& c) {
    v.field("metric_ttl", &c.metric_ttl, {.min = kPositive});
    v.field("tags", &c.tags, {.absent = Absent::zero});
}

void describe(FieldVisitor& v, PinQueueConfig& c) {
    v.field("metric_ttl", &c.metric_ttl, {.absent = Absent::zero, .min = kPositive});
    v.field("weight_bucket_size", &c.weight_bucket_size,
            {.absent = Absent::zero, .min = kNotNegative});
}

void describe(FieldVisitor& v, NumPinConfig& c) {
    v.field("metric_ttl", &c.metric_ttl, {.min = kPositive});
}

void describe(FieldVisitor& v, MetricsConfig& c) {
    v.field("enable_stats", &c.enable_stats, {.absent = Absent::zero, .no_effect = kNoStats});
    v.field("prometheus_endpoint", &c.prometheus_endpoint,
            {.absent = Absent::zero, .not_empty = true, .no_effect = kNoStats});
    v.field("reporting_interval", &c.reporting_interval,
            {.min = kNotNegative, .no_effect = kNoStats});
}

void describe(FieldVisitor& v, TracingConfig& c) {
    const FieldOptions option{.absent = Absent::zero, .no_effect = kNoTracing};
    v.field("enable_tracing", &c.enable_tracing, option);
    v.field("jaeger_agent_endpoint", &c.jaeger_agent_endpoint,
            {.absent = Absent::zero, .not_empty = true, .no_effect = kNoTracing});
    v.field("sampling_prob", &c.sampling_prob,
            {.absent = Absent::zero, .min = kNotNegative, .no_effect = kNoTracing});
    v.field("service_name", &c.service_name, option);
}

}  // namespace ipfscluster::config
