#include "rpc/frame.hpp"

#include <array>

#include "codec/wire_fields.hpp"

namespace ipfscluster::rpc {
namespace {

/// The text by which the Go programs say that a CID is not pinned.
constexpr std::string_view kNotPinnedText = "is not part of the pinset";

constexpr std::array kKinds{Kind::internal,      Kind::invalid,         Kind::not_found,
                            Kind::conflict,      Kind::retryable,       Kind::unavailable,
                            Kind::timeout,       Kind::unknown_outcome, Kind::cancelled,
                            Kind::shutting_down, Kind::corrupt,         Kind::disk_full,
                            Kind::denied,        Kind::unsupported};

Kind kind_of(const Response& response) {
    for (const Kind kind : kKinds) {
        if (response.kind != to_string(kind)) continue;
        // Not *our* caller gave up: the other side stopped in the middle.
        return kind == Kind::cancelled ? Kind::unknown_outcome : kind;
    }
    const auto contains = [&](std::string_view part) {
        return response.error.find(part) != std::string::npos;
    };
    switch (response.type) {
        case ErrorType::authorization:
            return Kind::denied;
        case ErrorType::server:
            return contains("can't find") ? Kind::unsupported : Kind::invalid;
        default:
            return contains(kNotPinnedText) ? Kind::not_found : Kind::internal;
    }
}

}  // namespace

// Not in the unnamed namespace: the codec finds them by the types of their arguments.
void describe(auto& v, codec::Of<ServiceId> auto& id) {
    v({"", "Name"}, id.service);
    v({"", "Method"}, id.method);
}
void describe(auto& v, codec::Of<Response> auto& r) {
    v({"", "Service"}, r.id);
    v({"", "Error"}, r.error);
    v({"", "ErrType"}, r.type);
    v({"", "Kind"}, r.kind);
}
void encode(codec::Writer& out, ErrorType value) {
    out.signed_int(static_cast<std::int64_t>(value));
}
Result<> decode(codec::Reader& in, ErrorType& value) {
    std::int64_t type = 0;
    ICL_TRY(codec::decode(in, type));
    value = type >= 0 && type <= 3 ? static_cast<ErrorType>(type) : ErrorType::method;
    return ok();
}

void encode(codec::Writer& out, const ServiceId& value) {
    codec::put_struct(out, value);
}

Result<> decode(codec::Reader& in, ServiceId& value) {
    value = {};
    ICL_TRY(codec::take_struct(in, value));
    if (value.service.size() + value.method.size() > kNameBytesMax)
        return fail(in.error("a service name that is too long"));
    return ok();
}

void encode(codec::Writer& out, const Response& value) {
    codec::put_struct(out, value);
}

Result<> decode(codec::Reader& in, Response& value) {
    value = {};
    return codec::take_struct(in, value);
}

Response to_response(ServiceId id, ErrorType type, const Error& error) {
    Response response{std::move(id), error.text, type, {}};
    if (response.error.empty()) response.error = to_string(error.kind);
    const bool told = type == ErrorType::method || error.kind == Kind::retryable;
    if (told && error.kind != Kind::internal) response.kind = to_string(error.kind);
    return response;
}

Error to_error(const Response& response) {
    return {kind_of(response), response.error};
}

Bytes failure_bytes(const ServiceId& id, ErrorType type, const Error& error) {
    Bytes out;
    codec::Writer writer(out);
    encode(writer, to_response(id, type, error));
    writer.nil();
    return out;
}

void append_success(Bytes& out, const ServiceId& id) {
    codec::Writer writer(out);
    encode(writer, Response{id, {}, ErrorType::method, {}});
}

}  // namespace ipfscluster::rpc
