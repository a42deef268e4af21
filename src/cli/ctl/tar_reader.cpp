#include "cli/ctl/tar_reader.hpp"

#include <algorithm>
#include <charconv>

namespace ipfscluster::ctl {
namespace {

constexpr std::size_t kBlock = 512;

auto corrupt(const char* what) {
    return fail(Kind::corrupt, std::string("tar: ") + what);
}

/// A text field ends at its first zero byte.
std::string text_field(BytesView block, std::size_t at, std::size_t size) {
    const BytesView field = block.substr(at, size);
    return std::string(field.substr(0, field.find('\0')));
}

/// Octal digits, or GNU's binary form for large numbers.
Result<std::uint64_t> number_field(BytesView block, std::size_t at, std::size_t size) {
    BytesView field = block.substr(at, size);
    if (static_cast<unsigned char>(field[0]) == 0x80) {
        std::uint64_t value = 0;
        for (const char c : field.substr(1)) {
            if (value >> 55 != 0) return corrupt("a number is too large");
            value = value << 8 | static_cast<unsigned char>(c);
        }
        return value;
    }
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    field = field.substr(0, field.find_first_of(BytesView("\0 ", 2)));
    if (field.empty()) return 0;
    std::uint64_t value = 0;
    const char* const end = field.data() + field.size();
    const auto [rest, error] = std::from_chars(field.data(), end, value, 8);
    if (error != std::errc{} || rest != end) return corrupt("a number is not octal");
    return value;
}

/// The sum of all bytes, those of the checksum itself counted as blanks.
bool checksum_holds(BytesView block) {
    constexpr std::size_t at = 148;
    constexpr std::size_t size = 8;
    const auto wanted = number_field(block, at, size);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < block.size(); ++i)
        sum += i >= at && i < at + size ? ' ' : static_cast<unsigned char>(block[i]);
    return wanted && wanted.value() == sum;
}

bool is_text_type(char type) {
    return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

}  // namespace

Result<> TarReader::feed(BytesView piece, TarSink& sink) {
    while (!piece.empty() && state_ != State::ended) {
        std::size_t used = 0;
        if (state_ == State::header) {
            used = std::min(piece.size(), kBlock - block_.size());
            block_.append(piece.substr(0, used));
            if (block_.size() == kBlock) {
                ICL_TRY(take_header(sink));
            }
        } else if (state_ == State::padding) {
            used = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), padding_));
            padding_ -= used;
            if (padding_ == 0) state_ = State::header;
        } else {
            used = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left_));
            left_ -= used;
            if (state_ == State::data) {
                ICL_TRY(sink.data(piece.substr(0, used)));
            } else {
                text_.append(piece.substr(0, used));
            }
            if (left_ == 0) {
                ICL_TRY(state_ == State::data ? sink.end() : take_text(sink));
                state_ = padding_ == 0 ? State::header : State::padding;
            }
        }
        piece.remove_prefix(used);
    }
    return ok();
}

Result<> TarReader::finish() const {
    if (state_ != State::ended) return corrupt("the stream is cut off");
    return ok();
}

void TarReader::skip_padding(std::uint64_t size) {
    padding_ = (kBlock - size % kBlock) % kBlock;
}

Result<> TarReader::take_header(TarSink& sink) {
    const std::string block = std::exchange(block_, {});
    if (block.find_first_not_of('\0') == std::string::npos) {
        state_ = State::ended;
        return ok();
    }
    if (!checksum_holds(block)) return corrupt("a header's checksum is wrong");
    ICL_TRY(auto size, number_field(block, 124, 12));
    const char type = block[156];
    if (is_text_type(type)) {
        if (size > kTarTextMax) return corrupt("an extended header is too long");
        text_.clear();
        text_type_ = type;
        left_ = size;
        skip_padding(size);
        state_ = State::text;
        return size == 0 ? take_text(sink) : ok();
    }
    if (long_path_.empty()) {
        long_path_ = text_field(block, 0, 100);
        const std::string prefix = text_field(block, 345, 155);
        if (block.substr(257, 5) == "ustar" && block[262] == '\0' && !prefix.empty())
            long_path_ = prefix + "/" + long_path_;
    }
    if (long_target_.empty()) long_target_ = text_field(block, 157, 100);
    return start_entry(type, size, sink);
}

Result<> TarReader::start_entry(char type, std::uint64_t size, TarSink& sink) {
    TarEntry entry;
    entry.path = std::exchange(long_path_, {});
    entry.target = std::exchange(long_target_, {});
    if (const auto it = pax_.find("path"); it != pax_.end()) entry.path = it->second;
    if (const auto it = pax_.find("linkpath"); it != pax_.end()) entry.target = it->second;
    if (const auto it = pax_.find("size"); it != pax_.end()) {
        const char* const end = it->second.data() + it->second.size();
        const auto [rest, error] = std::from_chars(it->second.data(), end, size);
        if (error != std::errc{} || rest != end) return corrupt("a pax size is no number");
    }
    pax_.clear();
    if (type == '0' || type == '\0' || type == '7')
        entry.type = entry.path.ends_with('/') ? TarEntry::Type::folder : TarEntry::Type::file;
    else if (type == '5')
        entry.type = TarEntry::Type::folder;
    else if (type == '2')
        entry.type = TarEntry::Type::link;
    else
        return corrupt("an entry is neither file, directory nor symbolic link");
    if (entry.type != TarEntry::Type::file && size != 0)
        return corrupt("a directory or link has content");
    entry.size = size;
    ICL_TRY(sink.entry(entry));
    left_ = size;
    skip_padding(size);
    state_ = size == 0 ? State::header : State::data;
    return size == 0 ? sink.end() : ok();
}

Result<> TarReader::take_text(TarSink&) {
    if (text_type_ == 'x') {
        ICL_TRY(take_pax());
    }
    // GNU's long names end with a zero byte.
    if (text_type_ == 'L') long_path_ = text_.substr(0, text_.find('\0'));
    if (text_type_ == 'K') long_target_ = text_.substr(0, text_.find('\0'));
    text_.clear();
    state_ = padding_ == 0 ? State::header : State::padding;
    return ok();
}

/// Records "<length> <key>=<value>\n", the length counting the whole record.
Result<> TarReader::take_pax() {
    BytesView rest = text_;
    while (!rest.empty()) {
        std::size_t length = 0;
        const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
        const auto digits = static_cast<std::size_t>(after - rest.data());
        if (error != std::errc{} || length > rest.size() || length < digits + 3 ||
            rest[digits] != ' ' || rest[length - 1] != '\n')
            return corrupt("a pax header is damaged");
        const BytesView record = rest.substr(digits + 1, length - digits - 2);
        const std::size_t equals = record.find('=');
        if (equals == BytesView::npos) return corrupt("a pax header is damaged");
        pax_[std::string(record.substr(0, equals))] = record.substr(equals + 1);
        rest.remove_prefix(length);
    }
    return ok();
}

}  // namespace ipfscluster::ctl
