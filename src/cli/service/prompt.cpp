#include "cli/service/prompt.hpp"

namespace ipfscluster::service {

namespace {
constexpr int kPromptTries = 3;
}

bool confirmed(std::istream& in, std::ostream& out, const std::string& question) {
    for (int i = 0; i < kPromptTries; ++i) {
        out << question << " Continue? [y/n]: " << std::flush;
        std::string line;
        if (!std::getline(in, line) || line.empty() || line == "n" || line == "N") return false;
        if (line == "y" || line == "Y") return true;
    }
    return false;
}

}  // namespace ipfscluster::service
