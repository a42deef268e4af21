#include <ostream>
#include <set>

#include "cli/ctl/commands.hpp"
#include "cli/ctl/progress.hpp"
#include "cli/ctl/upload_reader.hpp"

namespace ipfscluster::ctl {
namespace {

Result<std::vector<UploadRoot>> upload_roots(const Context& context) {
    std::vector<UploadRoot> roots;
    std::set<std::string> names;
    for (const std::string& path : context.line.arguments) {
        if (path.starts_with("http://") || path.starts_with("https://"))
            return fail(Kind::unsupported, path + ": URLs cannot be added by this build");
        ICL_TRY(check_readable(path));
        ICL_TRY(auto name, upload_name(path));
        if (!names.insert(name).second)
            return fail(Kind::invalid, path + ": another argument is called \"" + name + "\", too");
        roots.push_back({path, std::move(name)});
    }
    if (roots.empty()) return fail(Kind::invalid, "a file or directory is needed");
    return roots;
}

Result<client::AddParams> add_params(Context& context, std::size_t roots) {
    const FlagValues& flags = context.flags();
    const auto text_or = [&](std::string_view flag, const std::string& usual) {
        return flags.has(flag) ? flags.text(flag) : usual;
    };
    client::AddParams params;
    ICL_TRY(params.pin, pin_options(context));
    params.format = text_or("format", params.format);
    params.layout = text_or("layout", params.layout);
    params.chunker = text_or("chunker", params.chunker);
    params.hash = text_or("hash", params.hash);
    if (flags.integer("cid-version") < 0 || flags.integer("cid-version") > 1)
        return fail(Kind::invalid, "cid-version: must be 0 or 1");
    params.cid_version = static_cast<int>(flags.integer("cid-version"));
    if (params.hash != "sha2-256") params.cid_version = 1;
    params.raw_leaves =
        flags.has("raw-leaves") ? flags.boolean("raw-leaves") : params.cid_version > 0;
    params.wrap = flags.boolean("wrap-with-directory") || roots > 1;
    params.local = flags.boolean("local");
    params.no_pin = flags.boolean("no-pin");
    params.recursive = flags.boolean("recursive");
    params.hidden = flags.boolean("hidden");
    params.progress = false;
    if (params.format == "car" && params.wrap)
        return fail(Kind::invalid, "a CAR file cannot be wrapped or come with other files");
    if (flags.boolean("nocopy")) return fail(Kind::invalid, "nocopy is for URLs only");
    return params;
}

/// Prints what was added as the flags want it.
class AddPrinter {
 public:
    AddPrinter(Context& context, ProgressBar& bar) : context_(context), bar_(bar) {}

    void take(AddedOutput output) {
        if (!output.cid.defined()) return;
        const FlagValues& flags = context_.flags();
        last_ = output;
        if (flags.boolean("quieter")) return;
        if (flags.boolean("no-stream"))
            held_.push_back(std::move(output));
        else
            print(output);
    }

    void finish() {
        const FlagValues& flags = context_.flags();
        bar_.clear();
        if (flags.boolean("quieter") && last_.cid.defined()) return print(last_);
        if (!flags.boolean("no-stream")) return;
        if (context_.json)
            context_.out << json_of(held_);
        else
            for (const AddedOutput& output : held_) print(output);
    }

    const Cid& root() const { return last_.cid; }

 private:
    void print(const AddedOutput& output) {
        bar_.clear();
        const FlagValues& flags = context_.flags();
        if (context_.json)
            context_.out << json_of(output);
        else if (flags.boolean("quiet") || flags.boolean("quieter"))
            context_.out << output.cid.to_string() << "\n";
        else
            context_.out << text_of(output);
    }

    Context& context_;
    ProgressBar& bar_;
    AddedOutput last_;
    std::vector<AddedOutput> held_;
};

/// Moves the bar as the body is pulled.
class WatchedSource final : public Source<Bytes> {
 public:
    WatchedSource(UploadSource source, const UploadReader& reader, ProgressBar& bar)
        : source_(std::move(source)), reader_(reader), bar_(bar) {}
    Async<std::optional<Bytes>> next() override {
        auto piece = co_await source_.next();
        bar_.update(reader_.content_bytes());
        co_return piece;
    }

 private:
    UploadSource source_;
    const UploadReader& reader_;
    ProgressBar& bar_;
};

}  // namespace

Exit run_add(Context* context) {
    constexpr std::string_view doing = "adding files";
    const auto roots = upload_roots(*context);
    if (!roots) co_return complain(*context, doing, roots.error().text);
    const auto params = add_params(*context, roots.value().size());
    if (!params) co_return complain(*context, "parsing options", params.error().text);
    const bool hidden = params.value().hidden;
    const auto folder = first_folder(roots.value());
    if (!folder.empty() && !params.value().recursive)
        co_return complain(*context, doing, folder + " is a directory, use --recursive");

    const FlagValues& flags = context->flags();
    const bool drawn = context->terminal && !context->json && !flags.boolean("quiet") &&
                       !flags.boolean("quieter") && !flags.boolean("no-progress");
    std::uint64_t total = 0;
    if (drawn) {
        auto work = [list = roots.value(), hidden] { return measure_upload(list, hidden); };
        const auto measured = co_await offload(context->world, std::move(work));
        if (measured) total = measured.value();
    }
    ProgressBar bar(context->world, context->err, drawn, total);
    AddPrinter printer(*context, bar);
    http::MultipartWriter writer(context->world.random_u64(), context->world.random_u64());
    const std::string content_type = writer.content_type();
    const auto reader = std::make_shared<UploadReader>(roots.value(), hidden, std::move(writer));
    WatchedSource body(UploadSource(context->world, reader), *reader, bar);
    std::function<void(AddedOutput)> print = [&printer](AddedOutput output) {
        printer.take(std::move(output));
    };
    const auto added = co_await context->api.add(params.value(), content_type, body, print);
    printer.finish();
    if (!added) {
        if (added.error().code == 0 && added.error().error.kind == Kind::invalid)
            co_return complain(*context, doing, added.error().error.text);
        co_return report(*context, added.error());
    }
    if (!flags.boolean("wait") || !printer.root().defined()) co_return kExitOk;
    const Waited waited = co_await wait_for(context, printer.root(), TrackerStatus::pinned,
                                            params.value().pin.replication_min);
    co_return waited.exit;
}

}  // namespace ipfscluster::ctl
