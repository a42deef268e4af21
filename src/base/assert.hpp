#pragma once
#include <string_view>

namespace ipfscluster {

/// Logs `what` with its place and aborts. Used by ICL_ASSERT only.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   std::string_view what);

}  // namespace ipfscluster

/// A broken invariant stops the process, in release builds too: going on could lose data.
#define ICL_ASSERT(cond, what)                                                \
    do {                                                                      \
        if (!(cond)) [[unlikely]]                                             \
            ::ipfscluster::assertion_failed(#cond, __FILE__, __LINE__, what); \
    } while (false)
