#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dag/block.hpp"

namespace ipfscluster::dag {

/// Values one decoded block may have, so that a block of tiny items cannot fill the memory.
inline constexpr std::size_t kIpldItemsMax = 250'000;
/// Lists and maps inside each other.
inline constexpr std::size_t kIpldDepthMax = 128;

/// One value of the IPLD data model (https://ipld.io/docs/data-model/). A plain value.
struct IpldNode {
    enum class Kind : std::uint8_t {
        null,
        boolean,
        integer,
        floating,
        text,
        bytes,
        link,
        list,
        map,
    };
    Kind kind = Kind::null;
    bool boolean = false;
    bool negative = false;        ///< of an integer
    std::uint64_t magnitude = 0;  ///< the integer, or −1 − it when negative
    double floating = 0;
    Bytes text;                     ///< of text and bytes; the binary CID of a link
    std::vector<IpldNode> items;    ///< of a list; the values of a map
    std::vector<std::string> keys;  ///< of a map, one per item

    /// The value of a map's key or at a list's index (decimal); null when there is none.
    const IpldNode* find(std::string_view segment) const;
    /// Of a link.
    Cid cid() const;

    static IpldNode make_text(std::string text);
    static IpldNode make_bytes(Bytes bytes);
    static IpldNode make_link(const Cid& cid);
    static IpldNode make_integer(std::uint64_t value);

    friend bool operator==(const IpldNode&, const IpldNode&) = default;
};

/// Decodes a block of codec raw, dag-pb, dag-cbor or dag-json. `corrupt` for malformed bytes,
/// `unsupported` for another codec or a block beyond the bounds above.
Result<IpldNode> decode_ipld(std::uint64_t codec, BytesView block);

/// Canonical bytes of a value: map keys sorted (dag-cbor: shorter first, dag-json: bytewise), the
/// links of dag-pb by name. `invalid` when the codec cannot express it, `unsupported` for another
/// codec.
Result<Bytes> encode_ipld(std::uint64_t codec, const IpldNode& node);

/// The parts of the two above, one per codec.
Result<IpldNode> decode_dag_cbor(BytesView block);
Bytes encode_dag_cbor(const IpldNode& node);
Result<IpldNode> decode_dag_json(BytesView block);
Result<Bytes> encode_dag_json(const IpldNode& node);

/// Appends every link of a value, in order.
void collect_links(const IpldNode& node, std::vector<Cid>& out);

}  // namespace ipfscluster::dag
