#include "base/proto.hpp"

namespace ipfscluster {

Result<ProtoField> take_proto_field(BytesView& in) {
    ICL_TRY(const auto tag, take_uvarint(in));
    if (tag >> 3 == 0 || tag >> 3 > (std::uint64_t{1} << 29) - 1)
        return fail(Kind::corrupt, "protobuf: bad field number");
    ProtoField field;
    field.number = static_cast<std::uint32_t>(tag >> 3);
    field.type = static_cast<ProtoField::Type>(tag & 7);
    std::uint64_t size = 0;
    switch (field.type) {
        case ProtoField::Type::varint: {
            ICL_TRY(field.value, take_uvarint(in));
            return field;
        }
        case ProtoField::Type::fixed64:
            size = 8;
            break;
        case ProtoField::Type::fixed32:
            size = 4;
            break;
        case ProtoField::Type::bytes: {
            ICL_TRY(size, take_uvarint(in));
            break;
        }
        default:
            return fail(Kind::corrupt, "protobuf: unknown wire type");
    }
    if (size > in.size()) return fail(Kind::corrupt, "protobuf: a field is cut short");
    field.bytes = in.substr(0, size);
    in.remove_prefix(size);
    return field;
}

}  // namespace ipfscluster
