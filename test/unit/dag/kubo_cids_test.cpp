#include <gtest/gtest.h>

#include "cid_vectors.hpp"

namespace ipfscluster::dag {
namespace {

class KuboCids : public testing::TestWithParam<CidVector> {};

TEST_P(KuboCids, equal_ours) {
    const auto& vector = GetParam();
    const auto imported = import_vector(vector, 256u << 10);
    ASSERT_TRUE(imported) << imported.error().text;
    EXPECT_EQ(imported.value().root, vector.root) << vector.items << " " << vector.options;
    EXPECT_EQ(imported.value().size, vector.size);
    EXPECT_EQ(imported.value().digest, vector.digest);
}

INSTANTIATE_TEST_SUITE_P(small, KuboCids, testing::ValuesIn(load_cid_vectors("small.vectors")));

TEST(KuboCidVectors, cover_every_option) {
    std::string all;
    for (const auto& vector : load_cid_vectors("small.vectors")) all += vector.options + " ";
    for (const auto* option :
         {"size-", "rabin ", "rabin-", "buzhash", "--trickle", "--raw-leaves", "sha2-512",
          "blake2b-256", "--wrap-with-directory", "--cid-version=1"})
        EXPECT_NE(all.find(option), std::string::npos) << option;
}

TEST(Importing, does_not_depend_on_how_the_bytes_are_divided) {
    for (const auto& vector : load_cid_vectors("small.vectors")) {
        if (vector.items.find(":n") != std::string::npos || vector.size > 12'000'000 ||
            vector.size < 200'000)
            continue;
        for (const std::size_t write_bytes : {65'537u, 3'000'000u}) {
            const auto imported = import_vector(vector, write_bytes);
            ASSERT_TRUE(imported) << imported.error().text;
            EXPECT_EQ(imported.value().root, vector.root) << vector.items << " " << vector.options;
        }
    }
}

}  // namespace
}  // namespace ipfscluster::dag
