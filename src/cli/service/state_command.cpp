#include "cli/service/state_command.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/log.hpp"
#include "cli/service/data_rotation.hpp"
#include "cli/service/peer_consensus.hpp"
#include "cli/service/pin_file.hpp"
#include "cli/service/prompt.hpp"
#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/foreign_data.hpp"
#include "config/identity.hpp"
#include "config/lock_file.hpp"
#include "config/remembered.hpp"

namespace ipfscluster::service {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWriteBytes = 64 * 1024;

/// A folder that nobody else works in, and what its files say.
struct Folder {
    config::LockFile lock;
    config::Config config;
    std::unique_ptr<component::ConsensusData> data;
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
    auto data = consensus_data(config, identity.id);
    return Folder{std::move(lock), std::move(config), std::move(data)};
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

/// Writes lines in pieces.
class LineWriter {
 public:
    explicit LineWriter(std::ostream& out) : out_(out) {}

    Result<> add(const Pin& pin) {
        append_pin_line(text_, pin);
        return text_.size() < kWriteBytes ? ok() : flush();
    }
    Result<> flush() {
        out_.write(text_.data(), static_cast<std::streamsize>(text_.size()));
        text_.clear();
        if (!out_) return fail(Kind::internal, "the export cannot be written");
        return ok();
    }

 private:
    std::ostream& out_;
    std::string text_;
};

Result<> export_to(component::ConsensusData& data, std::ostream& out) {
    if (!data.exists()) {
        logger("service")->warn("this peer has no pinset yet, the export is empty");
        return ok();
    }
    ICL_TRY(data.open());
    LineWriter lines(out);
    auto exported = data.export_pins([&lines](const Pin& pin) { return lines.add(pin); });
    ICL_TRY(data.close());
    if (!exported) return fail(exported.error());
    ICL_TRY(lines.flush());
    const auto& e = exported.value();
    logger("service")->info("state successfully exported pins={} log_index={}", e.pins, e.index);
    if (e.left_out > 0)
        logger("service")->warn(
            "{} operations at the end of this peer's log were not known to be agreed when it "
            "stopped "
            "and are not exported",
            e.left_out);
    return ok();
}

}  // namespace

Result<> run_state_export(const Flags& flags, const config::Environment& env, std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    if (flags.file.empty()) {
        ICL_TRY(export_to(*folder.data, out));
        out.flush();
        if (!out) return fail(Kind::internal, "standard output cannot be written");
        return ok();
    }
    OutputFile file(flags.file);
    if (!file.stream()) return fail(Kind::denied, flags.file + ": cannot be created");
    ICL_TRY(export_to(*folder.data, file.stream()));
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

    auto& data = *folder.data;
    ICL_TRY(data.open());
    PinReader pins(flags.file.empty() ? in : file, std::move(rules));
    auto imported = data.import_pins([&pins] { return pins.next(); });
    auto closed = data.close();
    if (!imported)
        return fail(flags.file.empty() ? imported.error() : imported.error().in(flags.file));
    ICL_TRY(std::move(closed));
    const auto& i = imported.value();
    logger("service")->info("state successfully imported pins={} repeated={}", i.pins, i.repeated);
    if (i.homeless > 0)
        logger("service")->warn(
            "{} pins are to be held by some peers but name none (allocations); pin them again or "
            "import with --allocations",
            i.homeless);
    logger("service")->info("{}", data.after_import());
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
    auto& data = *folder.data;
    const auto& where = data.folder();
    std::error_code ec;
    if (!fs::exists(where, ec)) {
        logger("service")->info("there is no state to remove");
        return true;
    }
    bool empty = !data.exists();
    if (!empty) {
        // What cannot be opened is still worth keeping aside.
        if (data.open()) {
            empty = data.empty();
            ICL_TRY(data.close());
        }
    }
    if (empty) {
        fs::remove_all(where, ec);
        if (ec) return fail(Kind::denied, "cannot remove " + where + ": " + ec.message());
        logger("service")->info("data correctly cleaned up");
        return true;
    }
    ICL_TRY(rotate_data(where, data.kept_aside()));
    logger("service")->info("data correctly cleaned up; it lies in {}.old.0", where);
    return true;
}

Result<bool> run_state_accept_loss(const Flags& flags, const config::Environment& env,
                                   std::istream& in, std::ostream& out) {
    ICL_TRY(auto lock, take_lock(flags.folder));
    ICL_TRY(const auto folder, open_folder(std::move(lock), flags, env));
    ICL_TRY(const auto loss, folder.data->loss());
    if (!loss) {
        logger("service")->info("nothing is known to be lost");
        return true;
    }
    out << *loss;
    if (!flags.force &&
        !confirmed(in, out,
                   "What this peer agreed to and has lost is given up: other peers may have been "
                   "told that it is safe."))
        return false;
    ICL_TRY(folder.data->accept_loss());
    logger("service")->warn("the loss is accepted; the peer starts with what is there");
    return true;
}

}  // namespace ipfscluster::service
