#pragma once
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"

namespace ipfscluster::service {

/// Where an API's request lines go: the configured file, appended, or a log facility. One strand.
class AccessLog {
 public:
    /// An empty path means the log facility. `denied` when the file cannot be opened; `key` names
    /// its setting.
    static Result<std::shared_ptr<AccessLog>> open(const std::string& path,
                                                   std::string_view key = "http_log_file",
                                                   std::string_view facility = "restapilog") {
        auto log = std::make_shared<AccessLog>();
        log->facility_ = facility;
        if (path.empty()) return log;
        log->file_.open(path, std::ios::app);
        if (!log->file_)
            return fail(Kind::denied, std::string(key) + " " + path + " cannot be opened");
        log->to_file_ = true;
        return log;
    }
    void write(std::string_view line) {
        if (to_file_)
            file_ << line << '\n' << std::flush;
        else
            logger(facility_)->info("{}", line);
    }

 private:
    std::string facility_;
    std::ofstream file_;
    bool to_file_ = false;
};

}  // namespace ipfscluster::service
