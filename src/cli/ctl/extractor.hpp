#pragma once
#include <string>
#include <vector>

#include "cli/ctl/tar_reader.hpp"

namespace ipfscluster::ctl {

/// Writes the entries of a tar stream below one target. The first part of each entry's path stands
/// for the target itself. Nothing is ever written outside of it or through a symbolic link, and no
/// file that is there is overwritten; directories may exist. Blocking file access; owned by the
/// command.
class Extractor final : public TarSink {
 public:
    explicit Extractor(std::string target);
    Extractor(const Extractor&) = delete;
    Extractor& operator=(const Extractor&) = delete;
    ~Extractor() override;

    Result<> entry(const TarEntry& entry) override;
    Result<> data(BytesView piece) override;
    Result<> end() override;
    std::uint64_t files() const { return files_; }

 private:
    Result<int> open_folder(const std::vector<std::string>& parts);
    Result<> make(int folder, const std::string& name, const TarEntry& entry);

    std::string target_;
    int base_ = -1;  ///< the folder the target lies in
    std::string base_name_;
    int file_ = -1;
    std::string file_path_;
    std::uint64_t files_ = 0;
    bool first_ = true;
    /// The folder of the last entry, kept open because the next one is mostly in it, too.
    std::vector<std::string> folder_parts_;
    int folder_ = -1;
};

}  // namespace ipfscluster::ctl
