#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace ipfscluster::ctl {

/// Longest name or extended header a tar stream may carry.
inline constexpr std::size_t kTarTextMax = 1024 * 1024;

struct TarEntry {
    enum class Type { file, folder, link };
    Type type = Type::file;
    std::string path;
    std::string target;  ///< of a symbolic link
    std::uint64_t size = 0;
};

/// Receives what a tar stream holds, in order: `entry`, for files any number of `data`, then `end`.
class TarSink {
 public:
    virtual ~TarSink() = default;
    virtual Result<> entry(const TarEntry& entry) = 0;
    virtual Result<> data(BytesView piece) = 0;
    virtual Result<> end() = 0;
};

/// Reads a POSIX tar stream (ustar with pax and GNU long names) fed in pieces. Knows files,
/// directories and symbolic links; anything else is an error, as is a wrong checksum. Holds one
/// header. No I/O.
class TarReader {
 public:
    Result<> feed(BytesView piece, TarSink& sink);
    /// To be called after the last piece: `corrupt` unless the end mark was seen.
    Result<> finish() const;

 private:
    enum class State { header, data, text, padding, ended };
    Result<> take_header(TarSink& sink);
    Result<> start_entry(char type, std::uint64_t size, TarSink& sink);
    Result<> take_text(TarSink& sink);
    Result<> take_pax();
    void skip_padding(std::uint64_t size);

    State state_ = State::header;
    std::string block_;  ///< the header so far
    std::string text_;   ///< an extended header or long name so far
    char text_type_ = 0;
    std::uint64_t left_ = 0;  ///< bytes of data or text still to come
    std::uint64_t padding_ = 0;
    std::string long_path_, long_target_;  ///< for the next entry
    std::map<std::string, std::string, std::less<>> pax_;
};

}  // namespace ipfscluster::ctl
