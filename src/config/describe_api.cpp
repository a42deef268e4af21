#include "config/describe.hpp"

namespace ipfscluster::config {
namespace {

Multiaddr loopback(std::uint16_t port) {
    return Multiaddr::parse("/ip4/127.0.0.1/tcp/" + std::to_string(port)).value();
}

constexpr std::string_view kNoSecondHost = "the API has no libp2p host of its own";

}  // namespace

RestConfig::RestConfig(std::uint16_t port) : http_listen_multiaddress{loopback(port)} {}

ProxyConfig::ProxyConfig()
    : listen_multiaddress{loopback(9095)}, node_multiaddress(loopback(5001)) {}

void describe(FieldVisitor& v, RestConfig& c) {
    const FieldOptions path{.omit_default = true};
    const FieldOptions timeout{.min = kNotNegative};
    const FieldOptions cors{.absent = Absent::zero, .array_only = true};
    v.field("http_listen_multiaddress", &c.http_listen_multiaddress, {.zero_is_default = true});
    v.field("ssl_cert_file", &c.ssl_cert_file, path);
    v.field("ssl_key_file", &c.ssl_key_file, path);
    v.field("read_timeout", &c.read_timeout, timeout);
    v.field("read_header_timeout", &c.read_header_timeout, timeout);
    v.field("write_timeout", &c.write_timeout, timeout);
    v.field("idle_timeout", &c.idle_timeout, timeout);
    v.field("max_header_bytes", &c.max_header_bytes, {.zero_is_default = true, .min = 4096});
    v.field("libp2p_listen_multiaddress", &c.libp2p_listen_multiaddress,
            {.omit_default = true, .no_effect = kNoSecondHost});
    v.field("id", &c.id, {.omit_default = true, .no_effect = kNoSecondHost});
    v.field("private_key", &c.private_key,
            {.omit_default = true, .secret = true, .no_effect = kNoSecondHost});
    v.field("basic_auth_credentials", &c.basic_auth_credentials,
            {.null_when_empty = true, .secret = true});
    v.field("http_log_file", &c.http_log_file, {});
    v.field("headers", &c.headers, {.absent = Absent::zero});
    v.field("cors_allowed_origins", &c.cors_allowed_origins, cors);
    v.field("cors_allowed_methods", &c.cors_allowed_methods, cors);
    v.field("cors_allowed_headers", &c.cors_allowed_headers, cors);
    v.field("cors_exposed_headers", &c.cors_exposed_headers, cors);
    v.field("cors_allow_credentials", &c.cors_allow_credentials, {.absent = Absent::zero});
    v.field("cors_max_age", &c.cors_max_age, {.absent = Absent::zero, .min = kNotNegative});
}

void describe(FieldVisitor& v, ProxyConfig& c) {
    const FieldOptions timeout{.min = kNotNegative};
    v.field("listen_multiaddress", &c.listen_multiaddress, {.zero_is_default = true});
    v.field("node_multiaddress", &c.node_multiaddress, {});
    v.field("node_https", &c.node_https, {.omit_default = true});
    v.field("log_file", &c.log_file, {});
    v.field("read_timeout", &c.read_timeout, timeout);
    v.field("read_header_timeout", &c.read_header_timeout, timeout);
    v.field("write_timeout", &c.write_timeout, timeout);
    v.field("idle_timeout", &c.idle_timeout, timeout);
    v.field("max_header_bytes", &c.max_header_bytes, {.zero_is_default = true, .min = 4096});
    v.field("extract_headers_extra", &c.extract_headers_extra,
            {.omit_default = true, .array_only = true});
    v.field("extract_headers_path", &c.extract_headers_path,
            {.zero_is_default = true, .omit_default = true});
    v.field("extract_headers_ttl", &c.extract_headers_ttl,
            {.omit_default = true, .min = kNotNegative});
}

}  // namespace ipfscluster::config
