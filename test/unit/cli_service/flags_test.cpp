#include "cli/service/flags.hpp"

#include <gtest/gtest.h>

namespace ipfscluster::service {
namespace {

Result<Flags> parse(std::vector<std::string> args) {
    return parse_flags(
        std::move(args),
        config::Environment(config::Environment::Variables{{"HOME", "/home/someone"}}));
}

TEST(StateFlags, the_commands_and_their_flags_in_every_form) {
    auto f = parse({"-c", "/base", "state", "export", "-f", "out.json"});
    ASSERT_TRUE(f) << f.error().text;
    EXPECT_EQ(f.value().command, Flags::Command::state_export);
    EXPECT_EQ(f.value().folder, "/base");
    EXPECT_EQ(f.value().file, "out.json");
    EXPECT_EQ(parse({"state", "export", "--file=x"}).value().file, "x");
    EXPECT_EQ(parse({"state", "export", "-file", "x"}).value().file, "x");
    EXPECT_EQ(parse({"state", "export"}).value().file, "");

    f = parse({"state", "import", "-f", "-rmin", "2", "--replication-max=3", "--allocs", "a, b",
               "in.json"});
    ASSERT_TRUE(f) << f.error().text;
    EXPECT_EQ(f.value().command, Flags::Command::state_import);
    EXPECT_TRUE(f.value().force);
    EXPECT_EQ(f.value().file, "in.json");
    EXPECT_EQ(f.value().replication_min, 2);
    EXPECT_EQ(f.value().replication_max, 3);
    EXPECT_EQ(f.value().allocations, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(parse({"state", "import", "in.json", "--force"}).value().force);
    EXPECT_EQ(parse({"state", "import"}).value().file, "");

    EXPECT_EQ(parse({"state", "cleanup"}).value().command, Flags::Command::state_cleanup);
    EXPECT_TRUE(parse({"state", "cleanup", "-f"}).value().force);
    EXPECT_EQ(parse({"state", "accept-loss"}).value().command, Flags::Command::state_accept_loss);
    EXPECT_TRUE(parse({"state", "accept-loss", "--force"}).value().force);
}

TEST(StateFlags, help_and_mistakes) {
    EXPECT_EQ(parse({"state"}).value().command, Flags::Command::help);
    EXPECT_NE(parse({"state"}).value().help_text.find("cleanup"), std::string::npos);
    EXPECT_NE(parse({"state", "import", "-h"}).value().help_text.find("--rmin"), std::string::npos);
    EXPECT_EQ(parse({"state", "bogus"}).error().kind, Kind::not_found);
    EXPECT_EQ(parse({"state", "bogus"}).error().text, "No help topic for 'bogus'");
    EXPECT_EQ(parse({"state", "crdt", "info"}).error().kind, Kind::unsupported);
    EXPECT_EQ(parse({"state", "import", "--rmin", "-2", "x"}).error().kind, Kind::invalid);
    EXPECT_EQ(parse({"state", "import", "--rmin", "two", "x"}).error().kind, Kind::invalid);
    EXPECT_EQ(parse({"state", "export", "--bogus"}).error().kind, Kind::invalid);
}

TEST(DaemonFlags, founding_alone_and_joining_exclude_each_other) {
    EXPECT_TRUE(parse({"daemon", "--found-alone"}).value().found_alone);
    EXPECT_FALSE(parse({"daemon"}).value().found_alone);
    EXPECT_EQ(parse({"daemon", "--found-alone", "-j", "/ip4/127.0.0.1/tcp/1"}).error().kind,
              Kind::invalid);
}

TEST(GlobalFlags, short_names_take_their_value_behind_an_equals_sign) {
    auto f = parse({"-c=/base", "-l=debug", "daemon", "-j=/ip4/127.0.0.1/tcp/1"});
    ASSERT_TRUE(f) << f.error().text;
    EXPECT_EQ(f.value().folder, "/base");
    EXPECT_EQ(f.value().loglevel, "debug");
    EXPECT_EQ(f.value().bootstrap, (std::vector<std::string>{"/ip4/127.0.0.1/tcp/1"}));
    EXPECT_EQ(parse({"state", "export", "-f=out.json"}).value().file, "out.json");
    EXPECT_TRUE(parse({"state", "cleanup", "-f=true"}).value().force);
    EXPECT_FALSE(parse({"state", "cleanup", "-f=false"}).value().force);
}

TEST(GlobalFlags, the_last_of_a_repeated_one_counts) {
    auto f = parse({"-l", "debug", "-l", "error", "-c", "/a", "-c", "/b", "daemon"});
    ASSERT_TRUE(f) << f.error().text;
    EXPECT_EQ(f.value().loglevel, "error");
    EXPECT_EQ(f.value().folder, "/b");
    // As in Go, one name of a flag at a time.
    EXPECT_EQ(parse({"-l", "debug", "--loglevel", "error"}).error().kind, Kind::invalid);
}

TEST(GlobalFlags, help_and_version_are_flags_and_commands) {
    EXPECT_EQ(parse({}).value().command, Flags::Command::none);
    EXPECT_NE(parse({}).value().help_text.find("IPFS_CLUSTER_PATH"), std::string::npos);
    for (const auto& line : std::vector<std::vector<std::string>>{
             {"help", "daemon"}, {"h", "daemon"}, {"daemon", "-h"}, {"daemon", "--help"}}) {
        const auto f = parse(line).value();
        EXPECT_EQ(f.command, Flags::Command::help);
        EXPECT_NE(f.help_text.find("--found-alone"), std::string::npos);
        EXPECT_EQ(f.help_text.find("--leave"), std::string::npos) << "hidden, as in Go";
    }
    EXPECT_EQ(parse({"help", "bogus"}).error(),
              (Error{Kind::not_found, "No help topic for 'bogus'"}));
    EXPECT_TRUE(parse({"-v"}).value().version_of_program);
    EXPECT_EQ(parse({"version"}).value().command, Flags::Command::version);
    EXPECT_FALSE(parse({"version"}).value().version_of_program);
    EXPECT_EQ(parse({"bogus"}).error().kind, Kind::invalid);
    EXPECT_EQ(parse({"daemon", "bogus"}).error().kind, Kind::invalid);
}

TEST(InitFlags, the_source_and_lists_by_comma_or_by_repetition) {
    const auto f = parse({"init", "--peers", "a, b", "--peers=c", "-s", "-randomports",
                          "http://there/service.json"})
                       .value();
    EXPECT_EQ(f.command, Flags::Command::init);
    EXPECT_EQ(f.peers, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(f.custom_secret && f.random_ports && !f.force);
    EXPECT_EQ(f.source_url, "http://there/service.json");
    EXPECT_EQ(f.consensus, "raft");
    EXPECT_EQ(f.ipfs, "auto");
    const auto served = parse({"daemon", "--stats", "--tracing", "--leave", "--no-trust"}).value();
    EXPECT_EQ(served.not_served, (std::vector<std::string>{"--stats", "--tracing"}));
    EXPECT_TRUE(served.leave);
}

TEST(InitFlags, from_is_a_folder) {
    const auto f = parse({"-c", "/new", "init", "--from", "/old/", "--consensus", "raft"});
    ASSERT_TRUE(f) << f.error().text;
    EXPECT_EQ(f.value().from, "/old");
    EXPECT_FALSE(f.value().ipfs_given);
    EXPECT_TRUE(parse({"init", "--ipfs", "embedded"}).value().ipfs_given);
}

}  // namespace
}  // namespace ipfscluster::service
