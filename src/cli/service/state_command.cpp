#include "cli/service/state_command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "cli/service/data_rotation.hpp"
#include "cli/service/offline_state.hpp"
#include "cli/service/pin_file.hpp"
#include "cli/service/prompt.hpp"
#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/foreign_data.hpp"
#include "config/identity.hpp"
#include "config/lock_file.hpp"
#include "config/remembered.hpp"
#include "consensus/raft/log_floor.hpp"

namespace ipfscluster::service {

namespace {

namespace fs = std::filesystem;

/// A folder that nobody else works in, and what its files say.
struct Folder {
    config::LockFile lock;
    config::Config config;
    PeerId self;
};

Result<config::LockFile> take_lock(const std::string& folder) {
    auto lock = config::LockFile::acquire(folder);
    if (!lock && lock.error().kind == Kind::conflict)
        return fail(lock.error().in("the peer must not run meanwhile"));
    return lock;
}

Result<Folder> open_folder(config::LockFile lock, const Flags& flags,
                           const config::Environment& env) {
    ICL_TRY(config::check_no_foreign_data(flags.folder, env));
    config::Warnings warnings;
    ICL_TRY(auto config, config::load_config(flags.folder, env, warnings));
    for (const auto& text : warnings) logger("config")->warn("{}", text);
    config::Warnings notices;
    ICL_TRY(auto identity, config::load_or_extract_identity(flags.folder, env, notices));
    for (const auto& text : notices) logger("config")->warn("{}", text);
    return Folder{std::move(lock), std::move(config), identity.id};
}

bool has_database(const config::Config& config) {
    std::error_code ec;
    return fs::exists(database_folder(config), ec);
}

/// A file that appears under its name only when it is whole. Devices and pipes are written as they
/// are.
class OutputFile {
 public:
    explicit OutputFile(std::string path) : path_(std::move(path)) {
        std::error_code ec;
        direct_ = fs::exists(path_, ec) && !fs::is_regular_file(path_, ec);
        written_ = direct_ ? path_ : path_ + ".tmp";
        stream_.open(written_, std::ios::binary | std::ios::trunc);
    }
    ~OutputFile() {
        if (!done_ && !direct_) ::unlink(written_.c_str());
    }
    std::ostream& stream() { return stream_; }
    Result<> finish() {
        stream_.close();
        if (!stream_) return fail(Kind::internal, written_ + ": cannot be written");
        if (direct_) return ok();
        const int fd = ::open(written_.c_str(), O_RDONLY | O_CLOEXEC);
        const bool synced = fd >= 0 && ::fsync(fd) == 0;
        if (fd >= 0) ::close(fd);
        std::error_code ec;
        if (synced) fs::rename(written_, path_, ec);
        if (!synced || ec)
            return fail(Kind::internal,
                        path_ + ": cannot be written" + (ec ? ": " + ec.message() : std::string()));
        done_ = true;
        return ok();
    }

