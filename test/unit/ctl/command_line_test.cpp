#include "cli/grammar/command_line.hpp"

#include <gtest/gtest.h>

#include "cli/ctl/command_table.hpp"

namespace ipfscluster::ctl {
namespace {

ParsedLine parse(const std::vector<std::string>& arguments) {
    return parse_command_line(command_table(), arguments);
}

TEST(CommandLine, one_dash_is_as_good_as_two) {
    for (const char* flag : {"-enc", "--enc", "-encoding", "--encoding"}) {
        const auto line = parse({flag, "json", "id"});
        ASSERT_TRUE(line) << flag << ": " << line.error().text;
        EXPECT_EQ(line.value().globals.text("encoding"), "json");
        EXPECT_EQ(line.value().path, std::vector<std::string>{"id"});
    }
    EXPECT_EQ(parse({"--enc=json", "id"}).value().globals.text("encoding"), "json");
}

TEST(CommandLine, flags_of_a_command_stand_anywhere_behind_it) {
    const auto line =
        parse({"pin", "add", "--rmin", "-1", "Qm1", "--name=x y", "--", "--not-a-flag"}).value();
    EXPECT_EQ(line.path, (std::vector<std::string>{"pin", "add"}));
    EXPECT_EQ(line.flags.integer("replication-min"), -1);
    EXPECT_EQ(line.flags.text("name"), "x y");
    EXPECT_EQ(line.arguments, (std::vector<std::string>{"Qm1", "--not-a-flag"}));
}

TEST(CommandLine, booleans_take_a_value_only_with_an_equals_sign) {
    const auto line = parse({"pin", "add", "--wait", "false", "--ns=false"}).value();
    EXPECT_TRUE(line.flags.boolean("wait"));
    EXPECT_FALSE(line.flags.boolean("no-status"));
    EXPECT_EQ(line.arguments, std::vector<std::string>{"false"});
}

TEST(CommandLine, the_last_value_wins_and_lists_add_up) {
    const auto line =
        parse({"pin", "add", "-n", "a", "-n", "b", "--metadata", "a=1", "--metadata", "b=2"})
            .value();
    EXPECT_EQ(line.flags.text("name"), "b");
    EXPECT_EQ(line.flags.list("metadata"), (std::vector<std::string>{"a=1", "b=2"}));
}

TEST(CommandLine, a_dash_alone_is_an_argument) {
    EXPECT_EQ(parse({"add", "-"}).value().arguments, std::vector<std::string>{"-"});
}

TEST(CommandLine, usage_errors_name_the_flag) {
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"pin", "add", "--nope"},
                                               {"pin", "add", "-nsw"},
                                               {"pin", "add", "--name"},
                                               {"pin", "add", "--rmin", "x"},
                                               {"pin", "add", "--wait=maybe"},
                                               {"pin", "add", "--wait-timeout", "10"},
                                               {"pin", "add", "--name", "a", "-n", "b"},
                                               {"--local", "id"}}) {
        const auto line = parse(arguments);
        ASSERT_FALSE(line) << arguments.back();
        EXPECT_FALSE(line.error().unknown_command);
        EXPECT_NE(line.error().text.find('-'), std::string::npos);
    }
}

TEST(CommandLine, unknown_commands_are_told_apart) {
    EXPECT_TRUE(parse({"bogus"}).error().unknown_command);
    EXPECT_TRUE(parse({"pin", "bogus"}).error().unknown_command);
    EXPECT_TRUE(parse({"pin"}).value().path == std::vector<std::string>{"pin"});
}

void check_help(const CommandSpec& command, std::vector<std::string> path) {
    const auto page = help_page(command_table(), path).value();
    std::size_t begin = 0;
    while (begin < page.size()) {
        const std::size_t end = page.find('\n', begin);
        EXPECT_LE(end - begin, 120u) << page.substr(begin, end - begin);
        begin = end + 1;
    }
    for (const CommandSpec& sub : command.commands) {
        path.push_back(sub.name);
        check_help(sub, path);
        path.pop_back();
    }
}

TEST(CommandLine, help_pages_keep_to_120_columns) {
    check_help(command_table(), {});
    EXPECT_EQ(help_page(command_table(), {"pin", "bogus"}).error(),
              (Error{ipfscluster::Kind::not_found, "bogus"}));
}

}  // namespace
}  // namespace ipfscluster::ctl
