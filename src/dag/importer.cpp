#include "dag/importer.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/text.hpp"

namespace ipfscluster::dag {
namespace {

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) parts.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
    }
    return parts;
}

std::string join(const std::string& parent, std::string_view name) {
    if (parent.empty()) return std::string(name);
    return parent + "/" + std::string(name);
}

}  // namespace

Importer::Importer(ImportOptions options, ImportSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      block_sink_([this](Block&& block) { return sink_.on_block(std::move(block)); }),
      file_(options_.file, block_sink_) {
    if (options_.wrap_with_directory) {
        records_.push_back({"", kNoParent, {}});
        open_.push_back({"", 0, {}});
    }
}

Result<> Importer::add_directory(std::string_view path) {
    ICL_ASSERT(!in_file_, "a file is open");
    const auto clean = clean_relative_path(path);
    if (clean.empty()) return fail(Kind::invalid, "a directory without a name");
    return enter(split_path(clean));
}

Result<> Importer::add_symlink(std::string_view path, BytesView target) {
    ICL_ASSERT(!in_file_, "a file is open");
    const auto clean = clean_relative_path(path);
    auto parts = split_path(clean);
    if (!parts.empty()) parts.pop_back();
    ICL_TRY(enter(parts));
    ICL_TRY(auto node, build_symlink(target, options_.file.cids, block_sink_));
    return add_node(clean, node);
}

Result<> Importer::begin_file(std::string_view path) {
    ICL_ASSERT(!in_file_, "a file is open");
    file_path_ = clean_relative_path(path);
    auto parts = split_path(file_path_);
    if (!parts.empty()) parts.pop_back();
    ICL_TRY(enter(parts));
    in_file_ = true;
    file_bytes_ = 0;
    reported_bytes_ = 0;
    return ok();
}

Result<> Importer::write(BytesView data) {
    ICL_ASSERT(in_file_, "no file is open");
    ICL_TRY(file_.write(data));
    file_bytes_ += data.size();
    if (file_bytes_ - reported_bytes_ >= kProgressBytes) {
        ICL_TRY(report_progress());
    }
    return ok();
}

Result<> Importer::end_file() {
    ICL_ASSERT(in_file_, "no file is open");
    in_file_ = false;
    ICL_TRY(auto node, file_.finish());
    ICL_TRY(report_progress());
    return add_node(file_path_, node);
}

Result<> Importer::report_progress() {
    reported_bytes_ = file_bytes_;
    if (!options_.progress) return ok();
    const auto slash = file_path_.find('/');
    const auto below = slash == std::string::npos ? std::string() : file_path_.substr(slash + 1);
    return sink_.on_entry({below, {}, 0, file_bytes_});
}

/// Closes and opens directories until exactly `directories` (below the wrapper, if any) are open.
Result<> Importer::enter(const Parts& directories) {
    const std::size_t base = options_.wrap_with_directory ? 1 : 0;
    if (directories.size() > kImportDepthMax)
        return fail(Kind::invalid,
                    "directories are nested deeper than " + std::to_string(kImportDepthMax));
    std::size_t common = 0;
    while (common < directories.size() && base + common < open_.size() &&
           open_[base + common].name == directories[common])
        ++common;
    ICL_TRY(close_until(base + common));
    for (; common < directories.size(); ++common) {
        ICL_TRY(open_directory(directories[common]));
    }
    return ok();
}

Result<> Importer::open_directory(std::string_view name) {
    if (open_.empty() && ended_tops_.contains(name))
        return fail(Kind::invalid, "the parts of directory \"" + std::string(name) +
                                       "\" do not come in one run (depth-first order)");
    if (records_.size() == kImportDirectoriesMax)
        return fail(Kind::invalid, "more than " + std::to_string(kImportDirectoriesMax) +
                                       " directories in one entry");
    const auto parent = open_.empty() ? kNoParent : open_.back().record;
    open_.push_back({std::string(name), records_.size(), {}});
    records_.push_back({std::string(name), parent, {}});
    return ok();
}

Result<> Importer::close_directory() {
    auto directory = std::move(open_.back());
    open_.pop_back();
    auto node = directory.builder.finish(options_.file.cids, block_sink_);
    if (!node) return fail(node.error().in("directory \"" + directory.name + "\""));
    records_[directory.record].node = node.value();
    if (!open_.empty())
        return open_.back().builder.add(directory.name, node.value().cid, node.value().tsize);
    root_ = node.value();
    if (!options_.wrap_with_directory) ended_tops_.insert(directory.name);
    return report_directories();
}

Result<> Importer::close_until(std::size_t depth) {
    while (open_.size() > depth) {
        ICL_TRY(close_directory());
    }
    return ok();
}

/// Reports a finished file or link and hangs it into its directory.
Result<> Importer::add_node(const std::string& path, const DagNodeInfo& node) {
    // A part without a name goes by its CID, as in Kubo.
    const auto name = path.empty() ? node.cid.to_string() : path;
    ICL_TRY(sink_.on_entry({name, node.cid, node.tsize, 0}));
    if (open_.empty()) {
        root_ = node;
        return ok();
    }
    return open_.back().builder.add(name.substr(name.rfind('/') + 1), node.cid, node.tsize);
}

Result<> Importer::report_directories() {
    std::vector<std::vector<std::size_t>> children(records_.size());
    for (std::size_t i = 1; i < records_.size(); ++i) children[records_[i].parent].push_back(i);
    for (auto& list : children)
        std::sort(list.begin(), list.end(), [this](std::size_t a, std::size_t b) {
            return records_[a].name < records_[b].name;
        });
    ICL_TRY(report_subtree(0, records_[0].name, children));
    records_.clear();
    return ok();
}

/// Recursion is bounded by kImportDepthMax.
Result<> Importer::report_subtree(std::size_t record, const std::string& path,
                                  const std::vector<std::vector<std::size_t>>& children) {
    for (const auto child : children[record]) {
        ICL_TRY(report_subtree(child, join(path, records_[child].name), children));
    }
    const auto& node = records_[record].node;
    return sink_.on_entry({path, node.cid, node.tsize, 0});
}

Result<DagNodeInfo> Importer::finish() {
    ICL_ASSERT(!in_file_, "a file is open");
    ICL_TRY(close_until(0));
    if (!root_.cid.defined()) return fail(Kind::invalid, "nothing to add");
    return root_;
}

}  // namespace ipfscluster::dag
