#pragma once
#include <string>

#include "codec/wire.hpp"

/// The envelope of calls between peers, as go-libp2p-gorpc writes it (docs/rpc.md).
namespace ipfscluster::rpc {

/// Longest service and method name together, and the largest envelope we read.
inline constexpr std::size_t kNameBytesMax = 256;
inline constexpr std::size_t kHeadBytesMax = 64 * 1024;

/// What is called: `{"Name": …, "Method": …}`.
struct ServiceId {
    std::string service;
    std::string method;
    /// "Cluster.ID"
    std::string name() const { return service + "." + method; }
    bool empty() const { return service.empty(); }
    friend bool operator==(const ServiceId&, const ServiceId&) = default;
};

/// Whose failure an error is (gorpc's numbers).
enum class ErrorType : std::int64_t { method = 0, server = 1, client = 2, authorization = 3 };

/// Goes before each reply and each item.
struct Response {
    ServiceId id;
    std::string error;  ///< empty: no error
    ErrorType type = ErrorType::method;
    /// Name of our error kind; only our peers write and read it, others pass over it.
    std::string kind;
};

void encode(codec::Writer& out, const ServiceId& value);
void encode(codec::Writer& out, const Response& value);
Result<> decode(codec::Reader& in, ServiceId& value);
Result<> decode(codec::Reader& in, Response& value);

/// A failure as its response. Its text is never empty, an empty one would read as success.
Response to_response(ServiceId id, ErrorType type, const Error& error);
/// The failure a response tells. Without a kind it is found from the type and, for the answers that
/// matter, the text.
Error to_error(const Response& response);

/// Response and body of a failure, ready to send.
Bytes failure_bytes(const ServiceId& id, ErrorType type, const Error& error);
/// Appends the response that goes before a reply or item.
void append_success(Bytes& out, const ServiceId& id);

}  // namespace ipfscluster::rpc
