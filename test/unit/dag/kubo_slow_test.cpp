#include <gtest/gtest.h>

#include "cid_vectors.hpp"

namespace ipfscluster::dag {
namespace {

class KuboCidsOverOneGigabyte : public testing::TestWithParam<CidVector> {};

TEST_P(KuboCidsOverOneGigabyte, equal_ours) {
    const auto& vector = GetParam();
    const auto imported = import_vector(vector, 256u << 10);
    ASSERT_TRUE(imported) << imported.error().text;
    EXPECT_EQ(imported.value().root, vector.root) << vector.items << " " << vector.options;
    EXPECT_EQ(imported.value().size, vector.size);
    EXPECT_GT(imported.value().block_bytes, 1'000'000'000u);
}

INSTANTIATE_TEST_SUITE_P(slow, KuboCidsOverOneGigabyte,
                         testing::ValuesIn(load_cid_vectors("slow.vectors")));

}  // namespace
}  // namespace ipfscluster::dag
