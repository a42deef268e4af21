#include "storage/rocks_log.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/log.hpp"

namespace ipfscluster::storage {

namespace {

/// Longer lines are cut.
constexpr std::size_t kLineBytesMax = 1024;

class RocksLog final : public rocksdb::Logger {
 public:
    RocksLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(logger("storage")) {}

    using Logger::Logv;
    void Logv(const char* format, va_list values) override {
        Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, values);
    }
    void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list values) override {
        if (level < GetInfoLogLevel() || level >= rocksdb::InfoLogLevel::HEADER_LEVEL) return;
        std::array<char, kLineBytesMax> line{};
        std::vsnprintf(line.data(), line.size(), format, values);
        // What ends in an error is told by whoever gets it, too.
        const bool warning = level == rocksdb::InfoLogLevel::WARN_LEVEL;
        log_->log(warning ? spdlog::level::debug : spdlog::level::warn,
                  "the database says text=\"{}\"", first_line(line.data()));
    }
    /// Lines about versions and options, hundreds at each start.
    void LogHeader(const char* /*format*/, va_list /*values*/) override {}

 private:
    static std::string_view first_line(std::string_view text) {
        return text.substr(0, text.find('\n'));
    }
    std::shared_ptr<spdlog::logger> log_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_rocks_log() {
    return std::make_shared<RocksLog>();
}

}  // namespace ipfscluster::storage
