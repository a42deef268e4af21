#include "codec/model_fields.hpp"
#include "codec/wire_fields.hpp"

namespace ipfscluster::codec {

template <WireStruct T>
void encode(Writer& out, const T& value) {
    put_struct(out, value);
}

template <WireStruct T>
Result<> decode(Reader& in, T& value) {
    value = {};
    if constexpr (std::same_as<T, Pin>) {
        value.type = PinType::bad;
        value.max_depth = kDepthDirect;  // 0, which a sender leaves out
    }
    return take_struct(in, value);
}

#define ICL_WIRE_STRUCT(T)                   \
    template void encode(Writer&, const T&); \
    template Result<> decode(Reader&, T&);

ICL_WIRE_STRUCT(Version)
ICL_WIRE_STRUCT(Pin)
ICL_WIRE_STRUCT(PinInfo)
ICL_WIRE_STRUCT(IpfsId)
ICL_WIRE_STRUCT(PeerInfo)
ICL_WIRE_STRUCT(Metric)
ICL_WIRE_STRUCT(NodeWithMeta)
ICL_WIRE_STRUCT(RepoStat)
ICL_WIRE_STRUCT(RepoGcKey)
ICL_WIRE_STRUCT(RepoGc)
ICL_WIRE_STRUCT(HeldHere)
#undef ICL_WIRE_STRUCT

}  // namespace ipfscluster::codec
