#include <set>

#include "dag/car.hpp"
#include "dag/dag_walk.hpp"
#include "ipfs/rpc/codecs.hpp"
#include "ipfs/rpc/handlers.hpp"
#include "ipfs/rpc/path.hpp"
#include "ipfs/rpc/seen_blocks.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

/// Roots one import may name in all its files.
constexpr std::size_t kImportRootsMax = 100'000;

}  // namespace

/// In the order of the traversal; a block that stands in several places comes once, as long as the
/// blocks of the DAG can be told apart, and more than once in a larger one, which a CAR allows.
Async<> dag_export(Call& call) {
    const bool local_only = call.flag("local-only");
    if (local_only && call.has("offline") && !call.offline())
        co_return fail(Kind::invalid,
                       "--local-only implies --offline and cannot be combined with "
                       "--offline=false; please drop one of them");
    const auto held = local_only ? call.node().reader(true) : nullptr;
    dag::BlockReader& blocks = held ? static_cast<dag::BlockReader&>(*held) : call.blocks();
    ICL_CO_TRY(const auto root, co_await resolve_to_block(blocks, call.arguments()[0]));
    SeenBlocks seen;
    dag::DagWalk walk(root);
    while (auto step = walk.next()) {
        if (!seen.add(step->cid)) {
            walk.skip(*step);
            continue;
        }
        auto block = co_await blocks.read(step->cid);
        if (!block && local_only && call.exchange().started() &&
            block.error().kind == Kind::not_found) {
            walk.skip(*step);
            continue;
        }
        if (!block) co_return fail(block.error());
        ICL_CO_TRY(walk.arrived(*step, block.value()));
        Bytes out;
        if (!call.exchange().started()) {
            ICL_CO_TRY(co_await call.begin_bytes("application/vnd.ipld.car", std::nullopt));
            out = dag::car_start(std::vector<Cid>(1, root));
        }
        out += dag::car_section_head(step->cid, block.value().size());
        ICL_CO_TRY(co_await call.write(std::move(out)));
        ICL_CO_TRY(co_await call.write(std::move(block).value()));
    }
    co_return ok();
}

namespace {

/// One import: all files of the body under one lease.
class Import {
 public:
    Import(Call& call, std::unique_ptr<node::NodeSession> session)
        : call_(call), session_(std::move(session)) {}

    /// One file of the body.
    Async<> file() {
        dag::CarReader reader;
        while (true) {
            ICL_CO_TRY(const auto piece, co_await call_.read_file());
            if (piece.empty()) break;
            reader.feed(piece);
            while (true) {
                ICL_CO_TRY(auto block, next_block(reader));
                if (!block) break;
                ICL_CO_TRY(co_await store(std::move(*block)));
            }
        }
        ICL_CO_TRY(at_block(reader.finish()));
        for (const auto& root : *reader.roots()) {
            if (roots_.size() == kImportRootsMax)
                co_return fail(Kind::unsupported, "too many roots in one import");
            roots_.insert(root);
        }
        co_return ok();
    }

    Async<> finish(bool pin) {
        if (!pin) co_return co_await session_->commit_unleased();
        // The lease stays with the session until every root has its pin.
        ICL_CO_TRY(co_await session_->sync());
        for (const auto& root : roots_) {
            ICL_CO_TRY(session_->renew_if_due());
            Pin wanted;
            wanted.cid = root;
            auto pinned = co_await call_.node().pin_held(std::move(wanted));
            if (!pinned && pinned.error().kind == Kind::cancelled) co_return pinned;
            std::string row =
                "{\"Root\":{\"Cid\":{\"/\":\"" + root.to_string() + "\"},\"PinErrorMsg\":";
            codec::append_json(row, pinned ? std::string() : pinned.error().text);
            ICL_CO_TRY(co_await call_.emit(row + "}}"));
        }
        co_return co_await session_->commit_unleased();
    }

    Async<> emit_stats() {
        co_return co_await call_.emit("{\"Stats\":{\"BlockCount\":" + std::to_string(blocks_) +
                                      ",\"BlockBytesCount\":" + std::to_string(bytes_) + "}}");
    }

 private:
    Result<> at_block(Result<> done) const {
        if (done) return done;
        if (!last_.defined()) return fail(done.error().in("import failed"));
        return fail(done.error().in("import failed after block \"" + last_.to_string() + "\""));
    }
    Result<std::optional<dag::Block>> next_block(dag::CarReader& reader) const {
        auto block = reader.next();
        if (block) return block;
        ICL_TRY(at_block(fail(block.error())));
        return block;
    }
    Async<> store(dag::Block block) {
        ICL_CO_TRY(at_block(check_block_size(call_, block.data.size())));
        ++blocks_;
        bytes_ += block.data.size();
        last_ = block.cid;
        co_return at_block(
            co_await session_->put_verified(std::move(block.cid), std::move(block.data)));
    }

    Call& call_;
    std::unique_ptr<node::NodeSession> session_;
    std::set<Cid> roots_;
    Cid last_;
    std::uint64_t blocks_ = 0, bytes_ = 0;
};

}  // namespace

Async<> dag_import(Call& call) {
    const bool local_only = call.flag("local-only");
    if (local_only && call.has("pin-roots") && call.flag("pin-roots"))
        co_return fail(Kind::invalid,
                       "--local-only implies --pin-roots=false and cannot be combined with "
                       "--pin-roots=true; please drop one of them");
    ICL_CO_TRY(auto session, co_await call.node().open_session());
    Import import(call, std::move(session));
    std::size_t files = 0;
    while (true) {
        ICL_CO_TRY(const bool more, co_await call.next_file());
        if (!more) break;
        ++files;
        ICL_CO_TRY(co_await import.file());
    }
    if (files == 0) co_return fail(Kind::invalid, "expected a file handle");
    ICL_CO_TRY(co_await import.finish(call.flag("pin-roots") && !local_only));
    if (call.flag("stats")) co_return co_await import.emit_stats();
    co_return ok();
}

}  // namespace ipfscluster::ipfs_rpc
