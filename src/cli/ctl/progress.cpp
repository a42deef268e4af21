#include "cli/ctl/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/ctl/humanize.hpp"

namespace ipfscluster::ctl {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr auto kDrawEvery = std::chrono::milliseconds(200);

std::string time_left(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::min(seconds, 359'999.0));
    if (whole >= 3600) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
    if (whole >= 60) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
    return fmt::format("{}s", whole);
}

}  // namespace

std::string progress_line(std::uint64_t done, std::uint64_t total, Duration elapsed) {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    std::string out = human_bytes(done);
    const std::string speed = human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
    if (total == 0) return out + "  " + speed;
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto filled = static_cast<std::size_t>(part * kBarWidth);
    out += fmt::format(" / {} [{}{}] {:3.0f}%  {}", human_bytes(total), std::string(filled, '='),
                       std::string(kBarWidth - filled, ' '), part * 100, speed);
    if (rate > 0 && done < total)
        out += "  " + time_left(static_cast<double>(total - done) / rate) + " left";
    return out;
}

ProgressBar::ProgressBar(World& world, std::ostream& out, bool on, std::uint64_t total)
    : world_(world), out_(out), on_(on), total_(total), started_(world.steady_now()) {}

void ProgressBar::update(std::uint64_t done) {
    if (!on_) return;
    const auto now = world_.steady_now();
    if (drawn_ != SteadyTime{} && now - drawn_ < kDrawEvery) return;
    drawn_ = now;
    visible_ = true;
    out_ << "\r\x1b[K" << progress_line(done, total_, now - started_) << std::flush;
}

void ProgressBar::clear() {
    if (!visible_) return;
    visible_ = false;
    drawn_ = {};
    out_ << "\r\x1b[K" << std::flush;
}

}  // namespace ipfscluster::ctl
