#pragma once
#include <functional>
#include <map>
#include <string>

#include "component/ipfs_connector.hpp"
#include "component/peer_monitor.hpp"
#include "component/pin_tracker.hpp"
#include "runtime/world.hpp"

namespace ipfscluster::informer {

/// The four informers of reference/internals 6.2. Each is owned by main and asked by the cluster's
/// publishing loop at half its ttl.

/// `freespace` (StorageMax − RepoSize) or `reposize` of the IPFS daemon.
class DiskInformer final : public component::Informer {
 public:
    enum class Type : std::uint8_t { freespace, reposize };
    DiskInformer(component::IpfsConnector& ipfs, Type type, Duration ttl)
        : ipfs_(ipfs), type_(type), ttl_(ttl) {}
    std::string name() const override {
        return type_ == Type::freespace ? "freespace" : "reposize";
    }
    Duration ttl() const override { return ttl_; }
    asio::awaitable<std::vector<Metric>> metrics() override;

 private:
    component::IpfsConnector& ipfs_;
    Type type_;
    Duration ttl_;
};

/// `tag:<name>` per configured tag; one invalid `tag:none` when there is none.
class TagsInformer final : public component::Informer {
 public:
    TagsInformer(std::map<std::string, std::string> tags, Duration ttl)
        : tags_(std::move(tags)), ttl_(ttl) {}
    std::string name() const override { return "tags"; }
    Duration ttl() const override { return ttl_; }
    asio::awaitable<std::vector<Metric>> metrics() override;

 private:
    std::map<std::string, std::string> tags_;
    Duration ttl_;
};

/// `pinqueue`: pins waiting here; heavier is better, so the weight is negative.
class PinQueueInformer final : public component::Informer {
 public:
    PinQueueInformer(component::PinTracker& tracker, std::int64_t weight_bucket_size, Duration ttl)
        : tracker_(tracker), bucket_(weight_bucket_size), ttl_(ttl) {}
    std::string name() const override { return "pinqueue"; }
    Duration ttl() const override { return ttl_; }
    asio::awaitable<std::vector<Metric>> metrics() override;

 private:
    component::PinTracker& tracker_;
    std::int64_t bucket_;
    Duration ttl_;
};

/// `numpin`: how many pins the daemon holds.
class NumPinInformer final : public component::Informer {
 public:
    NumPinInformer(component::IpfsConnector& ipfs, Duration ttl) : ipfs_(ipfs), ttl_(ttl) {}
    std::string name() const override { return "numpin"; }
    Duration ttl() const override { return ttl_; }
    asio::awaitable<std::vector<Metric>> metrics() override;

 private:
    component::IpfsConnector& ipfs_;
    Duration ttl_;
};

}  // namespace ipfscluster::informer