 private:
    std::string path_, written_;
    std::ofstream stream_;
    bool direct_ = false, done_ = false;
};

Result<> export_to(const Folder& folder, std::ostream& out) {
    if (!has_database(folder.config)) {
        logger("service")->warn("this peer has no pinset yet, the export is empty");
        return ok();
    }
    OfflineState offline;
    ICL_TRY(offline.open(folder.config, folder.self));
    auto exported = offline.export_pins(out);
    ICL_TRY(offline.close());
    if (!exported) return fail(exported.error());
    const auto& e = exported.value();
    logger("service")->info("state successfully exported pins={} log_index={}", e.pins, e.applied);
    if (e.unapplied > 0)
        logger("service")->warn(
            "{} operations at the end of this peer's log were not known to be agreed when it "
            "stopped "
            "and are not exported",
            e.unapplied);
    return ok();
}

}  // namespace

Result<> run_state_export(const Flags& flags, const config::Environment& env, std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    if (flags.file.empty()) {
        ICL_TRY(export_to(folder, out));
        out.flush();
        if (!out) return fail(Kind::internal, "standard output cannot be written");
        return ok();
    }
    OutputFile file(flags.file);
    if (!file.stream()) return fail(Kind::denied, flags.file + ": cannot be created");
    ICL_TRY(export_to(folder, file.stream()));
    return file.finish();
}

Result<bool> run_state_import(const Flags& flags, const config::Environment& env, std::istream& in,
                              std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    std::ifstream file;
    if (!flags.file.empty()) {
        std::error_code ec;
        if (!fs::is_directory(flags.file, ec)) file.open(flags.file, std::ios::binary);
        if (!file.is_open()) return fail(Kind::not_found, flags.file + ": cannot be opened");
    }
    if (!flags.force && !confirmed(in, out, "The pinset (state) of this peer will be replaced."))
        return false;
    if (flags.file.empty()) out << "reading from stdin, Ctrl-D to finish" << std::endl;

    ImportRules rules;
    rules.replication_min = flags.replication_min;
    rules.replication_max = flags.replication_max;
    for (const auto& text : flags.allocations) {
        auto peer = PeerId::parse(text);
        if (!peer) return fail(peer.error().in("--allocations \"" + text + "\""));
        rules.allocations.push_back(std::move(peer.value()));
    }
    rules.default_replication_min = static_cast<int>(folder.config.cluster.replication_factor_min);
    rules.default_replication_max = static_cast<int>(folder.config.cluster.replication_factor_max);

    const bool fresh = !has_database(folder.config);
    OfflineState offline;
    ICL_TRY(offline.open(folder.config, folder.self));
    PinReader pins(flags.file.empty() ? in : file, std::move(rules));
    auto imported = offline.import_pins(pins);
    auto closed = offline.close();
    if (!imported) {
        // What was not there before must not be left behind.
        std::error_code ec;
        if (fresh) fs::remove_all(database_folder(folder.config), ec);
        if (fresh)
            fs::remove(folder.config.raft.data_folder, ec);  // only when nothing else is in it
        return fail(flags.file.empty() ? imported.error() : imported.error().in(flags.file));
    }
    ICL_TRY(std::move(closed));
    // It speaks of the data that the import has replaced.
    raft::DiskFloorFile floor(floor_path(folder.config));
    ICL_TRY(floor.remove());
    const auto& i = imported.value();
    logger("service")->info("state successfully imported pins={} repeated={}", i.pins, i.repeated);
    if (i.homeless > 0)
        logger("service")->warn(
            "{} pins are to be held by some peers but name none (allocations); pin them again or "
            "import with --allocations",
            i.homeless);
    if (folder.config.raft.init_peerset.empty())
        logger("service")->info(
            "at its next start this peer founds a cluster; let others join it with --bootstrap");
    else
        logger("service")->info(
            "the peers of consensus.raft.init_peerset found a cluster once each of them has "
            "imported the same pins");
    return true;
}

Result<bool> run_state_cleanup(const Flags& flags, const config::Environment& env, std::istream& in,
                               std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    if (!flags.force &&
        !confirmed(in, out, "The peer state will be removed. Existing pins may be lost."))
        return false;
    // Whoever cleans up wants no peer that waits for its old cluster. Before the data goes: a crash
    // in between leaves a peer that writes its members down again.
    if (const auto path = folder.config.remembered_path(); config::file_exists(path)) {
        ICL_TRY(config::save_remembered(path, {}));
    }
    const auto& data = folder.config.raft.data_folder;
    std::error_code ec;
    if (!fs::exists(data, ec)) {
        logger("service")->info("there is no state to remove");
        return true;
    }
    bool empty = !has_database(folder.config);
    if (!empty) {
        OfflineState offline;
        // A database that cannot be opened is still worth keeping aside.
        if (offline.open(folder.config, folder.self)) {
            empty = offline.empty();
            ICL_TRY(offline.close());
        }
    }
    if (empty) {
        fs::remove_all(data, ec);
        if (ec) return fail(Kind::denied, "cannot remove " + data + ": " + ec.message());
        logger("service")->info("data correctly cleaned up");
        return true;
    }
    ICL_TRY(rotate_data(data, folder.config.raft.backups_rotate));
    logger("service")->info("data correctly cleaned up; it lies in {}.old.0", data);
    return true;
}

Result<bool> run_state_accept_loss(const Flags& flags, const config::Environment& env,
                                   std::istream& in, std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    raft::DiskFloorFile file(floor_path(folder.config));
    ICL_TRY(const auto floor, file.read());
    if (!floor) {
        logger("service")->info("nothing is known to be lost");
        return true;
    }
    if (has_database(folder.config)) {
        OfflineState offline;
        const auto opened = offline.open(folder.config, folder.self);
        const Result<raft::Position> position =
            opened ? offline.position() : Result<raft::Position>(fail(opened.error()));
        ICL_TRY(offline.close());
        if (!position)
            return fail(position.error().in(
                "what is left cannot be used; `state cleanup` puts it aside, and this peer joins "
                "anew"));
        out << "The log ends with entry " << position.value().index << " in term "
            << position.value().term << "; it had entry " << floor->last_index << " in term "
            << floor->term << " on the disk.\n";
        if (!floor->damage.empty()) out << "Damaged: " << floor->damage << "\n";
    }
    if (!flags.force &&
        !confirmed(in, out,
                   "What this peer agreed to and has lost is given up: other peers may have been "
                   "told that it is safe."))
        return false;
    ICL_TRY(file.remove());
    logger("service")->warn("the loss is accepted; the peer starts with what is there");
    return true;
}

}  // namespace ipfscluster::service
