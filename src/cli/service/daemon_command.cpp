#include "cli/service/daemon_command.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "base/log.hpp"
#include "cli/service/data_rotation.hpp"
#include "cli/service/peer.hpp"
#include "cli/service/peer_consensus.hpp"
#include "cli/service/supervisor.hpp"
#include "config/config.hpp"
#include "config/file_io.hpp"
#include "config/foreign_data.hpp"
#include "config/identity.hpp"
#include "config/lock_file.hpp"
#include "config/peerstore.hpp"
#include "config/remembered.hpp"
#include "runtime/asio_world.hpp"
#include "runtime/task_group.hpp"

namespace ipfscluster::service {

namespace {

/// Runs the peer on the io thread and keeps what it came to.
class Daemon {
 public:
    Daemon(config::Config config, KeyPair identity, StartWish wish, bool leave)
        : io_(1),
          world_(io_),
          leave_(leave || config.cluster.leave_on_shutdown),
          data_(consensus_data(config, identity.id)),
          config_(std::move(config)),
          identity_(std::move(identity)),
          wish_(std::move(wish)),
          signals_(io_, SIGINT, SIGTERM, SIGHUP),
          stop_(io_.get_executor()) {}

    Result<> run() {
        listen_for_signals();
        asio::co_spawn(io_, life(), asio::detached);
        io_.run();
        world_.join();
        return result_;
    }

 private:
    void listen_for_signals() {
        signals_.async_wait([this](boost::system::error_code ec, int number) {
            if (ec) return;
            ++signal_count_;
            if (signal_count_ == 1) {
                logger("service")->info("shutting down signal={}", number);
                stop_.notify_all();
            } else if (signal_count_ == 2) {
                std::cerr << "Shutdown is taking long: what still runs is cut now. Another signal "
                             "ends this process at once."
                          << std::endl;
                if (peer_) peer_->hurry();
            } else {
                std::cerr << "killed" << std::flush;
                std::_Exit(1);
            }
            listen_for_signals();
        });
    }

    asio::awaitable<void> watch_end() {
        auto why = co_await peer_->wait_ended();
        if (why.kind == Kind::cancelled) co_return;
        end_reason_ = why;
        stop_.notify_all();
    }

    asio::awaitable<void> life() {
        TaskGroup tasks(world_, "daemon");
        tasks.spawn(serve());
        auto stopped = co_await tasks.drain();
        (void)stopped;
        signals_.cancel();
    }

    asio::awaitable<void> serve() {
        bool again = true;
        while (again) {
            peer_ = std::make_unique<Peer>(world_, config_, identity_, wish_);
            again = co_await serve_one_life();
        }
    }

    /// True when the peer is to come back at once as a new one.
    asio::awaitable<bool> serve_one_life() {
        auto started = co_await peer_->start();
        TaskGroup watch(world_, "watch");
        if (started) {
            watch.spawn(watch_end());
            while (signal_count_ == 0 && !end_reason_) {
                auto woken = co_await stop_.wait();
                if (!woken) break;
            }
        }
        auto unwatched = co_await watch.stop();
        auto stopped = co_await peer_->stop(leave_ && started && !end_reason_);
        if (peer_->membership_ended() && stopped)
            put_data_aside("no member any more, --bootstrap joins anew");
        if (peer_->comes_back_anew() && stopped && signal_count_ == 0) {
            logger("service")->warn("{}", started.error().text);
            // What ended with the peer has its turn; its database must not be open when it moves.
            auto turn = co_await world_.sleep_for(Duration::zero());
            static_cast<void>(turn);
            peer_.reset();
            if (put_data_aside("the peer joins anew")) co_return true;
        }
        if (!started)
            result_ = fail(started.error());
        else if (end_reason_ && end_reason_->kind == Kind::conflict)
            // Removed by the others: what was asked for, so no failure for whoever supervises us.
            logger("service")->warn("shut down: {}", end_reason_->text);
        else if (end_reason_ && end_reason_->kind != Kind::shutting_down)
            result_ = fail(*end_reason_);
        else if (!stopped)
            result_ = fail(stopped.error());
        else if (!unwatched)
            result_ = fail(unwatched.error());
        co_return false;
    }

    /// A peer that left or was removed can join again as somebody new; what it agreed on with the
    /// others stays readable.
    bool put_data_aside(const char* then) {
        const auto& folder = data_->folder();
        auto moved = rotate_data(folder, data_->kept_aside());
        if (moved)
            logger("service")->info("pinset and consensus data lie in {}.old.0; {}", folder, then);
        else
            logger("service")->error(
                "consensus data must be cleaned before this peer joins again error=\"{}\"",
                moved.error().text);
        return moved.has_value();
    }

    asio::io_context io_;
    AsioWorld world_;
    bool leave_;
    std::unique_ptr<component::ConsensusData> data_;
    config::Config config_;
    KeyPair identity_;
    StartWish wish_;
    std::unique_ptr<Peer> peer_;
    asio::signal_set signals_;
    Signal stop_;
    int signal_count_ = 0;
    std::optional<Error> end_reason_;
    Result<> result_ = ok();
};

}  // namespace

Result<> run_daemon(const Flags& flags, const config::Environment& env) {
    logger("service")->info(
        "Initializing. For verbose output run with \"-l debug\". Please wait...");
    StartWish wish;
    wish.found_alone = flags.found_alone;
    for (const auto& text : flags.bootstrap) {
        auto address = Multiaddr::parse(text);
        if (!address) return fail(address.error().in("--bootstrap \"" + text + "\""));
        if (!address.value().peer_id())
            return fail(Kind::invalid, "--bootstrap \"" + text + "\" has no /p2p/<peer id>");
        wish.bootstrap.push_back(std::move(address.value()));
    }
    for (const auto& flag : flags.not_served)
        logger("service")->warn("{} has no effect: this build does not serve it", flag);
    ICL_TRY(auto lock, config::LockFile::acquire(flags.folder));
    ICL_TRY(config::check_no_foreign_data(flags.folder, env));
    config::Warnings warnings;
    ICL_TRY(auto config, config::load_config(flags.folder, env, warnings));
    for (const auto& text : warnings) logger("config")->warn("{}", text);
    if (const auto log = logger("config"); log->should_log(spdlog::level::debug))
        log->debug("loaded configuration={}", config::display_json(config));
    config::Warnings notices;
    ICL_TRY(auto identity, config::load_or_extract_identity(flags.folder, env, notices));
    for (const auto& text : notices) std::cerr << "NOTICE: " << text << std::endl;
    if (!config.old_peers.empty() && !config::file_exists(config.peerstore_path())) {
        ICL_TRY(config::save_peerstore(config.peerstore_path(), config.old_peers));
    }
    // For its first cluster only: whoever was removed comes back by the operator's word.
    const auto remembered = config::load_remembered(config.remembered_path());
    if (wish.bootstrap.empty() && !wish.found_alone && remembered &&
        remembered.value().members.empty())
        wish.bootstrap = config.old_bootstrap;
    if (wish.found_alone) {
        ICL_TRY(check_founds_alone(config, identity.id));
    }
    logger("service")->debug("open files limit={}", raise_file_limit());
    Daemon daemon(std::move(config), std::move(identity), std::move(wish), flags.leave);
    return daemon.run();
}

}  // namespace ipfscluster::service
