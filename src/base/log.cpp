#include "base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <map>
#include <mutex>
#include <optional>

#include "base/text.hpp"

namespace ipfscluster {

namespace {

struct Levels {
    std::mutex mutex;
    spdlog::sink_ptr sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    spdlog::level::level_enum fallback = spdlog::level::info;
    std::map<std::string, spdlog::level::level_enum, std::less<>> by_name;
    std::map<std::string, std::shared_ptr<spdlog::logger>, std::less<>> loggers;
};

Levels& levels() {
    static Levels* instance = new Levels;  // never destroyed: loggers are used until the very end
    return *instance;
}

std::optional<spdlog::level::level_enum> parse_level(std::string_view text) {
    std::string lower;
    for (char c : text)
        lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (lower == "debug") return spdlog::level::debug;
    if (lower == "info" || lower == "notice") return spdlog::level::info;
    if (lower == "warn" || lower == "warning") return spdlog::level::warn;
    if (lower == "error") return spdlog::level::err;
    if (lower == "fatal" || lower == "critical" || lower == "panic" || lower == "dpanic")
        return spdlog::level::critical;
    if (lower == "off") return spdlog::level::off;
    return std::nullopt;
}

/// The level as the Go programs write it.
class GoLevel final : public spdlog::custom_flag_formatter {
 public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const std::string_view name = name_of(message.level);
        out.append(name.data(), name.data() + name.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<GoLevel>();
    }

 private:
    static std::string_view name_of(spdlog::level::level_enum level) {
        switch (level) {
            case spdlog::level::trace:
            case spdlog::level::debug:
                return "DEBUG";
            case spdlog::level::info:
                return "INFO";
            case spdlog::level::warn:
                return "WARN";
            case spdlog::level::err:
                return "ERROR";
            default:
                return "FATAL";
        }
    }
};

/// Time, level, facility and text, separated by tabs (reference/programs 3.6), without a source
/// line.
std::unique_ptr<spdlog::formatter> line_format() {
    auto format = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    format->add_flag<GoLevel>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ\t%*\t%n\t%v");
    return format;
}

}  // namespace

std::shared_ptr<spdlog::logger> logger(std::string_view facility) {
    auto& all = levels();
    const std::lock_guard lock(all.mutex);
    if (auto at = all.loggers.find(facility); at != all.loggers.end()) return at->second;
    auto made = std::make_shared<spdlog::logger>(std::string(facility), all.sink);
    made->set_formatter(line_format());
    made->flush_on(spdlog::level::debug);
    const auto named = all.by_name.find(facility);
    made->set_level(named == all.by_name.end() ? all.fallback : named->second);
    all.loggers.emplace(std::string(facility), made);
    return made;
}

Result<> set_log_levels(std::string_view spec) {
    auto& all = levels();
    const std::lock_guard lock(all.mutex);
    auto fallback = all.fallback;
    auto by_name = all.by_name;
    for (const auto part : split_words(spec)) {
        const auto colon = part.find(':');
        const auto level =
            parse_level(colon == std::string_view::npos ? part : part.substr(colon + 1));
        if (!level)
            return fail(Kind::invalid, "unknown log level in \"" + std::string(part) + "\"");
        if (colon == std::string_view::npos || part.substr(0, colon) == "all")
            fallback = *level;
        else
            by_name[std::string(part.substr(0, colon))] = *level;
    }
    all.fallback = fallback;
    all.by_name = std::move(by_name);
    for (auto& [name, made] : all.loggers) {
        const auto named = all.by_name.find(name);
        made->set_level(named == all.by_name.end() ? all.fallback : named->second);
    }
    return ok();
}

void init_logging() {
    logger("cluster");
}

}  // namespace ipfscluster
