#include "adder/add_session.hpp"
#include "api/adding/upload.hpp"
#include "ipfs/rpc/handlers.hpp"

namespace ipfscluster::ipfs_rpc {
namespace {

using component::AddSession;
using component::BlockSession;

/// Top entries of one add that are pinned each for itself.
constexpr std::size_t kAddRootsMax = 100'000;

/// What the parts of one add share.
struct AddState {
    Call& call;
    bool wrap = false;
    bool only_hash = false;
    bool pin = true;
    bool silent = false;
    std::vector<Cid> roots = {};  ///< of the top entries so far
};

/// Blocks that are only counted: --only-hash.
class NoBlocks final : public BlockSession {
 public:
    Async<> put(Cid, Bytes) override { co_return ok(); }
    Async<> commit() override { co_return ok(); }
};

/// The node's session; without a pin to follow its lease ends with it.
class NodeBlocksOfAdd final : public BlockSession {
 public:
    NodeBlocksOfAdd(std::unique_ptr<node::NodeSession> session, bool pin)
        : session_(std::move(session)), pin_(pin) {}
    Async<> put(Cid cid, Bytes data) override {
        return session_->put(std::move(cid), std::move(data));
    }
    Async<> put_verified(Cid cid, Bytes data) override {
        return session_->put_verified(std::move(cid), std::move(data));
    }
    Async<> commit() override { return pin_ ? session_->commit() : session_->commit_unleased(); }

 private:
    std::unique_ptr<node::NodeSession> session_;
    bool pin_;
};

/// The node alone as the place of an add.
class NodeBackend final : public adder::AddBackend {
 public:
    explicit NodeBackend(AddState& state) : state_(state) {}
    PeerId self() const override { return state_.call.node().self(); }
    Async<std::vector<PeerId>> allocate(Pin) override { co_return std::vector<PeerId>(1, self()); }
    Async<std::unique_ptr<BlockSession>> open_blocks(PeerId) override {
        if (state_.only_hash) co_return std::unique_ptr<BlockSession>(new NoBlocks);
        ICL_CO_TRY(auto session, co_await state_.call.node().open_session());
        co_return std::unique_ptr<BlockSession>(
            new NodeBlocksOfAdd(std::move(session), state_.pin));
    }
    /// The last root's pin ends the lease of the whole add, so the others come before it.
    Async<Pin> commit_pin(Pin last) override {
        for (const auto& root : state_.roots) {
            if (root == last.cid) continue;
            Pin pin;
            pin.cid = root;
            ICL_CO_TRY(co_await pin_root(std::move(pin)));
        }
        Pin pin;
        pin.cid = last.cid;
        ICL_CO_TRY(co_await pin_root(std::move(pin)));
        co_return last;
    }
    std::pair<int, int> default_replication() const override { return {-1, -1}; }

 private:
    Async<> pin_root(Pin pin) {
        pin.options.name = state_.call.text("pin-name");
        component::ProgressHandler none;
        co_return co_await state_.call.node().pin_or_undo(std::move(pin), std::move(none));
    }
    AddState& state_;
};

/// Notes the roots as they pass.
class RootsSession final : public AddSession {
 public:
    RootsSession(AddState& state, std::unique_ptr<AddSession> session)
        : state_(state), session_(std::move(session)) {}
    Async<> begin_file(std::string path) override {
        last_file_ = path;
        return session_->begin_file(std::move(path));
    }
    Async<> write(Bytes data) override { return session_->write(std::move(data)); }
    Async<> end_file() override { return session_->end_file(); }
    Async<> add_directory(std::string path) override {
        return session_->add_directory(std::move(path));
    }
    Async<> add_symlink(std::string path, std::string target) override {
        last_file_ = path;
        return session_->add_symlink(std::move(path), std::move(target));
    }
    std::vector<AddedOutput> take_outputs() override {
        auto outputs = session_->take_outputs();
        if (state_.pin && !state_.wrap)
            for (const auto& output : outputs)
                if (output.cid.defined() && output.name.find('/') == std::string::npos)
                    state_.roots.push_back(output.cid);
        // Kubo is silent about files, and names directories all the same.
        if (state_.silent)
            std::erase_if(outputs, [this](const AddedOutput& output) {
                return !output.cid.defined() || output.name == last_file_ || last_file_.empty();
            });
        return outputs;
    }
    Async<Cid> finish() override {
        if (state_.roots.size() > kAddRootsMax)
            co_return fail(Kind::unsupported, "more than " + std::to_string(kAddRootsMax) +
                                                  " entries in one add; wrap them in a directory");
        co_return co_await session_->finish();
    }

