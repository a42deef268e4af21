#include "cli/service/provided_keys.hpp"

namespace ipfscluster::service {

namespace {

/// Each item of a source as the multihash it is about.
template <class Item>
class KeysOf final : public Source<Bytes> {
 public:
    KeysOf(SourcePtr<Item> items, Bytes (*key)(const Item&))
        : items_(std::move(items)), key_(key) {}
    Async<std::optional<Bytes>> next() override {
        ICL_CO_TRY(const auto item, co_await items_->next());
        if (!item) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(key_(*item));
    }

 private:
    SourcePtr<Item> items_;
    Bytes (*key_)(const Item&);
};

Bytes key_of_pin(const IpfsPinInfo& pin) {
    return Bytes(pin.cid.multihash());
}
Bytes key_of_block(const blockstore::BlockInfo& block) {
    return block.multihash;
}

}  // namespace

pubnet::KeySource provided_keys(const std::string& what, component::IpfsConnector& node,
                                blockstore::BlockStore& blocks) {
    if (what == "all")
        return [&blocks]() -> SourcePtr<Bytes> {
            return std::make_unique<KeysOf<blockstore::BlockInfo>>(blocks.list(), &key_of_block);
        };
    return [&node]() -> SourcePtr<Bytes> {
        std::vector<std::string> types{"recursive", "direct"};
        return std::make_unique<KeysOf<IpfsPinInfo>>(node.pin_ls(std::move(types)), &key_of_pin);
    };
}

}  // namespace ipfscluster::service
