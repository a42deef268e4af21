#include "cli/ctl/upload_reader.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_folder.hpp"

namespace ipfscluster::ctl {
namespace {

namespace fs = std::filesystem;

class UploadReaderTest : public ::testing::Test {
 protected:
    void put(const std::string& name, const std::string& text) {
        fs::create_directories(fs::path(folder.path(name)).parent_path());
        std::ofstream(folder.path(name), std::ios::binary) << text;
    }

    /// The parts of the body as "type name=content", one a line.
    std::string upload(std::vector<UploadRoot> roots, bool hidden, std::size_t target = 1 << 20) {
        http::MultipartWriter writer(1, 2);
        const std::string type = writer.content_type();
        const std::string mark = "--" + type.substr(type.find("boundary=") + 9);
        UploadReader reader(std::move(roots), hidden, std::move(writer));
        Bytes body;
        while (true) {
            Bytes piece;
            const auto more = reader.fill(piece, target);
            if (!more) return "error: " + more.error().text;
            body += piece;
            if (!more.value()) break;
        }
        content_bytes = reader.content_bytes();
        EXPECT_TRUE(body.ends_with("\r\n" + mark + "--\r\n"));
        std::string out;
        std::size_t at = body.find(mark + "\r\n");
        while (at != std::string::npos) {
            const std::size_t head_end = body.find("\r\n\r\n", at);
            const std::string head = body.substr(at, head_end - at);
            const std::size_t next = body.find("\r\n" + mark, head_end);
            const std::size_t name_at = head.find("filename=\"") + 10;
            const std::size_t type_at = head.find("Content-Type: ") + 14;
            out += head.substr(type_at, head.find('\r', type_at) - type_at) + " " +
                   head.substr(name_at, head.find('"', name_at) - name_at) + "=" +
                   body.substr(head_end + 4, next - head_end - 4) + "\n";
            at = body.find(mark + "\r\n", next);
        }
        return out;
    }

    test::TempFolder folder;
    std::uint64_t content_bytes = 0;
};

TEST_F(UploadReaderTest, walks_depth_first_with_sorted_names) {
    put("docs/b.txt", "bee");
    put("docs/a/x", "ex");
    put("docs/.hidden", "h");
    fs::create_directory(folder.path("docs/empty"));
    fs::create_symlink("b.txt", folder.path("docs/link"));
    EXPECT_EQ(upload({{folder.path("docs"), "docs"}}, false),
              "application/x-directory docs=\n"
              "application/x-directory docs%2Fa=\n"
              "application/octet-stream docs%2Fa%2Fx=ex\n"
              "application/octet-stream docs%2Fb.txt=bee\n"
              "application/x-directory docs%2Fempty=\n"
              "application/symlink docs%2Flink=b.txt\n");
    EXPECT_EQ(content_bytes, 5u);
    EXPECT_NE(upload({{folder.path("docs"), "docs"}}, true).find("docs%2F.hidden=h"),
              std::string::npos);
}

TEST_F(UploadReaderTest, a_body_is_the_same_however_it_is_pulled) {
    put("d/big", std::string(300'000, 'x'));
    put("d/small", "s");
    const std::string whole = upload({{folder.path("d"), "d"}}, false);
    EXPECT_EQ(upload({{folder.path("d"), "d"}}, false, 1), whole);
    EXPECT_EQ(upload({{folder.path("d"), "d"}}, false, 70'001), whole);
    EXPECT_EQ(content_bytes, 300'001u);
}

TEST_F(UploadReaderTest, a_hidden_file_that_was_named_is_taken) {
    put(".env", "e");
    EXPECT_EQ(upload({{folder.path(".env"), ".env"}}, false), "application/octet-stream .env=e\n");
}

TEST_F(UploadReaderTest, errors_name_the_path) {
    EXPECT_NE(upload({{folder.path("nothing"), "n"}}, false).find(folder.path("nothing")),
              std::string::npos);
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    EXPECT_NE(upload({{folder.path("pipe"), "p"}}, false).find("neither a file"),
              std::string::npos);
    EXPECT_FALSE(check_readable(folder.path("nothing")));
}

TEST_F(UploadReaderTest, names_and_sizes) {
    put("d/a", "12345");
    put("d/.b", "123");
    EXPECT_EQ(measure_upload({{folder.path("d"), "d"}}, false), 5u);
    EXPECT_EQ(measure_upload({{folder.path("d"), "d"}}, true), 8u);
    EXPECT_EQ(upload_name("/a/b/").value(), "b");
    EXPECT_EQ(upload_name("c").value(), "c");
    EXPECT_EQ(upload_name("-").value(), "");
    EXPECT_EQ(upload_name(folder.path("d") + "/.").value(), "d");
    EXPECT_EQ(upload_name(folder.path("d") + "/..").value(),
              fs::path(folder.path()).filename().string());
    EXPECT_FALSE(upload_name("/"));
    EXPECT_EQ(first_folder({{folder.path("d/a"), "a"}, {folder.path("d"), "d"}}), folder.path("d"));
}

}  // namespace
}  // namespace ipfscluster::ctl
