// Compiled as what is installed is, and not linked anywhere: there no bug can be planted.
#include "base/planted.hpp"

static_assert(!ipfscluster::planted(ipfscluster::Bug::none));
static_assert(!ipfscluster::planted(ipfscluster::Bug::reads_not_awaited));
