// Each endpoint's status, body and trailers (reference/http 3), over a fake peer.
#include "base/encoding.hpp"
#include "unit/api_rest/rest_fixture.hpp"

namespace ipfscluster::rest {
namespace {

using http::Method;

class Rest : public RestFixture {};

std::size_t count_lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_F(Rest, what_the_peer_is) {
    start();
    EXPECT_EQ(get("/version").body, "{\"version\":\"1.1.6\"}\n");
    auto id = get("/id");
    EXPECT_EQ(id.status, 200);
    EXPECT_EQ(id.headers.get("Content-Type"), "application/json");
    EXPECT_NE(id.body.find("\"id\":\"" + cluster.us.to_string() + "\""), std::string::npos);
    auto health = get("/health");
    EXPECT_EQ(health.status, 204);
    EXPECT_EQ(health.headers.get("Content-Type"), "application/json");
    cluster.hindered = "it waits";
    health = get("/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_EQ(health.body, "{\"code\":503,\"message\":\"it waits\"}\n");
    EXPECT_EQ(get("/health/alerts").body, "[]\n");
    EXPECT_EQ(get("/monitor/metrics").body, "[\"freespace\",\"ping\"]\n");
    EXPECT_EQ(get("/monitor/metrics/ping").body, "[]\n");
    EXPECT_EQ(cluster.calls.back(), "metrics ping");
    EXPECT_NE(get("/health/graph").body.find("\"cluster_id\""), std::string::npos);
    EXPECT_EQ(get("/health/bandwidth").body,
              "{\"/x/1\":{\"total_in\":10,\"total_out\":20,\"rate_in\":0,\"rate_out\":0}}\n");
}

TEST_F(Rest, errors_are_objects_with_their_code) {
    start();
    cluster.call_error = Error{Kind::unavailable, "no \"quorum\""};
    auto answer = get("/id");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "{\"code\":500,\"message\":\"no \\\"quorum\\\"\"}\n");
    EXPECT_EQ(get("/nowhere").body, "{\"code\":404,\"message\":\"not found\"}\n");
}

TEST_F(Rest, lists_are_rows_with_an_empty_trailer) {
    start();
    auto empty = get("/allocations");
    EXPECT_EQ(empty.status, 204);
    EXPECT_EQ(empty.headers.get("Trailer"), "X-Stream-Error");
    for (int i = 0; i < 1000; ++i) hold("pin" + std::to_string(i));
    for (const auto* list : {"/allocations", "/pins", "/pins?local=true"}) {
        auto answer = get(list);
        EXPECT_EQ(answer.status, 200) << list;
        EXPECT_EQ(count_lines(answer.body), 1000u) << list;
        EXPECT_EQ(answer.trailers.all("X-Stream-Error"), (std::vector<std::string_view>{""}))
            << list;
    }
}

TEST_F(Rest, lists_that_fail_say_so_before_or_behind_their_rows) {
    start();
    cluster.list_error = Error{Kind::unavailable, "disk on fire"};
    auto early = get("/allocations");
    EXPECT_EQ(early.status, 500);
    EXPECT_NE(early.body.find("disk on fire"), std::string::npos);
    hold("one");
    auto late = get("/allocations");
    EXPECT_EQ(late.status, 200);
    EXPECT_EQ(count_lines(late.body), 1u);
    EXPECT_EQ(late.trailers.all("X-Stream-Error"),
              (std::vector<std::string_view>{"", "disk on fire"}));
    cluster.members.clear();
    EXPECT_EQ(get("/peers").status, 500);
}

TEST_F(Rest, allocations_are_filtered_by_type) {
    start();
    hold("plain");
    hold("meta", PinType::meta);
    hold("shard", PinType::shard);
    EXPECT_EQ(count_lines(get("/allocations?filter=all").body), 3u);
    EXPECT_EQ(count_lines(get("/allocations?filter=pin,nonsense").body), 1u);
    EXPECT_EQ(count_lines(get("/allocations?filter=pin,shard-pin").body), 2u);
    auto bad = get("/allocations?filter=nonsense");
    EXPECT_EQ(bad.status, 400);
    EXPECT_NE(bad.body.find("filter"), std::string::npos);
}

TEST_F(Rest, one_allocation) {
    start();
    hold("a");
    const auto cid = test_cid("a").to_string();
    auto found = get("/allocations/" + cid);
    EXPECT_EQ(found.status, 200);
    EXPECT_NE(found.body.find("\"pin_update\":null"), std::string::npos);
    EXPECT_NE(found.body.find("\"cid\":\"" + cid + "\""), std::string::npos);
    auto absent = get("/allocations/" + test_cid("b").to_string());
    EXPECT_EQ(absent.status, 404);
    EXPECT_EQ(absent.body, "{\"code\":404,\"message\":\"pin is not part of the pinset\"}\n");
    EXPECT_EQ(get("/allocations/nonsense").status, 400);
}

TEST_F(Rest, a_pin_carries_its_options) {
    start();
    const auto cid = test_cid("x").to_string();
    auto answer =
        post("/pins/" + cid + "?name=a+b&replication-min=1&replication-max=2&meta-k=v&mode=direct");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(cluster.last_options.name, "a b");
    EXPECT_EQ(cluster.last_options.replication_min, 1);
    EXPECT_EQ(cluster.last_options.replication_max, 2);
    EXPECT_EQ(cluster.last_options.metadata.at("k"), "v");
    // Direct in both forms (reference/http Q2).
    EXPECT_EQ(cluster.last_pin.max_depth, kDepthDirect);
    EXPECT_NE(answer.body.find("\"mode\":\"direct\""), std::string::npos);
    EXPECT_NE(answer.body.find("\"max_depth\":0"), std::string::npos);
}

TEST_F(Rest, bad_pins_change_nothing) {
    start();
    const auto cid = test_cid("x").to_string();
    struct Row {
        std::string target, field;
    };
    const Row rows[] = {{"/pins/nonsense", "Cid"},
                        {"/pins/" + cid + "?replication-min=x", "replication-min"},
                        {"/pins/" + cid + "?replication=1e3", "replication"},
                        {"/pins/" + cid + "?shard-size=-1", "shard-size"},
                        {"/pins/" + cid + "?expire-at=tomorrow", "expire-at"},
                        {"/pins/" + cid + "?expire-in=5ms", "expire-in"},
                        {"/pins/" + cid + "?pin-update=x", "pin-update"},
                        {"/pins/" + cid + "?mode=sideways", "mode"},
                        {"/pins/ipfs/" + cid + "?mode=sideways", "mode"},
                        {"/pins/" + cid + "?user-allocations=nobody", "user-allocations"},
                        {"/pins/" + cid + "?origins=/ip4/1.2.3.4/tcp/1", "origins"},
                        {"/pins/" + cid + "?name=%zz", "query"},
                        {"/pins/ipfs/nonsense/a", "Cid"},
                        {"/pins/ipld/nonsense", "Cid"},
                        {"/pins/ipfs/" + cid + "?replication-max=x", "replication-max"},
                        {"/pins/ipfs/recover", "Cid"}};
    for (const auto& row : rows) {
        auto answer = post(row.target);
        EXPECT_EQ(answer.status, 400) << row.target;
        EXPECT_EQ(count_lines(answer.body), 1u) << row.target;
        EXPECT_NE(answer.body.find(row.field), std::string::npos)
            << row.target << " " << answer.body;
    }
    EXPECT_TRUE(cluster.calls.empty());
    EXPECT_TRUE(cluster.pinset.empty());
}

TEST_F(Rest, pins_by_path) {
    start();
    const auto cid = test_cid("x").to_string();
    EXPECT_EQ(post("/pins/ipfs/" + cid + "/a%20b/c?mode=direct&name=&replication-min=0").status,
              200);
    EXPECT_EQ(cluster.calls.back(), "pin_path /ipfs/" + cid + "/a b/c");
    EXPECT_EQ(cluster.last_options.mode, PinMode::direct);
    EXPECT_EQ(post("/pins/ipns/example.org/x").status, 200);
    EXPECT_EQ(cluster.calls.back(), "pin_path /ipns/example.org/x");
    EXPECT_EQ(del("/pins/ipfs/" + cid).status, 404);
    EXPECT_EQ(cluster.calls.back(), "unpin_path /ipfs/" + cid);
    EXPECT_EQ(post("/pins/" + cid + "/").status, 307);
}

TEST_F(Rest, unpin_gives_the_pin_as_it_was) {
    start();
    hold("a");
    const auto cid = test_cid("a").to_string();
    auto gone = del("/pins/" + cid);
    EXPECT_EQ(gone.status, 200);
    EXPECT_NE(gone.body.find("\"name\":\"a\""), std::string::npos);
    EXPECT_EQ(del("/pins/" + cid).status, 404);
    EXPECT_EQ(del("/pins/nonsense").status, 400);
}

TEST_F(Rest, status_of_one_and_of_few) {
    start();
    hold("a");
    const auto a = test_cid("a").to_string(), b = test_cid("b").to_string();
    EXPECT_NE(get("/pins/" + a).body.find("\"status\":\"pinned\""), std::string::npos);
    // An unknown pin is no error.
    auto unknown = get("/pins/" + b + "?local=true");
    EXPECT_EQ(unknown.status, 200);
    EXPECT_NE(unknown.body.find("\"peer_map\":{\"" + cluster.us.to_string()), std::string::npos);
    EXPECT_EQ(count_lines(get("/pins?local=false&filter=&cids=" + a + "," + b).body), 2u);
    EXPECT_EQ(get("/pins?cids=" + a + ",x").status, 400);
    cluster.call_error = Error{Kind::unavailable, "gone"};
    EXPECT_EQ(get("/pins?cids=" + a + "," + b).status, 500);
    EXPECT_EQ(get("/pins/x").status, 400);
}

TEST_F(Rest, status_lists_take_a_filter) {
    start();
    hold("a");
    EXPECT_EQ(get("/pins?filter=pinned,%20error").status, 200);
    EXPECT_EQ(cluster.last_filter, 16u | 14u);
    EXPECT_EQ(get("/pins?filter=nonsense").status, 400);
    EXPECT_EQ(get("/pins?local=false&filter=&cids=").status, 200);
    EXPECT_EQ(cluster.last_filter, 0u);
}

TEST_F(Rest, sync_answers_as_the_first_versions_did) {
    start();
    hold("a");
    hold("b");
    const auto a = test_cid("a").to_string(), us = cluster.us.to_string();
    const auto row = "\"peer_map\":{\"" + us + "\":{\"cid\":\"" + a + "\",\"peer\":\"" + us +
                     "\",\"peername\":\"fake\"";
    for (const auto* local : {"", "?local=true"}) {
        auto one = post("/pins/" + a + "/sync" + local);
        EXPECT_EQ(one.status, 200);
        EXPECT_NE(one.body.find(row), std::string::npos) << one.body;
        EXPECT_EQ(post("/pins/" + test_cid("x").to_string() + "/sync" + local).status, 404);
        auto all = post(std::string("/pins/sync") + local);
        EXPECT_EQ(all.status, 200);
        EXPECT_TRUE(all.body.starts_with("[{") && all.body.ends_with("}]\n")) << all.body;
        EXPECT_NE(all.body.find("},{\"cid\":"), std::string::npos) << all.body;
        EXPECT_NE(all.body.find(row), std::string::npos) << all.body;
    }
    EXPECT_EQ(cluster.calls.back(), "sync_all_local");
    EXPECT_EQ(count_lines(post("/pins/sync?stream-channels=true&local=false").body), 2u);
    EXPECT_EQ(cluster.calls.back(), "sync_all");
    EXPECT_EQ(post("/pins/x/sync").status, 400);
    cluster.pinset.clear();
    EXPECT_EQ(post("/pins/sync").body, "[]\n");
    EXPECT_EQ(post("/pins/sync?stream-channels=true").status, 204);
    cluster.list_error = cluster.call_error = Error{Kind::unavailable, "the IPFS daemon is away"};
    for (const auto* target : {"/pins/sync", "/pins/sync?local=true"}) {
        auto failed = post(target);
        EXPECT_EQ(failed.status, 500);
        EXPECT_NE(failed.body.find("the IPFS daemon is away"), std::string::npos) << failed.body;
    }
    EXPECT_EQ(post("/pins/" + a + "/sync").status, 500);
}

TEST_F(Rest, recover) {
    start();
    const auto cid = test_cid("a").to_string();
    EXPECT_EQ(post("/pins/" + cid + "/recover").status, 200);
    EXPECT_EQ(post("/pins/" + cid + "/recover?local=true").status, 404);
    EXPECT_EQ(post("/pins/recover").status, 204);
    EXPECT_EQ(cluster.calls.back(), "recover_all");
    EXPECT_EQ(post("/pins/recover?local=true").status, 204);
    EXPECT_EQ(cluster.calls.back(), "recover_all_local");
    EXPECT_EQ(post("/pins/x/recover").status, 400);
}

TEST_F(Rest, members_are_added_and_removed) {
    start();
    const auto peer = ed25519_from_seed(std::string(32, 'b')).id.to_string();
    EXPECT_EQ(post("/peers", "{\"peer_id\":\"" + peer + "\"}").status, 200);
    EXPECT_EQ(cluster.calls.back(), "peer_add " + peer);
    for (const auto* bad : {"", "{", "[]", "{\"peer_id\":\"x\"}", "{\"peer_id\":3}", "{}"})
        EXPECT_EQ(post("/peers", bad).status, 400) << bad;
    EXPECT_EQ(post("/peers", std::string(20000, ' ')).status, 413);
    EXPECT_EQ(cluster.calls.size(), 1u);
    EXPECT_EQ(del("/peers/" + peer).status, 204);
    EXPECT_EQ(del("/peers/nobody").status, 400);
    cluster.call_error = Error{Kind::conflict, "it holds the last copy of 3 pins"};
    EXPECT_EQ(del("/peers/" + peer).status, 409);
    cluster.call_error.reset();
    EXPECT_EQ(del("/peers/" + peer + "?force=true").status, 204);
    EXPECT_EQ(cluster.calls.back(), "peer_remove " + peer + " force");
}

TEST_F(Rest, a_removal_that_takes_its_time_is_accepted_without_a_body) {
    start();
    const auto peer = ed25519_from_seed(std::string(32, 'b')).id.to_string();
    cluster.removal = component::Removal::leaving;
    const auto answer = del("/peers/" + peer);
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body, "");
}

TEST_F(Rest, members_are_told_apart) {
    start();
    const auto id = ed25519_from_seed(std::string(32, 'b')).id;
    const auto peer = id.to_string();
    DrainReport report;
    report.peer = id;
    report.kind = "draining";
    report.since = parse_rfc3339("2026-01-31T12:00:00Z").value();
    report.alive = true;
    report.pins = 3;
    report.everywhere = 5;
    report.blocked = 1;
    report.stuck.push_back({test_cid("a"), "no room"});
    cluster.reports = {report};
    const auto drained = post("/peers/" + peer + "/drain");
    EXPECT_EQ(drained.status, 200);
    EXPECT_EQ(
        drained.body,
        "{\"id\":\"" + peer +
            "\",\"kind\":\"draining\",\"since\":\"2026-01-31T12:00:00Z\",\"everything\":false,"
            "\"alive\":true,\"left\":3,\"pins\":3,\"kept\":null,\"everywhere\":5,\"moved\":null,"
            "\"bytes\":null,\"blocked\":1,\"waiting\":0,\"stuck\":[{\"cid\":\"" +
            test_cid("a").to_string() + "\",\"reason\":\"no room\"}]}\n");
    EXPECT_EQ(cluster.calls.back(), "peer_cordon " + peer + " 2");
    EXPECT_EQ(post("/peers/" + peer + "/cordon?dry-run=true").status, 200);
    EXPECT_EQ(cluster.calls.back(), "peer_cordon " + peer + " 1 dry");
    EXPECT_EQ(post("/peers/" + peer + "/cordon?everything=true").status, 200);
    EXPECT_EQ(cluster.calls.back(), "peer_cordon " + peer + " 1 everything");
    EXPECT_EQ(post("/peers/" + peer + "/uncordon").status, 200);
    EXPECT_EQ(cluster.calls.back(), "peer_cordon " + peer + " 0");
    EXPECT_EQ(get("/peers/" + peer + "/drain").status, 200);
    EXPECT_EQ(cluster.calls.back(), "peer_drain " + peer);
    EXPECT_EQ(post("/peers/x/drain").status, 400);
    EXPECT_EQ(get("/peers/x/drain").status, 400);
    for (const auto& [kind, status] :
         {std::pair(Kind::not_found, 404), std::pair(Kind::conflict, 409),
          std::pair(Kind::unsupported, 501), std::pair(Kind::unavailable, 500)}) {
        cluster.call_error = Error{kind, "no"};
        EXPECT_EQ(post("/peers/" + peer + "/drain").status, status);
        EXPECT_EQ(get("/peers/" + peer + "/drain").status, status);
    }
}

TEST_F(Rest, garbage_collection_of_one_or_all) {
    start();
    EXPECT_NE(post("/ipfs/gc").body.find("\"peername\":\"fake\""), std::string::npos);
    auto local = post("/ipfs/gc?local=true");
    EXPECT_NE(local.body.find("{\"peer_map\":{\"" + cluster.us.to_string()), std::string::npos);
    EXPECT_NE(local.body.find("\"peername\":\"local\""), std::string::npos);
}

TEST_F(Rest, tokens_are_given_to_known_users_only) {
    start();
    EXPECT_EQ(post("/token").status, 401);
}

TEST_F(Rest, a_token_opens_what_the_password_opens) {
    config::RestConfig config(9094);
    config.basic_auth_credentials = {{"alice", "s3cret"}};
    start(config);
    EXPECT_EQ(post("/token").status, 401);
    EXPECT_EQ(get("/health").status, 204);
    auto token =
        ask(Method::post, "/token", {{"Authorization", "Basic " + base64_encode("alice:s3cret")}});
    EXPECT_EQ(token.status, 200);
    const std::string text = token.body.substr(10, token.body.find('"', 10) - 10);
    EXPECT_EQ(ask(Method::get, "/id", {{"Authorization", "Bearer " + text}}).status, 200);
    EXPECT_EQ(get("/id").status, 401);
}

TEST_F(Rest, the_head_limit_is_that_of_the_configuration) {
    start();
    EXPECT_EQ(get("/pins?x=" + std::string(7000, 'y')).status, 204);
    EXPECT_EQ(get("/pins?x=" + std::string(9000, 'y')).status, 431);
}

}  // namespace
}  // namespace ipfscluster::rest
