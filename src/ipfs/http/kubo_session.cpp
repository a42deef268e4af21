#include "ipfs/http/kubo_session.hpp"

#include "dag/block.hpp"
#include "multi/multihash.hpp"

namespace ipfscluster::ipfshttp {
namespace {
/// Larger blocks are hashed away from the strand.
constexpr std::size_t kHashInlineMax = 16 * 1024;
}  // namespace

KuboSession::KuboSession(KuboClient& client, Duration limit,
                         std::function<void(std::size_t)> stored)
    : client_(client), limit_(limit), stored_(std::move(stored)) {}

Async<> KuboSession::put(Cid cid, Bytes data) {
    ICL_CO_TRY(const auto hash, parse_multihash(cid.multihash()));
    if (hash.code == static_cast<std::uint64_t>(HashCode::identity))
        co_return ok();  // its bytes are in the CID
    const auto name = hash_name(static_cast<HashCode>(hash.code));
    if (name.empty())
        co_return fail(Kind::unsupported,
                       cid.to_string() + ": its hash function has no name that the daemon knows");
    const auto digest_bytes = hash.digest.size();
    const auto code = hash.code;
    auto block = std::make_shared<dag::Block>(dag::Block{std::move(cid), std::move(data)});
    Result<> verified = ok();
    if (block->data.size() <= kHashInlineMax) {
        verified = dag::verify_block(block->cid, block->data);
    } else {
        auto work = [block] { return dag::verify_block(block->cid, block->data); };
        verified = co_await offload(client_.world(), std::move(work));
    }
    if (!verified) {
        auto error = verified.error();
        if (error.kind == Kind::corrupt) error.kind = Kind::invalid;
        co_return fail(std::move(error));
    }
    // One call computes one kind of multihash.
    const bool other = code != hash_code_ || digest_bytes != digest_bytes_;
    const bool full =
        body_.size() + block->data.size() > kBatchBytesMax || sent_.size() >= kBatchBlocksMax;
    if (!sent_.empty() && (other || full)) {
        ICL_CO_TRY(co_await flush());
    }
    if (sent_.empty()) {
        auto& world = client_.world();
        const auto high = world.random_u64();
        writer_.emplace(high, world.random_u64());
        hash_code_ = code;
        digest_bytes_ = digest_bytes;
    }
    body_ += writer_->begin_file(block->cid.to_string(), "application/octet-stream");
    body_ += block->data;
    sent_.emplace_back(block->cid.multihash());
    co_return ok();
}

Async<> KuboSession::commit() {
    ICL_CO_TRY(co_await flush());
    co_return ok();
}

Async<> KuboSession::flush() {
    if (sent_.empty()) co_return ok();
    body_ += writer_->close();
    KuboCall call;
    call.path = "block/put";
    call.arguments = {{"allow-big-block", "true"},
                      {"cid-codec", "raw"},
                      {"mhtype", std::string(hash_name(static_cast<HashCode>(hash_code_)))},
                      {"mhlen", std::to_string(digest_bytes_)},
                      {"pin", "false"},
                      {"stream-channels", "true"}};
    call.patience = {.limit = limit_, .gives_up = true};
    call.content_type = writer_->content_type();
    call.streamed = true;
    ICL_CO_TRY(auto stream, co_await client_.begin(std::move(call)));
    auto sent = co_await stream->write_body(std::exchange(body_, {}));
    if (sent) sent = co_await stream->finish_body();
    if (!sent && sent.error().kind == Kind::cancelled) co_return sent;
    // The daemon may answer (a full disk) before it has read everything: its words are worth more.
    auto head = co_await stream->read_head();
    if (!head) {
        auto error = head.error();
        if (error.kind == Kind::unknown_outcome) error.kind = Kind::unavailable;
        co_return fail(std::move(error));
    }
    ICL_CO_TRY(co_await read_keys(std::move(stream)));
    co_return ok();
}

Async<> KuboSession::read_keys(KuboStreamPtr stream) {
    const auto count = sent_.size();
    while (true) {
        ICL_CO_TRY(auto line, co_await stream->next_line());
        if (!line) break;
        auto key = parse_block_row(*line);
        if (!key) co_return fail(key.error().in(stream->path()));
        if (sent_.empty() || sent_.front() != key.value())
            co_return fail(Kind::corrupt,
                           "block/put: the daemon stored another block than it was sent");
        sent_.pop_front();
    }
    if (!sent_.empty())
        co_return fail(Kind::corrupt, "block/put: the daemon stored " +
                                          std::to_string(count - sent_.size()) + " of " +
                                          std::to_string(count) + " blocks");
    if (stored_) stored_(count);
    co_return ok();
}

}  // namespace ipfscluster::ipfshttp
