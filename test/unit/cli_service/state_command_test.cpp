#include "cli/service/state_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cli/service/init_command.hpp"
#include "cli/service/pin_file.hpp"
#include "config/lock_file.hpp"
#include "config/remembered.hpp"
#include "consensus/raft/log_floor.hpp"
#include "support/pins.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::service {
namespace {

namespace fs = std::filesystem;
using test::cid;
using test::peer;
using test::pin_on;

/// A folder that `init` has made, and the commands on it.
struct StateCommand : ::testing::Test {
    StateCommand() {
        flags.folder = temp.path("base");
        flags.ipfs = "embedded";
        std::istringstream in;
        std::ostringstream out, err;
        EXPECT_TRUE(run_init(flags, env, in, out, err));
    }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(temp.path(name), std::ios::binary) << text;
        return temp.path(name);
    }
    static std::string read(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string pins(int count) {
        std::vector<std::string> lines;
        for (int i = 0; i < count; ++i)
            append_pin_line(lines.emplace_back(), pin_on(cid(i), {peer(1)}));
        // In the order of an export.
        std::sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
            return a.substr(a.find("\"cid\"")) < b.substr(b.find("\"cid\""));
        });
        std::string text;
        for (const auto& line : lines) text += line;
        return text;
    }
    Result<bool> import(const std::string& file, bool force = true,
                        const std::string& answers = "") {
        auto f = flags;
        f.file = file;
        f.force = force;
        std::istringstream in(answers);
        asked.str("");
        return run_state_import(f, env, in, asked);
    }
    Result<bool> cleanup(bool force = true, const std::string& answers = "") {
        auto f = flags;
        f.force = force;
        std::istringstream in(answers);
        asked.str("");
        return run_state_cleanup(f, env, in, asked);
    }
    std::string exported() {
        std::ostringstream out;
        const auto done = run_state_export(flags, env, out);
        EXPECT_TRUE(done) << done.error().text;
        return out.str();
    }
    bool exists(const std::string& name) { return fs::exists(flags.folder + "/" + name); }

    test::TempFolder temp;
    Flags flags;
    config::Environment env;
    std::ostringstream asked;
};

std::vector<std::string> sorted_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
}

TEST_F(StateCommand, import_export_and_again) {
    EXPECT_EQ(exported(), "") << "a peer that never ran has no pins";
    EXPECT_FALSE(exists("raft")) << "an export makes nothing";
    const auto text = pins(2000);
    const auto done = import(write("pins.json", text));
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_TRUE(done.value());
    const auto out = exported();
    EXPECT_EQ(sorted_lines(out), sorted_lines(text));
    flags.file = temp.path("out.json");
    EXPECT_EQ(exported(), "");
    EXPECT_EQ(read(flags.file), out);
    EXPECT_FALSE(fs::exists(flags.file + ".tmp"));
    flags.file.clear();
    ASSERT_TRUE(import(write("few.json", pins(3))));
    EXPECT_EQ(sorted_lines(exported()).size(), 3U);
}

TEST_F(StateCommand, standard_input_and_the_questions) {
    ASSERT_TRUE(import("", false, "y\n" + pins(4)).value());
    EXPECT_NE(asked.str().find("Continue? [y/n]: reading from stdin"), std::string::npos)
        << asked.str();
    EXPECT_EQ(sorted_lines(exported()).size(), 4U);
    EXPECT_FALSE(import(write("pins.json", pins(9)), false, "n\n").value());
    EXPECT_FALSE(import(temp.path("pins.json"), false, "").value());
    EXPECT_FALSE(cleanup(false, "what\nyes\nno\n").value());
    EXPECT_NE(asked.str().find("Continue? [y/n]: "), std::string::npos);
    EXPECT_EQ(sorted_lines(exported()).size(), 4U);
    ASSERT_TRUE(cleanup(false, "y\n").value());
    EXPECT_EQ(exported(), "");
}

TEST_F(StateCommand, a_bad_file_changes_nothing) {
    const auto bad = write("bad.json", pins(10) + "{\"cid\":\"x\"}\n");
    auto done = import(bad);
    ASSERT_FALSE(done);
    EXPECT_TRUE(done.error().text.starts_with(bad + ": line 11: ")) << done.error().text;
    EXPECT_FALSE(exists("raft")) << "what was not there is not left behind";
    ASSERT_TRUE(import(write("good.json", pins(5))));
    const auto before = exported();
    EXPECT_FALSE(import(bad));
    EXPECT_EQ(exported(), before);
    EXPECT_EQ(import(temp.path("missing.json")).error().kind, Kind::not_found);
    EXPECT_EQ(import(temp.path()).error().kind, Kind::not_found) << "a folder is no file";
    flags.allocations = {"nobody"};
    EXPECT_NE(import(temp.path("good.json")).error().text.find("--allocations"), std::string::npos);
    EXPECT_EQ(exported(), before);
}

