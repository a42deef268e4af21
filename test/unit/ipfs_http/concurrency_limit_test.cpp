#include "ipfs/http/concurrency_limit.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ipfscluster::ipfshttp {
namespace {

using namespace std::chrono_literals;

TEST(ConcurrencyLimit, table_of_answers) {
    // q: quick answer, m: middling, s: slow, o: "too much to do"
    struct Row {
        const char* name;
        int max;
        std::string answers;
        int limit;
    };
    const std::string round8(8, 'q');
    const Row rows[] = {
        {"begins at its most", 10, "", 10},
        {"never above", 10, std::string(100, 'q'), 10},
        {"at least one", 0, "", 1},
        {"one slow answer halves", 10, "s", 5},
        {"so does a refusal", 10, "o", 5},
        {"those under way at that moment say nothing new", 10, "s" + std::string(9, 's'), 5},
        {"the next one does", 10, "s" + std::string(9, 's') + "s", 2},
        {"never below one", 4, std::string(100, 's'), 1},
        {"a round of quick answers adds one", 8, "s" + std::string(4, 'q'), 5},
        {"two rounds add two", 8, "s" + std::string(9, 'q'), 6},
        {"middling answers neither add", 8, "s" + std::string(50, 'm'), 4},
        {"and break a round", 8, "sqqqmqqq", 4},
        {"back to the top in time", 8, "s" + std::string(4 + 5 + 6 + 7, 'q'), 8},
    };
    for (const auto& row : rows) {
        ConcurrencyLimit limit(row.max);
        for (const char c : row.answers) {
            if (c == 'q') limit.answered(5ms);
            if (c == 'm') limit.answered(2s);
            if (c == 's') limit.answered(6s);
            if (c == 'o') limit.overloaded();
        }
        EXPECT_EQ(limit.limit(), row.limit) << row.name;
    }
}

}  // namespace
}  // namespace ipfscluster::ipfshttp
