#pragma once
#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/try.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace ipfscluster {

/// The few kinds of failure that callers branch on. HTTP statuses and RPC errors map from these in
/// one place each; everything else a reader needs is in `Error::text`.
enum class Kind {
    internal,         ///< nothing more precise fits; the text says what happened
    invalid,          ///< the request or input is wrong; repeating it cannot help
    not_found,        ///< the named thing does not exist
    conflict,         ///< the state has moved on or forbids it; plan again
    retryable,        ///< nothing happened; the same request may work later
    unavailable,      ///< a peer, daemon or quorum cannot be reached; nothing happened
    timeout,          ///< a deadline passed; nothing is known to have happened
    unknown_outcome,  ///< it may still happen: neither success nor failure may be reported
    cancelled,        ///< the caller gave up
    shutting_down,    ///< the component is closing
    corrupt,          ///< stored or received bytes contradict their format
    disk_full,        ///< no room left (with the reserve taken into account)
    denied,           ///< authentication or authorisation refused it
    unsupported,      ///< this build does not do it
};

/// Lower case name of a kind, for logs ("not_found").
std::string_view to_string(Kind kind);

/// A failure: a kind to branch on and a text for people that keeps the original cause.
/// A plain value; any strand.
struct Error {
    Kind kind = Kind::internal;
    std::string text;

    /// The same failure seen from one level up: "`where`: text".
    [[nodiscard]] Error in(std::string_view where) const {
        return {kind, std::string(where) + ": " + text};
    }
    friend bool operator==(const Error&, const Error&) = default;
};

/// Value or Error. Reading the wrong one terminates the process: it is a bug, never an input.
template <class T = void>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

/// `return ok();` for `Result<>`.
inline auto ok() {
    return boost::outcome_v2::success();
}

/// `return fail(Kind::invalid, "…");` for any Result.
inline auto fail(Kind kind, std::string text) {
    return boost::outcome_v2::failure(Error{kind, std::move(text)});
}
/// Passes an error on unchanged: `return fail(r.error());`.
inline auto fail(Error error) {
    return boost::outcome_v2::failure(std::move(error));
}

}  // namespace ipfscluster

/// `ICL_TRY(auto x, expr)` or `ICL_TRY(expr)`: returns the error of `expr` to the caller.
#define ICL_TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
/// The same inside a coroutine: `ICL_CO_TRY(auto x, co_await expr)`.
#define ICL_CO_TRY(...) BOOST_OUTCOME_CO_TRY(__VA_ARGS__)
