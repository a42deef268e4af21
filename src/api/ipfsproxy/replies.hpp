#pragma once
#include <string>

#include "codec/json_writer.hpp"
#include "http/exchange.hpp"
#include "runtime/turn.hpp"

/// Answers in Kubo's form.
namespace ipfscluster::ipfsproxy {

using http::Exchange;

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kStreamError = "X-Stream-Error";

/// `{"Message":…,"Code":…,"Type":"error"}`; the code is Kubo's 1 for a request it cannot read
/// (400), else 0.
std::string failure_body(int status, std::string_view message);
Async<> send_failure(Exchange& e, int status, std::string message);
/// 500, as Kubo for everything that is not a missing argument. A cancelled request is not answered.
Async<> send_failure(Exchange& e, Error error);
/// One document and a line end.
Async<> send_json(Exchange& e, std::string body);

/// Begins a list of documents, one per line, whose late failure stands in the trailer.
void start_rows(Exchange& e);
/// Ends it. A cancelled list is cut.
Async<> end_rows(Exchange& e, Result<> done);

}  // namespace ipfscluster::ipfsproxy
