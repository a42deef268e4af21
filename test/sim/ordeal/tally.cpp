#include "sim/ordeal/tally.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.hpp"

namespace ipfscluster::ordeal {

namespace {

const char* const kFacilities[] = {"raft", "cluster", "pintracker", "monitor", "rpc", "ipfsnode"};

/// Messages are a fixed text, then `key=value`: the text alone is what happened.
std::string what_happened(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::string(line);
    const auto space = line.rfind(' ', equals);
    return std::string(line.substr(0, space == std::string_view::npos ? equals : space));
}

class CountingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
    explicit CountingSink(Tally& tally) : tally_(tally) {}

 protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view line(message.payload.data(), message.payload.size());
        tally_.count_line("log: " + what_happened(line), line);
    }
    void flush_() override {}

 private:
    Tally& tally_;
};

}  // namespace

void Tally::listen() {
    listening_ = true;
    const auto sink = std::make_shared<CountingSink>(*this);
    for (const auto* facility : kFacilities) {
        const auto log = logger(facility);
        log->set_level(spdlog::level::info);
        log->sinks() = {sink};
    }
}

Tally::~Tally() {
    if (!listening_) return;
    for (const auto* facility : kFacilities) logger(facility)->sinks().clear();
}

void Tally::count_line(const std::string& what, std::string_view example) {
    if (++counts_[what] == 1) examples_[what] = example;
}

std::uint64_t Tally::of(const std::string& what) const {
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
}

std::vector<std::string> Tally::missing(const std::vector<std::string>& wanted) const {
    std::vector<std::string> out;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(out),
                 [this](const std::string& what) { return of(what) == 0; });
    return out;
}

std::string Tally::text() const {
    std::string out;
    const bool why = std::getenv("ICL_SIM_WHY") != nullptr;
    for (const auto& [what, times] : counts_) {
        out += "  " + std::to_string(times) + " " + what + "\n";
        const auto example = examples_.find(what);
        if (why && example != examples_.end()) out += "      e.g. " + example->second + "\n";
    }
    return out;
}

}  // namespace ipfscluster::ordeal
