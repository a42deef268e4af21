// The reading half of HttpConnector, and the blocks of an add.
#include "dag/node_view.hpp"
#include "ipfs/http/http_connector.hpp"
#include "ipfs/http/kubo_session.hpp"

namespace ipfscluster::ipfshttp {
namespace {

using component::DirectoryEntry;

class CatSource final : public Source<Bytes> {
 public:
    explicit CatSource(KuboStreamPtr stream) : stream_(std::move(stream)) {}
    Async<std::optional<Bytes>> next() override {
        if (!stream_) co_return std::optional<Bytes>{};
        ICL_CO_TRY(auto piece, co_await stream_->read());
        if (piece.empty()) co_return std::optional<Bytes>{};
        co_return std::optional<Bytes>(std::move(piece));
    }

 private:
    KuboStreamPtr stream_;
};

class LsSource final : public Source<DirectoryEntry> {
 public:
    explicit LsSource(KuboStreamPtr stream) : stream_(std::move(stream)) {}
    Async<std::optional<DirectoryEntry>> next() override {
        while (at_ == page_.size()) {
            ICL_CO_TRY(auto line, co_await stream_->next_line());
            if (!line) co_return std::optional<DirectoryEntry>{};
            auto page = parse_ls_row(*line);
            if (!page) co_return fail(page.error().in("ls"));
            page_ = std::move(page).value();
            at_ = 0;
        }
        co_return std::optional<DirectoryEntry>(std::move(page_[at_++]));
    }

 private:
    KuboStreamPtr stream_;
    std::vector<DirectoryEntry> page_;
    std::size_t at_ = 0;
};

}  // namespace

Async<Bytes> HttpConnector::block_get(Cid cid) {
    auto call = request("block/get");
    call.arguments.emplace_back("arg", cid.to_string());
    co_return co_await client_.fetch(std::move(call));
}

Async<std::unique_ptr<component::BlockSession>> HttpConnector::open_blocks() {
    const auto& breaker = client_.breaker();
    if (!breaker.closed())
        co_return fail(Kind::unavailable, "the IPFS daemon is away: " + breaker.reason());
    std::function<void(std::size_t)> stored = [this](std::size_t count) {
        count_operations(count);
    };
    co_return std::unique_ptr<component::BlockSession>(
        std::make_unique<KuboSession>(client_, options_.request_timeout, std::move(stored)));
}

Async<component::FileInfo> HttpConnector::stat(std::string path) {
    auto call = request("files/stat");
    call.arguments.emplace_back("arg", path.starts_with('/') ? path : "/ipfs/" + path);
    ICL_CO_TRY(const auto body, co_await client_.fetch(std::move(call)));
    auto parsed = parse_files_stat(body);
    if (!parsed) co_return fail(parsed.error().in("files/stat"));
    co_return parsed;
}

Async<SourcePtr<Bytes>> HttpConnector::cat(Cid file, std::uint64_t offset, std::uint64_t length) {
    if (length == 0) co_return SourcePtr<Bytes>(std::make_unique<CatSource>(nullptr));
    auto call = request("cat");
    call.arguments.emplace_back("arg", "/ipfs/" + file.to_string());
    if (offset > 0) call.arguments.emplace_back("offset", std::to_string(offset));
    // The daemon's numbers have a sign; "everything" is left out.
    if (length <= INT64_MAX) call.arguments.emplace_back("length", std::to_string(length));
    ICL_CO_TRY(auto stream, co_await client_.open(std::move(call)));
    co_return SourcePtr<Bytes>(std::make_unique<CatSource>(std::move(stream)));
}

Async<SourcePtr<DirectoryEntry>> HttpConnector::ls(Cid directory) {
    auto call = request("ls");
    call.arguments = {{"arg", "/ipfs/" + directory.to_string()},
                      {"stream", "true"},
                      {"resolve-type", "true"},
                      {"size", "true"}};
    ICL_CO_TRY(auto stream, co_await client_.open(std::move(call)));
    co_return SourcePtr<DirectoryEntry>(std::make_unique<LsSource>(std::move(stream)));
}

Async<std::string> HttpConnector::read_link(Cid cid) {
    ICL_CO_TRY(auto block, co_await block_get(cid));
    ICL_CO_TRY(auto view, dag::view_node(cid, std::move(block)));
    if (view.type != dag::NodeView::Type::symlink)
        co_return fail(Kind::invalid, cid.to_string() + " is not a symbolic link");
    co_return std::move(view.data);
}

}  // namespace ipfscluster::ipfshttp
