#include "base/bytes.hpp"

namespace ipfscluster {

Bytes prefix_end(BytesView prefix) {
    Bytes end(prefix);
    while (!end.empty()) {
        auto last = static_cast<std::uint8_t>(end.back());
        if (last != 0xff) {
            end.back() = static_cast<char>(last + 1);
            return end;
        }
        end.pop_back();
    }
    return end;
}

}  // namespace ipfscluster
