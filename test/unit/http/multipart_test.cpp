// Multipart bodies, whole and broken, cut at every place.
#include <gtest/gtest.h>

#include <random>

#include "http/multipart_reader.hpp"
#include "http/multipart_writer.hpp"
#include "support/drive.hpp"

namespace ipfscluster::http {
namespace {

struct Pieces {
    std::vector<std::string> left;
    Async<Bytes> next() {
        if (left.empty()) co_return Bytes{};
        Bytes piece = std::move(left.front());
        left.erase(left.begin());
        co_return piece;
    }
};

struct Part {
    std::string name, body;
    friend bool operator==(const Part&, const Part&) = default;
};

Async<std::vector<Part>> read_parts(std::shared_ptr<Pieces> pieces, bool read_bodies) {
    MultipartReader reader("B", [pieces] { return pieces->next(); });
    std::vector<Part> parts;
    while (true) {
        ICL_CO_TRY(auto head, co_await reader.next_part());
        if (!head) co_return parts;
        parts.push_back({std::string(head->get("x-name")), {}});
        while (read_bodies) {
            ICL_CO_TRY(auto piece, co_await reader.read());
            if (piece.empty()) break;
            parts.back().body += piece;
        }
    }
}

Result<std::vector<Part>> parse(std::vector<std::string> pieces, bool read_bodies = true) {
    SimWorld world(1);
    std::erase(pieces, "");
    return test::drive(
        world, read_parts(std::make_shared<Pieces>(Pieces{std::move(pieces)}), read_bodies));
}

const std::string kBody =
    "preamble\r\n--B\r\nX-Name: a\r\n\r\nhello\r\n--Bogus\r\n--B \r\nX-Name: "
    "empty\r\n\r\n\r\n--B\r\n\r\nno head"
    "\r\n--B\r\nX-Name: bare\r\n\r\n--B\r\nx-name:  last \r\nOther: "
    "1\r\n\r\n\r\n\r\r\n--B--\r\nepilogue";
const std::vector<Part> kParts{
    {"a", "hello\r\n--Bogus"}, {"empty", ""}, {"", "no head"}, {"bare", ""}, {"last", "\r\n\r"}};

TEST(Multipart, parts_survive_any_cut) {
    for (std::size_t cut = 0; cut <= kBody.size(); ++cut) {
        auto parts = parse({kBody.substr(0, cut), kBody.substr(cut)});
        ASSERT_TRUE(parts) << cut << " " << parts.error().text;
        EXPECT_EQ(parts.value(), kParts) << cut;
    }
}

TEST(Multipart, parts_survive_byte_by_byte) {
    std::vector<std::string> bytes;
    for (char c : kBody) bytes.emplace_back(1, c);
    EXPECT_EQ(parse(bytes).value(), kParts);
    auto skipped = parse(bytes, false).value();
    ASSERT_EQ(skipped.size(), kParts.size());
    EXPECT_EQ(skipped[4].name, "last");
}

TEST(Multipart, every_truncation_is_an_error) {
    const auto end = kBody.find("--B--") + 5;
    for (std::size_t size = 0; size < end; ++size) {
        auto parts = parse({kBody.substr(0, size)});
        ASSERT_FALSE(parts) << size;
        EXPECT_EQ(parts.error().kind, Kind::corrupt);
    }
}

TEST(Multipart, malformed_bodies_are_refused) {
    const std::string table[] = {
        "",
        "no boundary at all",
        "--B\r\nno colon\r\n\r\nx\r\n--B--",
        "--B\r\n: no name\r\n\r\nx\r\n--B--",
        "--B\tx\r\nX-Name: a\r\n\r\nx\r\n--B--",
        "--B\r\nX-Name: " + std::string(20000, 'n') + "\r\n\r\nx\r\n--B--",
    };
    for (const auto& body : table) {
        auto parts = parse({body});
        ASSERT_FALSE(parts) << body.substr(0, 40);
        EXPECT_EQ(parts.error().kind, Kind::corrupt);
    }
}

TEST(Multipart, damaged_bodies_give_parts_or_an_error) {
    std::mt19937 random(20260102);
    for (int round = 0; round < 3000; ++round) {
        std::string bad = kBody;
        for (int change = 0; change < 4; ++change) {
            const auto at = random() % bad.size();
            switch (random() % 3) {
                case 0:
                    bad.erase(at, random() % 8);
                    break;
                case 1:
                    bad[at] = static_cast<char>(random());
                    break;
                default:
                    bad.insert(at, bad.substr(random() % bad.size(), random() % 12));
            }
        }
        const auto cut = random() % bad.size();
        auto parts = parse({bad.substr(0, cut), bad.substr(cut)});
        if (!parts) {
            EXPECT_EQ(parts.error().kind, Kind::corrupt);
            continue;
        }
        std::size_t bytes = 0;
        for (const auto& part : parts.value()) bytes += part.body.size();
        EXPECT_LE(bytes, bad.size());
    }
}

TEST(Multipart, a_body_without_parts_has_none) {
    EXPECT_TRUE(parse({"--B--\r\n"}).value().empty());
}

TEST(Multipart, an_error_of_the_source_comes_through) {
    struct Broken {
        static Async<Bytes> next() { co_return fail(Kind::timeout, "slow"); }
    };
    SimWorld world(1);
    MultipartReader reader("B", [] { return Broken::next(); });
    auto part = test::drive(world, reader.next_part());
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().kind, Kind::timeout);
}

TEST(Multipart, what_the_writer_writes_the_reader_reads) {
    MultipartWriter writer(1, 2);
    const auto boundary = multipart_boundary(writer.content_type()).value();
    std::string body = writer.begin_file("dir/a b.txt", "application/octet-stream") + "content" +
                       writer.begin_file("dir", "application/x-directory") + writer.close();
    SimWorld world(1);
    auto pieces = std::make_shared<Pieces>(Pieces{{body}});
    MultipartReader reader(boundary, [pieces] { return pieces->next(); });
    auto first = test::drive(world, reader.next_part()).value();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->get("Content-Disposition"),
              "form-data; name=\"file\"; filename=\"dir%2Fa%20b.txt\"");
    EXPECT_EQ(test::drive(world, reader.read()).value(), "content");
    auto second = test::drive(world, reader.next_part()).value();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->get("Content-Type"), "application/x-directory");
    EXPECT_FALSE(test::drive(world, reader.next_part()).value());
}

}  // namespace
}  // namespace ipfscluster::http
