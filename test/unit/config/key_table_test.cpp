#include "config/key_table.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "config/config.hpp"

namespace ipfscluster::config {
namespace {

namespace json = boost::json;

void collect(const json::object& object, const std::string& prefix, std::set<std::string>& out,
             const std::set<std::string>& known) {
    for (const auto& [key, value] : object) {
        const std::string path =
            prefix.empty() ? std::string(key) : prefix + "." + std::string(key);
        if (value.is_object() && !known.contains(path))
            collect(value.get_object(), path, out, known);
        else
            out.insert(path);
    }
}

TEST(KeyTable, every_key_of_the_default_file_is_in_one_of_the_two_lists) {
    std::set<std::string> known;
    for (const KeyRow& row : key_table()) {
        EXPECT_TRUE(known.insert(row.path).second) << row.path << " is listed twice";
        EXPECT_EQ(row.effective, row.reason.empty());
    }
    std::set<std::string> written;
    for (const IpfsChoice choice : {IpfsChoice::kubo, IpfsChoice::embedded}) {
        InitOptions options;
        options.ipfs = choice;
        const json::value file = json::parse(default_config_json(options).value());
        collect(file.as_object(), "", written, known);
    }
    EXPECT_GT(written.size(), 100u);
    for (const std::string& path : written) EXPECT_TRUE(known.contains(path)) << path;
}

TEST(KeyTable, variables_are_unique) {
    std::set<std::string> variables;
    for (const KeyRow& row : key_table())
        if (!row.variable.empty()) {
            EXPECT_TRUE(variables.insert(row.variable).second) << row.variable;
        }
}

/// docs/configuration.md carries the generated tables between two marks. With ICL_UPDATE_DOCS set
/// the test rewrites them.
TEST(KeyTable, the_document_shows_it) {
    const std::string path = std::string(ICL_TEST_DATA) + "/../../docs/configuration.md";
    std::ifstream in(path);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::string begin = "<!-- key table: begin -->\n";
    const std::string end = "<!-- key table: end -->";
    const auto from = text.find(begin);
    const auto to = text.find(end);
    ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << path;
    const auto start = from + begin.size();
    if (std::getenv("ICL_UPDATE_DOCS") != nullptr) {
        text.replace(start, to - start, key_table_markdown());
        std::ofstream(path) << text;
        return;
    }
    EXPECT_EQ(text.substr(start, to - start), key_table_markdown())
        << "run this test with ICL_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace ipfscluster::config
