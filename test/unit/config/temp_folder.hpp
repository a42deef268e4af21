#pragma once
#include <fstream>
#include <string>

#include "support/temp_folder.hpp"

namespace ipfscluster::config {

/// A fresh folder with files to write and read, removed at the end of the test.
class TempFolder : public test::TempFolder {
 public:
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
    }
    std::string get(const std::string& name) const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

}  // namespace ipfscluster::config
