#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

namespace ipfscluster::test {

/// A fresh folder that goes with its owner.
class TempFolder {
 public:
    TempFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "icl-test-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    std::string path(const std::string& name = "") const {
        return name.empty() ? path_ : path_ + "/" + name;
    }

 private:
    std::string path_;
};

}  // namespace ipfscluster::test
