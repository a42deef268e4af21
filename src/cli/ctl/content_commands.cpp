#include <filesystem>
#include <ostream>

#include "cli/ctl/commands.hpp"
#include "cli/ctl/extractor.hpp"
#include "cli/ctl/progress.hpp"

namespace ipfscluster::ctl {

Exit run_cat(Context* context) {
    auto path = content_path(context->argument(0));
    if (!path) co_return complain(*context, "parsing cid", path.error().text);
    auto answer = co_await context->api.content(std::move(path.value()), "");
    if (!answer) co_return report(*context, answer.error());
    while (true) {
        const auto piece = co_await answer.value()->read();
        // Half a file has been printed by then: say so where it cannot be taken for content.
        if (!piece) co_return complain(*context, "reading the content", piece.error().error.text);
        if (piece.value().empty()) co_return kExitOk;
        context->out.write(piece.value().data(),
                           static_cast<std::streamsize>(piece.value().size()));
        if (!context->out) co_return complain(*context, "printing the content", "cannot write");
    }
}

namespace {

/// Where `get` saves to: what the user said, or the last part of the path.
std::string target_of(const Context& context, const std::string& path) {
    const std::string wanted = context.flags().text("output");
    if (!wanted.empty()) return wanted;
    return path.substr(path.rfind('/') + 1);
}

Exit extract(Context* context, client::AnswerPtr answer, std::string target) {
    Extractor extractor(target);
    TarReader tar;
    ProgressBar bar(context->world, context->err, context->terminal && !context->json, 0);
    std::uint64_t received = 0;
    std::string failure;
    while (failure.empty()) {
        const auto piece = co_await answer->read();
        if (!piece) {
            failure = piece.error().error.text;
        } else if (piece.value().empty()) {
            const auto whole = tar.finish();
            if (!whole) failure = whole.error().text;
            break;
        } else {
            received += piece.value().size();
            bar.update(received);
            const auto written = tar.feed(piece.value(), extractor);
            if (!written) failure = written.error().text;
        }
    }
    bar.clear();
    if (!failure.empty())
        co_return complain(*context, "saving to " + target,
                           failure + " (what was saved until then is incomplete)");
    if (!context->json)
        context->out << "saved " << extractor.files() << " files to " << target << "\n";
    co_return kExitOk;
}

}  // namespace

Exit run_get(Context* context) {
    const auto path = content_path(context->argument(0));
    if (!path) co_return complain(*context, "parsing cid", path.error().text);
    std::string target = target_of(*context, path.value());
    auto answer = co_await context->api.content(path.value(), "tar");
    if (!answer) co_return report(*context, answer.error());
    co_return co_await extract(context, std::move(answer.value()), std::move(target));
}

}  // namespace ipfscluster::ctl
