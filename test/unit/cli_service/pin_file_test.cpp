#include "cli/service/pin_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/pins.hpp"

namespace ipfscluster::service {
namespace {

using test::cid;
using test::peer;
using test::pin_on;

Result<std::vector<Pin>> read_all(std::istream& in, ImportRules rules = {}) {
    PinReader reader(in, std::move(rules));
    std::vector<Pin> pins;
    while (true) {
        ICL_TRY(auto pin, reader.next());
        if (!pin) return pins;
        pins.push_back(std::move(*pin));
    }
}
Result<std::vector<Pin>> read_all(const std::string& text, ImportRules rules = {}) {
    std::istringstream in(text);
    return read_all(in, std::move(rules));
}
std::string line(const Pin& pin) {
    std::string out;
    append_pin_line(out, pin);
    return out;
}
std::string with(const std::string& more) {
    return R"({"cid":")" + cid(1).to_string() + "\"" + (more.empty() ? "" : "," + more) + "}";
}

Pin full_pin() {
    auto pin = pin_on(cid(7), {peer(1), peer(2)});
    pin.options.name = "a <name> with \"quotes\", } and \u00fcmlauts";
    pin.options.metadata = {{"k", "v"}, {"}", "{"}};
    pin.options.mode = PinMode::direct;
    pin.max_depth = kDepthDirect;
    pin.options.expire_at = Time(std::chrono::seconds(2000000000));
    pin.options.origins = {Multiaddr::parse("/ip4/1.2.3.4/tcp/5").value()};
    pin.options.pin_update = cid(8);
    return pin;
}

TEST(PinFile, what_is_written_is_read_back) {
    const auto pins = read_all(line(full_pin()) + line(pin_on(cid(1), {peer(3)})));
    ASSERT_TRUE(pins) << pins.error().text;
    ASSERT_EQ(pins.value().size(), 2U);
    EXPECT_EQ(pins.value()[0], full_pin());
    EXPECT_EQ(pins.value()[1], pin_on(cid(1), {peer(3)}));
}

TEST(PinFile, an_export_of_the_go_program_is_read) {
    std::ifstream in(std::string(ICL_TEST_DATA) + "/old_folders/pins-go-1.1.6.json");
    const auto pins = read_all(in);
    ASSERT_TRUE(pins) << pins.error().text;
    ASSERT_EQ(pins.value().size(), 3U);
    const auto& [alpha, direct, update] =
        std::tie(pins.value()[0], pins.value()[1], pins.value()[2]);
    EXPECT_EQ(alpha.options.metadata,
              (std::map<std::string, std::string>{{"k1", "v1"}, {"k2", "a b"}}));
    EXPECT_TRUE(alpha.everywhere());
    EXPECT_EQ(direct.options.mode, PinMode::direct);
    EXPECT_EQ(direct.options.expire_at, parse_rfc3339("2035-01-02T03:04:05Z").value());
    EXPECT_EQ(direct.allocations.size(), 1U);
    EXPECT_EQ(update.options.name, "ümläut <&>");
    EXPECT_EQ(update.options.origins.size(), 1U);
    EXPECT_TRUE(update.options.pin_update.defined());
    EXPECT_EQ(update.timestamp, parse_rfc3339("2026-01-02T03:04:07Z").value());
}

TEST(PinFile, any_blanks_may_separate_pins) {
    const auto one = line(pin_on(cid(1), {peer(1)}));
    EXPECT_EQ(read_all("").value().size(), 0U);
    EXPECT_EQ(read_all(" \r\n\t").value().size(), 0U);
    EXPECT_EQ(read_all(one.substr(0, one.size() - 1)).value().size(), 1U) << "no final line feed";
    EXPECT_EQ(read_all(one + one.substr(0, one.size() - 1) + one).value().size(), 3U);
    EXPECT_EQ(read_all("\n{\n \"cid\"\n:\n \"" + cid(1).to_string() + "\"\n}\n\n").value().size(),
              1U);
}

TEST(PinFile, pins_across_the_buffers_end) {
    auto pin = full_pin();
    pin.options.name = std::string(100'000, 'x');
    const auto pins = read_all(line(pin) + line(pin) + line(full_pin()));
    ASSERT_TRUE(pins) << pins.error().text;
    EXPECT_EQ(pins.value().size(), 3U);
    EXPECT_EQ(pins.value()[1], pin);
}

TEST(PinFile, errors_name_line_and_reason) {
    const auto good = line(pin_on(cid(1), {peer(1)}));
    const std::pair<std::string, const char*> bad[] = {
        {"[]", "must begin with {"},
        {"x", "must begin with {"},
        {"{", "ends in the middle"},
        {R"({"cid":")", "ends in the middle"},
        {"{}", "cid: is missing"},
        {"{]", "not valid JSON"},
        {R"({"cid":"nonsense"})", "cid"},
        {with(R"("mode":"sideways")"), "mode"},
        {with(R"("mode":"direct","max_depth":-1)"), "contradicts"},
        {with(R"("mode":"recursive","max_depth":0)"), "contradicts"},
        {with(R"("type":"bogus")"), "type"},
        {with(R"("type":"all")"), "type"},
        {with(R"("replication_factor_min":3,"replication_factor_max":2)"), "replication"},
        {with(R"("replication_factor_min":-2,"replication_factor_max":2)"), "replication"},
        {with(R"("replication_factor_min":"1")"), "replication_factor_min"},
        {with(R"("allocations":["nobody"])"), "allocations"},
        {with(R"("expire_at":"tomorrow")"), "expire_at"},
        {with(R"("origins":["x"])"), "origins"},
        {with(R"("metadata":[])"), "metadata"},
        {with("\"name\":\"" + std::string(kPinTextMax, 'x') + "\""), "too large"},
    };
    for (const auto& [text, reason] : bad) {
        const auto read = read_all(good + "\n" + text);
        ASSERT_FALSE(read) << text.substr(0, 80);
        EXPECT_EQ(read.error().kind, Kind::invalid);
        EXPECT_TRUE(read.error().text.starts_with("line 3: ")) << read.error().text;
        EXPECT_NE(read.error().text.find(reason), std::string::npos) << read.error().text;
    }
}

TEST(PinFile, rules_fill_in_and_override) {
    ImportRules rules;
    rules.default_replication_min = 2;
    rules.default_replication_max = 3;
    auto pins = read_all(with("") + line(pin_on(cid(1), {peer(1)})), rules);
    ASSERT_TRUE(pins) << pins.error().text;
    EXPECT_EQ(pins.value()[0].options.replication_min, 2);
    EXPECT_EQ(pins.value()[0].options.replication_max, 3);
    EXPECT_EQ(pins.value()[1].options.replication_max, 1) << "what a pin says stays";
    rules.replication_max = 5;
    rules.allocations = {peer(4)};
    pins = read_all(line(pin_on(cid(1), {peer(1)})), rules);
    EXPECT_EQ(pins.value()[0].options.replication_min, 1);
    EXPECT_EQ(pins.value()[0].options.replication_max, 5);
    EXPECT_EQ(pins.value()[0].allocations, std::vector<PeerId>{peer(4)});
    rules.replication_min = 6;
    EXPECT_FALSE(read_all(line(pin_on(cid(1), {peer(1)})), rules)) << "min over max";
}

}  // namespace
}  // namespace ipfscluster::service
