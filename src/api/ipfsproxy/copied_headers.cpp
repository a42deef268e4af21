#include "api/ipfsproxy/copied_headers.hpp"

#include "base/log.hpp"

namespace ipfscluster::ipfsproxy {

namespace {

constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin";

/// Lets the next one ask, however the one before ended.
struct Asking {
    bool& flag;
    Signal& signal;
    ~Asking() {
        flag = false;
        signal.notify_all();
    }
};

}  // namespace

CopiedHeaders::CopiedHeaders(World& world, Upstream& upstream, CopyOptions options)
    : world_(world),
      upstream_(upstream),
      options_(std::move(options)),
      answered_(world.executor()) {}

bool CopiedHeaders::fresh() const {
    if (!asked_) return false;
    return options_.ttl.count() == 0 || world_.steady_now() - asked_at_ < options_.ttl;
}

Async<> CopiedHeaders::refresh() {
    asking_ = true;
    const Asking guard{asking_, answered_};
    http::ClientRequest request;
    request.method = http::Method::post;
    request.target = options_.path;
    auto answer = co_await upstream_.ask(std::move(request), kCopyLimit);
    if (!answer && answer.error().kind == Kind::cancelled) co_return fail(answer.error());
    // A failure counts as an answer too: the daemon is not asked again with every request.
    asked_ = true;
    asked_at_ = world_.steady_now();
    if (!answer) {
        logger("ipfsproxy")
            ->warn("fields of the IPFS daemon could not be fetched path={} error=\"{}\"",
                   options_.path, answer.error().text);
        co_return ok();
    }
    fields_.clear();
    http::Headers said;
    copy_end_to_end(answer.value().headers, said);
    for (const std::string_view ours : {"Content-Type", "Trailer", "Server"}) said.remove(ours);
    const auto keep = [&](std::string_view name) {
        for (const auto value : said.all(name)) fields_.emplace_back(name, value);
    };
    keep("Access-Control-Expose-Headers");
    for (const auto& name : options_.extra) keep(name);
    co_return ok();
}

Async<> CopiedHeaders::add_to(http::Exchange& e) {
    while (!fresh()) {
        if (asking_) {
            ICL_CO_TRY(co_await answered_.wait());
            continue;
        }
        ICL_CO_TRY(co_await refresh());
    }
    for (const auto& [name, value] : fields_) e.headers.add(name, value);
    co_return ok();
}

Async<bool> CopiedHeaders::allow_origin(http::Exchange& e) {
    const auto origin = e.request.headers.get("Origin");
    http::ClientRequest request;
    request.method = http::Method::options;
    request.target = std::string(e.request.target.substr(0, e.request.target.find('?')));
    request.headers.add("Origin", origin);
    request.headers.add("Access-Control-Request-Method", http::method_name(e.request.method));
    auto answer = co_await upstream_.ask(std::move(request), kCopyLimit);
    if (!answer) {
        if (answer.error().kind == Kind::cancelled) co_return fail(answer.error());
        logger("ipfsproxy")
            ->warn("the IPFS daemon could not be asked about an origin error=\"{}\"",
                   answer.error().text);
        co_return false;
    }
    const auto& fields = answer.value().headers;
    for (const std::string_view name : {kAllowOrigin, std::string_view("Vary"),
                                        std::string_view("Access-Control-Allow-Credentials")})
        for (const auto value : fields.all(name)) e.headers.add(name, value);
    const auto allowed = fields.get(kAllowOrigin);
    co_return allowed == "*" || (!allowed.empty() && allowed == origin);
}

}  // namespace ipfscluster::ipfsproxy
