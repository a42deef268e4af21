#include "cli/ctl/extractor.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_folder.hpp"
#include "tar_text.hpp"

namespace ipfscluster::ctl {
namespace {

namespace fs = std::filesystem;

class ExtractorTest : public ::testing::Test {
 protected:
    std::string save(const std::string& tar, const std::string& name = "out") {
        Extractor extractor(folder.path(name));
        TarReader reader;
        const auto fed = reader.feed(tar + tar_end(), extractor);
        return fed ? "ok" : fed.error().text;
    }
    std::string text(const std::string& name) {
        std::ifstream in(folder.path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    test::TempFolder folder;
};

TEST_F(ExtractorTest, the_first_part_of_a_path_stands_for_the_target) {
    EXPECT_EQ(save(tar_entry("Qm", '5', "") + tar_entry("Qm/a/b", '0', "deep") +
                   tar_entry("Qm/c", '0', "c") + tar_entry("Qm/l", '2', "", "c")),
              "ok");
    EXPECT_EQ(text("out/a/b"), "deep");
    EXPECT_EQ(text("out/l"), "c");
    EXPECT_EQ(save(tar_entry("Qm", '0', "file"), "single"), "ok");
    EXPECT_EQ(text("single"), "file");
}

TEST_F(ExtractorTest, nothing_leads_outside) {
    for (const char* path : {"../evil", "Qm/../../evil", "/evil", "Qm/a/../../../evil", ".."})
        EXPECT_NE(save(tar_entry(path, '0', "x")), "ok") << path;
    EXPECT_FALSE(fs::exists(folder.path("evil")));
    EXPECT_FALSE(fs::exists("/evil"));
}

TEST_F(ExtractorTest, nothing_is_written_through_a_link) {
    fs::create_directory(folder.path("victim"));
    EXPECT_NE(save(tar_entry("Qm", '5', "") + tar_entry("Qm/l", '2', "", folder.path("victim")) +
                   tar_entry("Qm/l/x", '0', "x")),
              "ok");
    EXPECT_NE(save(tar_entry("Qm", '2', "", folder.path("victim")) + tar_entry("Qm/x", '0', "x"),
                   "second"),
              "ok");
    std::ofstream(folder.path("victim/file")) << "old";
    EXPECT_NE(save(tar_entry("Qm", '5', "") + tar_entry("Qm/f", '2', "", "../victim/file") +
                       tar_entry("Qm/f", '0', "new"),
                   "third"),
              "ok");
    EXPECT_EQ(text("victim/file"), "old");
    EXPECT_FALSE(fs::exists(folder.path("victim/x")));
}

TEST_F(ExtractorTest, existing_files_stay_and_folders_are_joined) {
    fs::create_directories(folder.path("out/sub"));
    std::ofstream(folder.path("out/a")) << "mine";
    EXPECT_EQ(save(tar_entry("Qm", '5', "") + tar_entry("Qm/sub", '5', "") +
                   tar_entry("Qm/sub/n", '0', "n")),
              "ok");
    EXPECT_NE(save(tar_entry("Qm/a", '0', "theirs")).find("exists"), std::string::npos);
    EXPECT_EQ(text("out/a"), "mine");
    EXPECT_EQ(text("out/sub/n"), "n");
}

TEST_F(ExtractorTest, a_file_goes_into_a_folder_that_is_there) {
    fs::create_directory(folder.path("out"));
    EXPECT_EQ(save(tar_entry("Qm", '0', "file")), "ok");
    EXPECT_EQ(text("out/Qm"), "file");
    fs::create_directory(folder.path("victim"));
    EXPECT_NE(
        save(tar_entry("Qm", '2', "", folder.path("victim")) + tar_entry("Qm", '0', "x"), "second"),
        "ok");
    EXPECT_TRUE(fs::is_empty(folder.path("victim")));
}

TEST_F(ExtractorTest, a_target_in_a_missing_folder_is_refused) {
    EXPECT_NE(save(tar_entry("Qm", '0', "x"), "no/such/folder/out"), "ok");
}

}  // namespace
}  // namespace ipfscluster::ctl
