#include "net/bridge_host.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "bridge_fixture.hpp"

namespace ipfscluster::net {
namespace {

constexpr int kCrossings = 200;

asio::awaitable<void> count_answer(Host* host, PeerId to, Bytes question, int* good, int* ended) {
    auto answer = co_await ask(host, to, question);
    if (answer && answer.value() == question) ++*good;
    ++*ended;
}

Async<> publish_until(World* world, Host* host, const int* heard) {
    while (*heard == 0) {
        auto sent = co_await host->publish("t", "hello");
        if (!sent) co_return fail(sent.error());
        auto slept = co_await world->sleep_for(20ms);
        if (!slept) co_return fail(slept.error());
    }
    co_return ok();
}

/// A fresh RSA-2048 key in libp2p's PrivateKey form (type 0, PKCS#1 DER).
Bytes rsa_key() {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
    unsigned char* der = nullptr;
    const int size = i2d_PrivateKey(key.get(), &der);
    Bytes out("\x08\x00\x12", 3);
    out.push_back(static_cast<char>((size & 0x7f) | 0x80));
    out.push_back(static_cast<char>(size >> 7));
    out.append(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

Async<> find_until(World* world, Host* host, PeerId wanted) {
    while (true) {
        auto found = co_await host->find_peer(wanted, kLimit);
        if (found) co_return ok();
        if (found.error().kind != Kind::not_found) co_return fail(found.error());
        auto slept = co_await world->sleep_for(20ms);
        if (!slept) co_return fail(slept.error());
    }
}

asio::awaitable<void> keep_connect(Host* from, Host* to, std::optional<Result<void>>* out) {
    auto addresses = to->addresses();
    auto result = co_await from->connect(to->id(), std::move(addresses), kLimit);
    out->emplace(std::move(result));
}

struct BridgeHostTest : BridgeFixture {};

TEST_F(BridgeHostTest, listens_on_the_port_it_was_given) {
    auto& a = host();
    ASSERT_EQ(a.addresses().size(), 1u);
    EXPECT_EQ(a.addresses().front().peer_id(), a.id());
    EXPECT_NE(a.addresses().front().value_of("tcp"), "0");
}

TEST_F(BridgeHostTest, a_stream_connects_first_and_carries_bytes_both_ways) {
    auto& a = host(Bytes(32, 's'));
    auto& b = host(Bytes(32, 's'));
    serve(b);
    a.add_addresses(b.id(), b.addresses());
    // The echo reads on only while its answers are taken, so the question must fit both windows.
    Bytes question(200 * 1024 + 3, '\0');
    for (std::size_t i = 0; i < question.size(); ++i) question[i] = static_cast<char>(i * 31 >> 3);
    auto answer = run<Bytes>(ask(&a, b.id(), question));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_TRUE(answer.value() == question);
    EXPECT_TRUE(a.connected(b.id()));
    EXPECT_EQ(a.bandwidth()[kEcho].bytes_out, question.size());
    EXPECT_EQ(a.bandwidth()[kEcho].bytes_in, question.size());
}

TEST_F(BridgeHostTest, many_streams_at_once_all_answer) {
    auto& a = host();
    auto& b = host();
    serve(b);
    ASSERT_TRUE(connect(a, b));
    constexpr int kStreams = 1500;  // more than may be open at a time
    int good = 0, ended = 0;
    for (int i = 0; i < kStreams; ++i)
        tasks.spawn(count_answer(&a, b.id(), "question " + std::to_string(i), &good, &ended));
    EXPECT_TRUE(until([&] { return ended == kStreams; }));
    EXPECT_EQ(good, kStreams);
    EXPECT_EQ(b.streams_refused(), 0u);
}

TEST_F(BridgeHostTest, another_secret_is_denied) {
    auto& a = host(Bytes(32, 'a'));
    auto& b = host(Bytes(32, 'b'));
    auto denied = connect(a, b);
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().kind, Kind::denied) << denied.error().text;
    EXPECT_NE(denied.error().text.find("probably a wrong cluster secret"), std::string::npos);
}

TEST_F(BridgeHostTest, bad_options_are_named) {
    BridgeHostOptions options;
    options.private_key = "no key";
    auto bad = run<std::unique_ptr<BridgeHost>>(BridgeHost::start(world, options));
    EXPECT_EQ(bad.error().kind, Kind::invalid);
    EXPECT_NE(bad.error().text.find("private_key"), std::string::npos) << bad.error().text;
    options.private_key = generate_ed25519().private_key;
    options.secret = "short";
    auto short_secret = run<std::unique_ptr<BridgeHost>>(BridgeHost::start(world, options));
    EXPECT_NE(short_secret.error().text.find("secret"), std::string::npos)
        << short_secret.error().text;
    options.secret.clear();
    options.listen = {Multiaddr::parse("/ip4/127.0.0.1/udp/0/quic").value()};
    auto no_address = run<std::unique_ptr<BridgeHost>>(BridgeHost::start(world, options));
    EXPECT_EQ(no_address.error().kind, Kind::unavailable);
}

TEST_F(BridgeHostTest, unknown_protocols_and_peers_are_told_apart) {
    auto& a = host();
    auto& b = host();
    ASSERT_TRUE(connect(a, b));
    auto unspoken = run<StreamPtr>(a.open(b.id(), {kEcho}, kLimit));
    EXPECT_EQ(unspoken.error().kind, Kind::unsupported) << unspoken.error().text;
    auto unknown = run<StreamPtr>(a.open(generate_ed25519().id, {kEcho}, kLimit));
    EXPECT_EQ(unknown.error().kind, Kind::unavailable) << unknown.error().text;
}

TEST_F(BridgeHostTest, connections_are_told_to_listeners) {
    auto& a = host();
    auto& b = host();
    std::vector<bool> seen;
    auto listening = b.on_connection([&](ConnectionEvent event) {
        EXPECT_EQ(event.peer, a.id());
        seen.push_back(event.connected);
    });
    ASSERT_TRUE(connect(a, b));
    EXPECT_TRUE(until([&] { return seen.size() == 1; }));
    a.disconnect(b.id());
    EXPECT_TRUE(until([&] { return seen.size() == 2; }));
    EXPECT_EQ(seen, (std::vector{true, false}));
    EXPECT_TRUE(until([&] { return !a.connected(b.id()); }));
    listening.reset();
    ASSERT_TRUE(connect(a, b));
    EXPECT_TRUE(until([&] { return b.connected(a.id()); }));
    EXPECT_EQ(seen.size(), 2u);
}

/// Both dial from the ports they listen on, so that one TCP connection may come of two dials.
TEST_F(BridgeHostTest, peers_that_dial_each_other_at_one_moment_are_connected) {
    const Bytes secret(32, 's');
    auto& a = host(secret);
    auto& b = host(secret);
    for (int round = 0; round < kCrossings; ++round) {
        std::optional<Result<void>> there, back;
        asio::co_spawn(io, keep_connect(&a, &b, &there), asio::detached);
        asio::co_spawn(io, keep_connect(&b, &a, &back), asio::detached);
        ASSERT_TRUE(until([&] { return there && back; }));
        ASSERT_TRUE(*there) << "round " << round << ": " << there->error().text;
        ASSERT_TRUE(*back) << "round " << round << ": " << back->error().text;
        // The other's connection may come to be after ours was closed.
        ASSERT_TRUE(until([&] {
            if (a.connected(b.id())) a.disconnect(b.id());
            return !a.connected(b.id()) && !b.connected(a.id());
        }));
    }
}

TEST_F(BridgeHostTest, a_cancelled_read_resets_the_stream) {
    auto& a = host();
    auto& b = host();
    StreamPtr far;
    b.handle(kEcho, [&far](StreamPtr stream) { far = std::move(stream); });
    ASSERT_TRUE(connect(a, b));
    auto near = run<StreamPtr>(a.open(b.id(), {kEcho}, kLimit));
    ASSERT_TRUE(near) << near.error().text;
    ASSERT_TRUE(until([&far] { return far != nullptr; }));
    auto timed = run<Bytes>(with_deadline<Bytes>(world, 50ms, "reading", near.value()->read()));
    EXPECT_EQ(timed.error().kind, Kind::timeout);
    EXPECT_EQ(run<Bytes>(far->read()).error().kind, Kind::unavailable);
    EXPECT_EQ(run<Bytes>(near.value()->read()).error().kind, Kind::unavailable);
}

TEST_F(BridgeHostTest, a_reset_after_our_half_close_is_no_clean_end) {
    auto& a = host();
    auto& b = host();
    StreamPtr far;
    b.handle(kEcho, [&far](StreamPtr stream) { far = std::move(stream); });
    ASSERT_TRUE(connect(a, b));
    auto near = run<StreamPtr>(a.open(b.id(), {kEcho}, kLimit));
    ASSERT_TRUE(near) << near.error().text;
    EXPECT_TRUE(run<void>(near.value()->close_write()));
    ASSERT_TRUE(until([&far] { return far != nullptr; }));
    EXPECT_EQ(run<Bytes>(far->read()).value(), "");
    EXPECT_TRUE(run<void>(far->write("half of the answer")));
    EXPECT_EQ(run<Bytes>(near.value()->read()).value(), "half of the answer");
    far.reset();
    EXPECT_EQ(run<Bytes>(near.value()->read()).error().kind, Kind::unavailable);
}

TEST_F(BridgeHostTest, an_rsa_identity_connects) {
    auto& a = host(Bytes(32, 's'), rsa_key());
    auto& b = host(Bytes(32, 's'));
    EXPECT_EQ(a.id().bytes().substr(0, 2), "\x12\x20");
    serve(b);
    ASSERT_TRUE(connect(a, b));
    auto answer = run<Bytes>(ask(&a, b.id(), "rsa"));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value(), "rsa");
}

TEST_F(BridgeHostTest, gossip_is_delivered_with_its_author) {
    auto& a = host();
    auto& b = host();
    int heard = 0;
    b.subscribe("t", [&](TopicMessage message) {
        EXPECT_EQ(message.from, a.id());
        EXPECT_EQ(message.data, "hello");
        ++heard;
    });
    EXPECT_TRUE(run<void>(a.publish("t", "nobody listens")));
    ASSERT_TRUE(connect(a, b));
    auto published = run<void>(publish_until(&world, &a, &heard));
    EXPECT_TRUE(published) << published.error().text;
    EXPECT_EQ(run<void>(a.publish("t", Bytes(2 << 20, 'x'))).error().kind, Kind::invalid);
}

TEST_F(BridgeHostTest, a_rejected_message_is_not_delivered) {
    auto& a = host();
    auto& b = host();
    int heard = 0, judged = 0;
    b.subscribe("t", [&](TopicMessage) { ++heard; });
    b.set_topic_validator("t", [&](const TopicMessage&) {
        ++judged;
        return false;
    });
    ASSERT_TRUE(connect(a, b));
    EXPECT_TRUE(run<void>(publish_until(&world, &a, &judged)));
    EXPECT_EQ(heard, 0);
}

TEST_F(BridgeHostTest, a_peer_is_found_through_another_and_reached) {
    auto& a = host();
    auto& b = host();
    auto& c = host();
    serve(c);
    ASSERT_TRUE(connect(c, b));
    ASSERT_TRUE(connect(a, b));
    // The others have to learn of each other first, in their own time.
    auto found = run<void>(find_until(&world, &a, c.id()));
    ASSERT_TRUE(found) << found.error().text;
    auto answer = run<Bytes>(ask(&a, c.id(), "by id"));
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer.value(), "by id");
}

TEST_F(BridgeHostTest, closing_fails_what_waits_and_what_comes) {
    auto& a = host();
    auto& b = host();
    StreamPtr far;
    b.handle(kEcho, [&far](StreamPtr stream) { far = std::move(stream); });
    ASSERT_TRUE(connect(a, b));
    auto near = run<StreamPtr>(a.open(b.id(), {kEcho}, kLimit));
    ASSERT_TRUE(near);
    std::optional<Result<Bytes>> reading;
    asio::co_spawn(io, keep<Bytes>(near.value()->read(), reading), asio::detached);
    EXPECT_TRUE(run<void>(a.close()));
    ASSERT_TRUE(until([&] { return reading.has_value(); }));
    EXPECT_EQ(reading->error().kind, Kind::unavailable);
    EXPECT_EQ(connect(a, b).error().kind, Kind::shutting_down);
    EXPECT_TRUE(until([&] { return !b.connected(a.id()); }));
    EXPECT_TRUE(run<void>(a.close()));
}

}  // namespace
}  // namespace ipfscluster::net
