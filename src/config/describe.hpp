#pragma once
#include "config/sections.hpp"

namespace ipfscluster::config {

/// Shows each field of a component to the visitor, in the order service.json is written.
void describe(FieldVisitor& visitor, ClusterConfig& c);
void describe(FieldVisitor& visitor, RaftConfig& c);
void describe(FieldVisitor& visitor, RestConfig& c);
void describe(FieldVisitor& visitor, ProxyConfig& c);
void describe(FieldVisitor& visitor, IpfsHttpConfig& c);
void describe(FieldVisitor& visitor, EmbeddedConfig& c);
void describe(FieldVisitor& visitor, TrackerConfig& c);
void describe(FieldVisitor& visitor, MonitorConfig& c);
void describe(FieldVisitor& visitor, AllocatorConfig& c);
void describe(FieldVisitor& visitor, DiskConfig& c);
void describe(FieldVisitor& visitor, TagsConfig& c);
void describe(FieldVisitor& visitor, PinQueueConfig& c);
void describe(FieldVisitor& visitor, NumPinConfig& c);
void describe(FieldVisitor& visitor, MetricsConfig& c);
void describe(FieldVisitor& visitor, TracingConfig& c);

/// Smallest values for FieldOptions::min.
inline constexpr std::int64_t kNotNegative = 0;
inline constexpr std::int64_t kPositive = 1;
inline constexpr std::int64_t kMillisecond = 1'000'000;
/// Largest number of anything counted.
inline constexpr std::int64_t kCountMax = 1'000'000'000;

}  // namespace ipfscluster::config