TEST_F(StateCommand, options_of_import_are_for_every_pin) {
    flags.replication_max = 4;
    flags.allocations = {peer(5).to_string(), peer(6).to_string()};
    ASSERT_TRUE(import(write("pins.json", pins(2))));
    for (const auto& line : sorted_lines(exported())) {
        EXPECT_NE(line.find("\"replication_factor_max\":4"), std::string::npos) << line;
        EXPECT_NE(line.find(peer(6).to_string()), std::string::npos) << line;
    }
}

TEST_F(StateCommand, a_loss_is_accepted_once_somebody_has_seen_how_much_it_is) {
    auto accept = [&](bool force, const std::string& answers) {
        auto f = flags;
        f.force = force;
        std::istringstream in(answers);
        asked.str("");
        return run_state_accept_loss(f, env, in, asked);
    };
    ASSERT_TRUE(accept(true, "")) << "nothing is lost";
    ASSERT_TRUE(import(write("pins.json", pins(3))));
    raft::DiskFloorFile file(flags.folder + "/raft/floor.json");
    ASSERT_TRUE(file.write({7, 30, 2, 40, "a row"}));
    EXPECT_FALSE(accept(false, "no\n").value());
    EXPECT_NE(asked.str().find("ends with entry 0 in term 0; it had entry 40 in term 2"),
              std::string::npos)
        << asked.str();
    EXPECT_NE(asked.str().find("Damaged: a row"), std::string::npos);
    EXPECT_TRUE(file.read().value());
    ASSERT_TRUE(accept(true, "").value());
    EXPECT_FALSE(file.read().value());
    EXPECT_EQ(sorted_lines(exported()).size(), 3U) << "the pinset stays";
}

TEST_F(StateCommand, after_a_cleanup_the_peer_waits_for_nobody) {
    const auto path = flags.folder + "/members.json";
    ASSERT_TRUE(cleanup());
    EXPECT_FALSE(fs::exists(path));
    ASSERT_TRUE(config::save_remembered(path, {.joining = true, .members = {peer(1)}}));
    EXPECT_FALSE(cleanup(false, "no\n").value());
    EXPECT_TRUE(config::load_remembered(path).value().joining);
    // Also where the data is gone already.
    ASSERT_TRUE(cleanup());
    EXPECT_EQ(config::load_remembered(path).value(), config::Remembered{});
}

TEST_F(StateCommand, cleanup_keeps_what_it_removes_for_a_while) {
    ASSERT_TRUE(cleanup());
    EXPECT_FALSE(exists("raft.old.0")) << "there was nothing";
    auto text = read(flags.folder + "/service.json");
    const std::string six = "\"backups_rotate\": 6";
    ASSERT_NE(text.find(six), std::string::npos);
    text.replace(text.find(six), six.size(), "\"backups_rotate\": 2");
    std::ofstream(flags.folder + "/service.json") << text;
    const auto identity = read(flags.folder + "/identity.json");
    for (int i = 1; i <= 3; ++i) {
        ASSERT_TRUE(import(write("pins.json", pins(i))));
        const auto done = cleanup();
        ASSERT_TRUE(done) << done.error().text;
        EXPECT_FALSE(exists("raft"));
        EXPECT_EQ(exported(), "");
    }
    EXPECT_TRUE(exists("raft.old.0"));
    EXPECT_TRUE(exists("raft.old.1"));
    EXPECT_FALSE(exists("raft.old.2"));
    // The newest is 0 and can be put back.
    fs::rename(flags.folder + "/raft.old.0", flags.folder + "/raft");
    EXPECT_EQ(sorted_lines(exported()).size(), 3U);
    EXPECT_EQ(read(flags.folder + "/identity.json"), identity);
}

TEST_F(StateCommand, a_damaged_database_can_be_cleaned_up) {
    ASSERT_TRUE(import(write("pins.json", pins(3))));
    std::ofstream(flags.folder + "/raft/db/CURRENT") << "nonsense";
    std::ostringstream out;
    EXPECT_FALSE(run_state_export(flags, env, out));
    ASSERT_TRUE(cleanup());
    EXPECT_TRUE(exists("raft.old.0"));
    EXPECT_EQ(exported(), "");
}

TEST_F(StateCommand, folders_of_go_peers_are_refused) {
    fs::create_directories(flags.folder + "/raft/raft.db");
    std::ostringstream out;
    const auto done = run_state_export(flags, env, out);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().text.find("--from " + flags.folder), std::string::npos);
    EXPECT_FALSE(import(write("pins.json", pins(3))));
    EXPECT_FALSE(cleanup());
    EXPECT_TRUE(exists("raft/raft.db"));
}

TEST_F(StateCommand, a_folder_without_configuration_is_an_error) {
    flags.folder = temp.path("empty");
    std::ostringstream out;
    EXPECT_EQ(run_state_export(flags, env, out).error().kind, Kind::not_found);
    EXPECT_FALSE(cleanup());
}

}  // namespace
}  // namespace ipfscluster::service
