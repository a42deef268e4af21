#include "consensus/raft/log_floor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>

#include "base/log.hpp"
#include "config/file_io.hpp"
#include "config/json_text.hpp"

namespace ipfscluster::raft {

namespace {

namespace json = boost::json;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kFloorBytesMax = 64 * 1024;
constexpr unsigned kFloorMode = 0644;

/// Numbers are texts: a node id does not fit what JSON readers make of a number.
Result<std::uint64_t> number_at(const json::object& object, std::string_view key, int base) {
    const json::value* value = object.if_contains(key);
    std::uint64_t out = 0;
    if (value != nullptr && value->is_string()) {
        const std::string_view text = value->get_string();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), out, base);
        if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return out;
    }
    return fail(Kind::corrupt, fmt::format("floor: \"{}\": no number", key));
}

}  // namespace

std::string floor_text(const Floor& floor) {
    json::object object;
    object["version"] = kVersion;
    object["node"] = fmt::format("{:016x}", floor.node);
    object["rounds"] = std::to_string(floor.rounds);
    object["term"] = std::to_string(floor.term);
    object["last_index"] = std::to_string(floor.last_index);
    object["damage"] = floor.damage;
    return config::json_text(object, 2) + "\n";
}

Result<Floor> parse_floor(std::string_view text) {
    auto parsed = config::parse_json_object(text);
    if (!parsed) return fail(Kind::corrupt, "floor: " + parsed.error().text);
    const auto& object = parsed.value();
    const json::value* version = object.if_contains("version");
    if (version == nullptr || !version->is_int64())
        return fail(Kind::corrupt, "floor: \"version\": no number");
    if (version->get_int64() != kVersion)
        return fail(Kind::unsupported, fmt::format("floor: version {} is newer than this build",
                                                   version->get_int64()));
    Floor out;
    ICL_TRY(out.node, number_at(object, "node", 16));
    ICL_TRY(out.rounds, number_at(object, "rounds", 10));
    ICL_TRY(out.term, number_at(object, "term", 10));
    ICL_TRY(out.last_index, number_at(object, "last_index", 10));
    const json::value* damage = object.if_contains("damage");
    if (damage == nullptr || !damage->is_string())
        return fail(Kind::corrupt, "floor: \"damage\": no text");
    out.damage = std::string(damage->get_string());
    return out;
}

Result<std::optional<Floor>> DiskFloorFile::read() {
    const auto text = config::read_file(path_, kFloorBytesMax);
    if (!text && text.error().kind == Kind::not_found) return std::optional<Floor>{};
    if (!text) return fail(text.error());
    auto floor = parse_floor(text.value());
    if (!floor) return fail(floor.error().in(path_));
    return std::optional<Floor>(std::move(floor.value()));
}

Result<> DiskFloorFile::write(const Floor& floor) {
    return config::write_file(path_, floor_text(floor), kFloorMode);
}

Result<> DiskFloorFile::remove() {
    if (::unlink(path_.c_str()) == 0 || errno == ENOENT) return ok();
    return fail(Kind::denied, "cannot remove " + path_ + ": " + std::strerror(errno));
}

struct LogFloor::Turn {
    std::mutex mutex;
    std::uint64_t last = 0;
};

LogFloor::LogFloor(World& world, std::shared_ptr<FloorFile> file)
    : world_(world),
      turn_(std::make_shared<Turn>()),
      file_(std::move(file)),
      changed_(world.executor()) {}

void LogFloor::synced(Floor floor) {
    if (!file_) return;
    latest_ = std::move(floor);
    written_ = false;
    changed_.notify_all();
}

Async<> LogFloor::write() {
    if (written_) co_return ok();
    auto work = [turn = turn_, number = ++writes_, file = file_,
                 floor = *latest_]() -> Result<bool> {
        const std::lock_guard lock(turn->mutex);
        if (number < turn->last) return true;
        turn->last = number;
        ICL_TRY(file->write(floor));
        return true;
    };
    written_ = true;
    auto done = co_await offload(world_, std::move(work));
    if (done) {
        failed_ = false;
        co_return ok();
    }
    written_ = false;
    co_return fail(done.error());
}

asio::awaitable<void> LogFloor::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (true) {
        while (written_) {
            auto woken = co_await changed_.wait();
            if (!woken) co_return;
        }
        auto done = co_await write();
        if (!done && done.error().kind == Kind::cancelled) co_return;
        if (!done && !std::exchange(failed_, true))
            logger("raft")->warn("the floor under the log cannot be written error=\"{}\"",
                                 done.error().text);
        auto slept = co_await world_.sleep_for(kFloorInterval);
        if (!slept) co_return;
    }
}

Async<> LogFloor::finish(std::string damage) {
    if (!file_) co_return ok();
    if (!damage.empty()) {
        if (!latest_) latest_ = Floor{};
        latest_->damage = std::move(damage);
        written_ = false;
    }
    co_return co_await write();
}

}  // namespace ipfscluster::raft
