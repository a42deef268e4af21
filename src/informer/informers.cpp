#include "informer/informers.hpp"

#include "base/log.hpp"

namespace ipfscluster::informer {

namespace {

std::vector<Metric> one(Metric metric) {
    std::vector<Metric> out;
    out.push_back(std::move(metric));
    return out;
}

}  // namespace

asio::awaitable<std::vector<Metric>> DiskInformer::metrics() {
    Metric metric{.name = name()};
    auto stat = co_await ipfs_.repo_stat();
    if (!stat) {
        // Nothing is wrong when the asker has gone: it finds that out by itself.
        if (stat.error().kind != Kind::cancelled)
            logger("diskinfo")
                ->warn("the repository could not be measured error=\"{}\"", stat.error().text);
        co_return one(std::move(metric));
    }
    const auto size = stat.value().repo_size;
    const auto max = stat.value().storage_max;
    if (type_ == Type::reposize) {
        metric.value = std::to_string(size);
        metric.weight = -static_cast<std::int64_t>(size);
        metric.valid = true;
    } else {
        const std::uint64_t free = size < max ? max - size : 0;
        metric.value = std::to_string(free);
        metric.weight = static_cast<std::int64_t>(free);
        metric.valid = true;
    }
    co_return one(std::move(metric));
}

asio::awaitable<std::vector<Metric>> TagsInformer::metrics() {
    std::vector<Metric> out;
    for (const auto& [name, value] : tags_)
        out.push_back(
            {.name = "tag:" + name, .value = value, .valid = true, .partitionable = true});
    if (out.empty()) out.push_back({.name = "tag:none", .partitionable = true});
    co_return out;
}

asio::awaitable<std::vector<Metric>> PinQueueInformer::metrics() {
    const auto queued = static_cast<std::int64_t>(tracker_.queue_size());
    co_return one({.name = name(),
                   .value = std::to_string(queued),
                   .valid = true,
                   .weight = -(bucket_ == 0 ? queued : queued / bucket_)});
}

asio::awaitable<std::vector<Metric>> NumPinInformer::metrics() {
    Metric metric{.name = name()};
    auto listing = ipfs_.pin_ls({"recursive", "direct"});
    std::uint64_t count = 0;
    while (true) {
        auto row = co_await listing->next();
        if (!row) {
            if (row.error().kind != Kind::cancelled)
                logger("numpin")->warn("the daemon's pins could not be counted error=\"{}\"",
                                       row.error().text);
            co_return one(std::move(metric));
        }
        if (!row.value()) break;
        ++count;
    }
    metric.value = std::to_string(count);
    metric.valid = true;
    co_return one(std::move(metric));
}

}  // namespace ipfscluster::informer
