#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "runtime/async.hpp"

namespace ipfscluster::ipfs_rpc {

class Call;

enum class OptionType { flag, number, text };
/// What an option does here.
enum class OptionUse {
    served,   ///< has its effect
    client,   ///< only Kubo's command line acts on it; accepted
    moot,     ///< nothing here for it to act on; accepted
    refused,  ///< an error unless it is at its default
};

/// One option of a call, as in Kubo's RPC reference. A constant.
struct Option {
    std::string_view name;
    OptionType type = OptionType::flag;
    OptionUse use = OptionUse::served;
    std::string_view fallback = {};  ///< when it is absent; empty: false, 0 or no text
    char alias = 0;                  ///< its one-letter name
};

/// One argument of a call.
struct Argument {
    std::string_view name;
    bool required = true;
    bool several = false;
    bool file = false;    ///< the parts of a multipart body
    bool stdin_ = false;  ///< may also come as the lines of a multipart body
};

/// Answers one call: emits rows or bytes through it. An error becomes Kubo's error object, or the
/// trailer of a started answer.
using Handler = Async<> (*)(Call& call);

/// One call of the RPC API. A constant.
struct Route {
    std::string_view name;  ///< "pin/add"
    std::vector<Argument> arguments;
    std::vector<Option> options;
    Handler handler;
    std::string_view note = {};  ///< for docs/kubo-rpc.md: what differs
};

/// Options that every call takes.
std::span<const Option> common_options();
/// Every call that is answered.
const std::vector<Route>& routes();
/// Null when there is none.
const Route* find_route(std::string_view name);
/// Kubo's other calls: known, and refused by name.
std::span<const std::string_view> refused_calls();
/// The tables of docs/kubo-rpc.md.
std::string describe_routes();

}  // namespace ipfscluster::ipfs_rpc
