#pragma once
#include "multi/multiaddr.hpp"

namespace ipfscluster {

/// Whether `rule` names `address`: the same address, or a mask of the form
/// /ip4/<network>/ipcidr/<bits> (or ip6) in whose network the address's IP lies. A mask of more
/// bits than the address has covers nothing. Pure.
bool covers(const Multiaddr& rule, const Multiaddr& address);

}  // namespace ipfscluster
