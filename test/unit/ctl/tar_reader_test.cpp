#include "cli/ctl/tar_reader.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tar_text.hpp"

namespace ipfscluster::ctl {
namespace {

class Recorder final : public TarSink {
 public:
    Result<> entry(const TarEntry& entry) override {
        seen += std::string(entry.type == TarEntry::Type::file     ? "file "
                            : entry.type == TarEntry::Type::folder ? "dir "
                                                                   : "link ") +
                entry.path + (entry.target.empty() ? "" : "->" + entry.target) + "=";
        return ok();
    }
    Result<> data(BytesView piece) override {
        seen += piece;
        return ok();
    }
    Result<> end() override {
        seen += "\n";
        return ok();
    }
    std::string seen;
};

/// Feeds the text in pieces of one size.
std::string read(const std::string& text, std::size_t piece = 100'000) {
    Recorder recorder;
    TarReader reader;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto fed = reader.feed(std::string_view(text).substr(at, piece), recorder);
        if (!fed) return "error: " + fed.error().text;
    }
    const auto whole = reader.finish();
    return whole ? recorder.seen : "error: " + whole.error().text;
}

TEST(TarReader, reads_files_folders_and_links) {
    const std::string text = tar_entry("d", '5', "") + tar_entry("d/a", '0', "hello") +
                             tar_entry("d/e", '0', "") + tar_entry("d/l", '2', "", "a") +
                             tar_entry("name", '0', std::string(1024, 'x'), "", "some/prefix") +
                             tar_end();
    const std::string expected =
        "dir d=\nfile d/a=hello\nfile d/e=\nlink d/l->a=\n"
        "file some/prefix/name=" +
        std::string(1024, 'x') + "\n";
    EXPECT_EQ(read(text), expected);
    EXPECT_EQ(read(text, 1), expected);
    EXPECT_EQ(read(text, 511), expected);
}

TEST(TarReader, reads_long_names) {
    const std::string name = "d/" + std::string(300, 'n');
    EXPECT_EQ(read(tar_entry("pax", 'x', pax_record("path", name) + pax_record("mtime", "1.5")) +
                   tar_entry("short", '0', "1") + tar_entry("next", '0', "2") + tar_end()),
              "file " + name + "=1\nfile next=2\n");
    EXPECT_EQ(
        read(tar_entry("@LongLink", 'L', name + '\0') + tar_entry("short", '0', "1") + tar_end()),
        "file " + name + "=1\n");
    EXPECT_EQ(read(tar_entry("pax", 'x', pax_record("linkpath", name)) +
                   tar_entry("l", '2', "", "short") + tar_end()),
              "link l->" + name + "=\n");
}

TEST(TarReader, every_cut_is_an_error) {
    const std::string text = tar_entry("d", '5', "") + tar_entry("d/a", '0', "hello");
    for (std::size_t size = 0; size <= text.size(); size += 64)
        EXPECT_TRUE(read(text.substr(0, size)).starts_with("error")) << size;
}

TEST(TarReader, refuses_damage) {
    std::string flipped = tar_entry("a", '0', "x") + tar_end();
    flipped[0] = 'b';
    EXPECT_NE(read(flipped).find("checksum"), std::string::npos);
    EXPECT_TRUE(read(tar_entry("a", '1', "") + tar_end()).starts_with("error")) << "hard link";
    EXPECT_TRUE(read(tar_entry("a", '3', "") + tar_end()).starts_with("error")) << "device";
    EXPECT_TRUE(read(tar_entry("a", '5', "content") + tar_end()).starts_with("error"));
    for (const char* pax : {"5 a\n", "999 path=x\n", "x", "10 path=abc", "3 =\n"})
        EXPECT_TRUE(read(tar_entry("p", 'x', pax) + tar_entry("a", '0', "") + tar_end())
                        .starts_with("error"))
            << pax;
    EXPECT_TRUE(read(std::string(512, 'z')).starts_with("error"));
}

/// Takes part in nothing, but checks that a stream keeps its promises.
class Checker final : public TarSink {
 public:
    Result<> entry(const TarEntry& entry) override {
        EXPECT_FALSE(open_);
        open_ = true;
        left_ = entry.size;
        return ok();
    }
    Result<> data(BytesView piece) override {
        EXPECT_TRUE(open_);
        EXPECT_LE(piece.size(), left_);
        left_ -= piece.size();
        return ok();
    }
    Result<> end() override {
        EXPECT_EQ(left_, 0u);
        open_ = false;
        return ok();
    }

 private:
    bool open_ = false;
    std::uint64_t left_ = 0;
};

TEST(TarReader, damaged_streams_never_break_the_order_of_calls) {
    const std::string good = tar_entry("pax", 'x', pax_record("path", std::string(200, 'n'))) +
                             tar_entry("d", '0', std::string(700, 'x')) +
                             tar_entry("l", '2', "", "d") + tar_end();
    std::mt19937 random(7);
    for (int i = 0; i < 5000; ++i) {
        std::string text = good;
        // Damage behind the checksums (content and pax records) and, rarely, in the headers.
        for (int k = 0; k < 3; ++k) text[random() % text.size()] = static_cast<char>(random());
        text.resize(random() % (text.size() + 1));
        Checker checker;
        TarReader reader;
        bool failed = false;
        for (std::size_t at = 0; at < text.size() && !failed; at += 97)
            failed = !reader.feed(std::string_view(text).substr(at, 97), checker);
    }
}

}  // namespace
}  // namespace ipfscluster::ctl
