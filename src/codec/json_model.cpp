#include "codec/json_reader.hpp"
#include "codec/model_fields.hpp"

namespace ipfscluster::codec {
namespace {

class JsonPut : public JsonObject {
 public:
    static constexpr bool kJson = true;
    static constexpr bool kReads = false;
    using JsonObject::JsonObject;

    template <class T>
    void operator()(const FieldName& name, const T& value) {
        const bool omits = std::same_as<T, PeerId> || (name.rules & kJsonOmits) != 0;
        if (!omits || !is_zero(value)) put(name.json, value);
    }
};

class JsonTake : public JsonFields {
 public:
    static constexpr bool kJson = true;
    static constexpr bool kReads = true;
    using JsonFields::JsonFields;

    template <class T>
    void operator()(const FieldName& name, T& value) {
        take(name.json, value);
    }
};

}  // namespace

template <JsonStruct T>
void append_json(std::string& out, const T& value) {
    JsonPut fields(out);
    describe(fields, value);
}

void append_global(std::string& out, const PinInfo& value) {
    JsonPut fields(out);
    fields.put("cid", value.cid);
    fields.put("name", value.name);
    describe_item(fields, value);
    JsonObject map(fields.key("peer_map"));
    map.put(value.peer.to_string(), value.info);
}

template <JsonStruct T>
Result<> from_json(const json::value& in, T& value) {
    JsonTake fields(in);
    describe(fields, value);
    if constexpr (std::same_as<T, Pin>) {
        if (fields.find("max_depth") == nullptr && value.options.mode == PinMode::direct)
            value.max_depth = kDepthDirect;
    }
    return fields.result();
}

#define ICL_JSON_STRUCT(T)                             \
    template void append_json(std::string&, const T&); \
    template Result<> from_json(const json::value&, T&);

ICL_JSON_STRUCT(JsonError)
ICL_JSON_STRUCT(Version)
ICL_JSON_STRUCT(PeerAddBody)
ICL_JSON_STRUCT(PinOptions)
ICL_JSON_STRUCT(Pin)
ICL_JSON_STRUCT(PinInfoShort)
ICL_JSON_STRUCT(PinInfo)
ICL_JSON_STRUCT(GlobalPinInfo)
ICL_JSON_STRUCT(IpfsId)
ICL_JSON_STRUCT(PeerInfo)
ICL_JSON_STRUCT(Metric)
ICL_JSON_STRUCT(Alert)
ICL_JSON_STRUCT(ConnectGraph)
ICL_JSON_STRUCT(RepoStat)
ICL_JSON_STRUCT(RepoGcKey)
ICL_JSON_STRUCT(RepoGc)
ICL_JSON_STRUCT(GlobalRepoGc)
ICL_JSON_STRUCT(AddedOutput)
ICL_JSON_STRUCT(StuckItem)
ICL_JSON_STRUCT(DrainReport)
ICL_JSON_STRUCT(Bandwidth)
#undef ICL_JSON_STRUCT

}  // namespace ipfscluster::codec
