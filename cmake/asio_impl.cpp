// The one translation unit that holds the compiled half of Asio (BOOST_ASIO_SEPARATE_COMPILATION); every module links it
// because the precompiled header includes Asio.
#include <boost/asio/impl/src.hpp>
