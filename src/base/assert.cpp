#include "base/assert.hpp"

#include <cstdlib>

#include "base/log.hpp"

namespace ipfscluster {

void assertion_failed(const char* expression, const char* file, int line, std::string_view what) {
    logger("cluster")->critical(
        "a broken invariant stops this process what=\"{}\" check=\"{}\" at={}:{}", what, expression,
        file, line);
    logger("cluster")->flush();
    std::abort();
}

}  // namespace ipfscluster
