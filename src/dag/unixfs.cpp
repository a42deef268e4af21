#include "dag/unixfs.hpp"

#include <string>

#include "base/proto.hpp"

namespace ipfscluster::dag {
namespace {

enum FieldNumber : std::uint32_t {
    kType = 1,
    kData = 2,
    kFileSize = 3,
    kBlockSizes = 4,
    kHashType = 5,
    kFanout = 6,
};

Error malformed(const std::string& what) {
    return {Kind::corrupt, "UnixFS: " + what};
}

Result<> take_block_sizes(const ProtoField& field, std::vector<std::uint64_t>& out) {
    if (field.type == ProtoField::Type::varint) {
        out.push_back(field.value);
        return ok();
    }
    if (field.type != ProtoField::Type::bytes) return fail(malformed("block size of a wrong type"));
    auto packed = field.bytes;
    while (!packed.empty()) {
        ICL_TRY(auto size, take_uvarint(packed));
        out.push_back(size);
    }
    return ok();
}

Result<> take_number(const ProtoField& field, UnixfsData& node, bool& has_type) {
    if (field.type != ProtoField::Type::varint) return fail(malformed("number of a wrong type"));
    switch (field.number) {
        case kType:
            if (field.value > static_cast<std::uint64_t>(UnixfsType::hamt_shard))
                return fail(malformed("unknown node type " + std::to_string(field.value)));
            node.type = static_cast<UnixfsType>(field.value);
            has_type = true;
            break;
        case kFileSize:
            node.file_size = field.value;
            break;
        case kHashType:
            node.hash_type = field.value;
            break;
        default:
            node.fanout = field.value;
            break;
    }
    return ok();
}

}  // namespace

std::string_view to_string(UnixfsType type) {
    switch (type) {
        case UnixfsType::raw:
            return "raw";
        case UnixfsType::directory:
            return "directory";
        case UnixfsType::file:
            return "file";
        case UnixfsType::metadata:
            return "metadata";
        case UnixfsType::symlink:
            return "symlink";
        case UnixfsType::hamt_shard:
            return "hamt-shard";
    }
    return "unknown";
}

Bytes encode_unixfs(const UnixfsData& node) {
    Bytes out;
    out.reserve(32 + (node.data ? node.data->size() : 0) + node.block_sizes.size() * 6);
    put_proto_varint(out, kType, static_cast<std::uint64_t>(node.type));
    if (node.data) {
        put_proto_head(out, kData, node.data->size());
        out += *node.data;
    }
    if (node.file_size) put_proto_varint(out, kFileSize, *node.file_size);
    for (const auto size : node.block_sizes) put_proto_varint(out, kBlockSizes, size);
    if (node.hash_type) put_proto_varint(out, kHashType, *node.hash_type);
    if (node.fanout) put_proto_varint(out, kFanout, *node.fanout);
    return out;
}

Bytes encode_unixfs_leaf(UnixfsType type, BytesView content) {
    const auto size = content.size();
    const auto content_field = size == 0 ? 0 : 1 + varint_size(size) + size;
    const auto message = 2 + content_field + 1 + varint_size(size);
    Bytes out;
    out.reserve(message + 8);
    put_proto_head(out, 1, message);
    put_proto_varint(out, kType, static_cast<std::uint64_t>(type));
    if (size != 0) {
        put_proto_head(out, kData, size);
        out += content;
    }
    put_proto_varint(out, kFileSize, size);
    return out;
}

Result<UnixfsData> decode_unixfs(BytesView data) {
    UnixfsData node;
    bool has_type = false;
    while (!data.empty()) {
        ICL_TRY(auto field, take_proto_field(data));
        switch (field.number) {
            case kData:
                if (field.type != ProtoField::Type::bytes)
                    return fail(malformed("Data of a wrong type"));
                node.data.emplace(field.bytes);
                break;
            case kBlockSizes: {
                ICL_TRY(take_block_sizes(field, node.block_sizes));
                break;
            }
            case kType:
            case kFileSize:
            case kHashType:
            case kFanout: {
                ICL_TRY(take_number(field, node, has_type));
                break;
            }
            default:
                break;
        }
    }
    if (!has_type) return fail(malformed("no node type"));
    return node;
}

}  // namespace ipfscluster::dag