 private:
    AddState& state_;
    std::unique_ptr<AddSession> session_;
    std::string last_file_;
};

void append_event(const CidText& text, std::string& out, const AddedOutput& output) {
    codec::JsonObject o(out);
    o.put("Name", output.name);
    if (output.cid.defined()) {
        o.put("Hash", text(output.cid));
        o.put("Size", std::to_string(output.size));
    } else if (output.bytes > 0) {
        o.put("Bytes", output.bytes);
    }
}

Result<component::AddParams> params_of(const Call& call) {
    component::AddParams params;
    const auto hash = call.text("hash");
    if (!hash.empty()) params.hash = hash;
    for (auto& c : params.hash)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (!parse_hash_name(params.hash))
        return fail(Kind::invalid, "unrecognized hash function: \"" + params.hash + "\"");
    const bool sha256 = params.hash == "sha2-256";
    params.cid_version = call.has("cid-version") ? static_cast<int>(call.number("cid-version"))
                         : sha256                ? 0
                                                 : 1;
    if (!sha256 && params.cid_version == 0)
        return fail(Kind::invalid, "CIDv0 only supports sha2-256");
    if (params.cid_version != 0 && params.cid_version != 1)
        return fail(Kind::invalid, "unknown CID version: " + std::to_string(params.cid_version));
    params.raw_leaves = call.has("raw-leaves") ? call.flag("raw-leaves") : params.cid_version > 0;
    if (!call.text("chunker").empty()) params.chunker = call.text("chunker");
    if (call.flag("trickle")) params.layout = "trickle";
    params.wrap = call.flag("wrap-with-directory");
    params.progress = call.flag("progress");
    params.no_pin = call.flag("only-hash") || !call.flag("pin");
    if (params.no_pin && call.has("pin-name"))
        return fail(Kind::invalid, "pin-name option requires pin to be set");
    if (call.text("pin-name").size() > blockstore::kPinNameBytesMax)
        return fail(Kind::invalid, "pin name is " + std::to_string(call.text("pin-name").size()) +
                                       " bytes (max 255 bytes)");
    return params;
}

Async<> no_single_answer(http::Exchange&, Error error) {
    co_return fail(std::move(error));
}

}  // namespace

Async<> add(Call& call) {
    ICL_CO_TRY(auto params, params_of(call));
    auto& exchange = call.exchange();
    ICL_CO_TRY(auto boundary,
               http::multipart_boundary(exchange.request.headers.get("Content-Type")));
    AddState state{call, params.wrap, call.flag("only-hash"), !params.no_pin, call.flag("silent")};
    ICL_CO_TRY(auto inner,
               adder::make_add_session(call.world(), std::make_shared<NodeBackend>(state),
                                       std::move(params)));
    auto session = std::make_unique<RootsSession>(state, std::move(inner));

    adding::AddForm form;
    form.append = [text = call.cid_text()](std::string& out, const AddedOutput& output) {
        append_event(text, out, output);
    };
    form.send_error = no_single_answer;
    exchange.headers.add("Server", "kubo/" + std::string(kKuboVersion));
    // Under a deadline this runs in a thread of its own, where awaiting would throw past the reply.
    co_await asio::this_coro::throw_if_cancelled(false);
    adding::AddReply reply(call.world(), exchange, std::move(form));
    auto done = co_await adding::upload(exchange, std::move(boundary), *session, reply);
    // An unfinished session lets go of its blocks before the client hears of the failure.
    session.reset();
    if (!done) co_return co_await reply.fail_with(done.error());
    co_return co_await reply.succeed();
}

}  // namespace ipfscluster::ipfs_rpc
