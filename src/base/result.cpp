#include "base/result.hpp"

namespace ipfscluster {

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::internal:
            return "internal";
        case Kind::invalid:
            return "invalid";
        case Kind::not_found:
            return "not_found";
        case Kind::conflict:
            return "conflict";
        case Kind::retryable:
            return "retryable";
        case Kind::unavailable:
            return "unavailable";
        case Kind::timeout:
            return "timeout";
        case Kind::unknown_outcome:
            return "unknown_outcome";
        case Kind::cancelled:
            return "cancelled";
        case Kind::shutting_down:
            return "shutting_down";
        case Kind::corrupt:
            return "corrupt";
        case Kind::disk_full:
            return "disk_full";
        case Kind::denied:
            return "denied";
        case Kind::unsupported:
            return "unsupported";
    }
    return "internal";
}

}  // namespace ipfscluster
