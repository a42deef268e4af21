#include "cid_vectors.hpp"

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "base/encoding.hpp"
#include "content.hpp"

namespace ipfscluster::dag {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
    return parts;
}

std::string trim(const std::string& text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// Sorted as a depth-first walk of the file system visits them.
struct Tree {
    std::map<std::string, Tree> children;
    std::string spec;  // of a leaf
};

void add_item(Tree& top, const std::string& item) {
    const auto equals = item.find('=');
    auto* node = &top;
    for (const auto& part : split(item.substr(0, equals), '/')) node = &node->children[part];
    const auto spec = item.substr(equals + 1);
    if (spec[0] != 'n') {
        node->spec = spec;
        return;
    }
    const auto parts = split(spec, ':');
    for (int i = 0; i < std::stoi(parts[1]); ++i) {
        char name[32];
        std::snprintf(name, sizeof name, "entry-%06d", i);
        node->children[name].spec = "f:" + std::to_string(i) + ":" + parts[2];
    }
    node->spec = "d";
}

Result<> feed_file(Importer& importer, const std::string& path,
                   const std::vector<std::string>& spec, std::size_t write_bytes) {
    const bool zeros = spec[0] == "z";
    auto left = std::stoull(spec.back());
    Content content(zeros ? 0 : std::stoull(spec[1]));
    ICL_TRY(importer.begin_file(path));
    while (left > 0) {
        const auto size = std::min<std::uint64_t>(left, write_bytes);
        ICL_TRY(importer.write(zeros ? Bytes(size, '\0') : content.take(size)));
        left -= size;
    }
    return importer.end_file();
}

Result<> feed_tree(Importer& importer, const std::string& path, const Tree& tree,
                   std::size_t write_bytes) {
    const auto spec = split(tree.spec, ':');
    if (spec.empty() || spec[0] == "d") {
        ICL_TRY(importer.add_directory(path));
        for (const auto& [name, child] : tree.children) {
            ICL_TRY(feed_tree(importer, path + "/" + name, child, write_bytes));
        }
        return ok();
    }
    if (spec[0] == "l") return importer.add_symlink(path, spec[1]);
    return feed_file(importer, path, spec, write_bytes);
}

/// Keeps the lines that `ipfs add` would print, and the sizes of the blocks.
class RecordingSink final : public ImportSink {
 public:
    Result<> on_block(Block&& block) override {
        block_bytes += block.data.size();
        return ok();
    }
    Result<> on_entry(AddedEntry&& entry) override {
        lines += entry.cid.to_string() + (entry.name.empty() ? "" : " " + entry.name) + "\n";
        return ok();
    }
    std::string lines;
    std::uint64_t block_bytes = 0;
};

}  // namespace

std::vector<CidVector> load_cid_vectors(const std::string& file) {
    std::ifstream in(std::string(ICL_TEST_DATA) + "/cid/" + file);
    if (!in) throw std::runtime_error("no test data: " + file);
    std::vector<CidVector> vectors;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const auto fields = split(line, '|');
        CidVector vector{trim(fields.at(0)), trim(fields.at(1)), {}, 0, {}};
        std::istringstream(fields.at(2)) >> vector.root >> vector.size >> vector.digest;
        vectors.push_back(std::move(vector));
    }
    return vectors;
}

ImportRequest to_request(const std::string& flags) {
    ImportRequest request;
    for (const auto& flag : split(flags, ' ')) {
        const auto equals = flag.find('=');
        const auto name = flag.substr(0, equals);
        const auto value = equals == std::string::npos ? "" : flag.substr(equals + 1);
        if (name == "--chunker")
            request.chunker = value;
        else if (name == "--trickle")
            request.layout = "trickle";
        else if (name == "--raw-leaves")
            request.raw_leaves = value != "false";
        else if (name == "--cid-version")
            request.cid_version = std::stoi(value);
        else if (name == "--hash")
            request.hash = value;
        else if (name == "--wrap-with-directory")
            request.wrap_with_directory = true;
        else
            throw std::runtime_error("unknown flag: " + flag);
    }
    return request;
}

Result<Imported> import_vector(const CidVector& vector, std::size_t write_bytes) {
    ICL_TRY(auto options, check_import(to_request(vector.options)));
    RecordingSink sink;
    Importer importer(options, sink);
    Tree top;
    for (const auto& item : split(vector.items, ';')) add_item(top, item);
    for (const auto& [name, tree] : top.children) {
        ICL_TRY(feed_tree(importer, name, tree, write_bytes));
    }
    ICL_TRY(auto root, importer.finish());
    ICL_TRY(auto digest, multihash_digest(HashCode::sha2_256, sink.lines));
    return Imported{root.cid.to_string(), root.tsize, hex_encode(digest.substr(2)),
                    sink.block_bytes};
}

}  // namespace ipfscluster::dag
