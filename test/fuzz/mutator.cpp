#include "mutator.hpp"

#include <array>

namespace ipfscluster::fuzz {

namespace {
/// Inputs do not grow beyond this by mutation alone.
constexpr std::size_t kInputBytesMax = 256 * 1024;
constexpr std::array<std::uint64_t, 14> kNumbers = {0,
                                                    1,
                                                    0x7f,
                                                    0x80,
                                                    0xff,
                                                    0x7fff,
                                                    0xffff,
                                                    0x7fffffff,
                                                    0x80000000,
                                                    0xffffffff,
                                                    0x7fffffffffffffff,
                                                    0x8000000000000000,
                                                    0xfffffffffffffffe,
                                                    0xffffffffffffffff};
}  // namespace

Bytes Mutator::operator()(const std::vector<Bytes>& corpus) {
    Bytes text = corpus.empty() ? Bytes() : corpus[below(corpus.size())];
    for (std::size_t left = 1 + below(below(3) == 0 ? 12 : 3); left > 0; --left)
        change(text, corpus);
    if (text.size() > kInputBytesMax) text.resize(kInputBytesMax);
    return text;
}

void Mutator::change(Bytes& text, const std::vector<Bytes>& corpus) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t span = 1 + below(below(4) == 0 ? 4096 : 8);
    switch (below(10)) {
        case 0:
            if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
            break;
        case 1:
            if (at < text.size()) text[at] = static_cast<char>(random_());
            break;
        case 2:
            text.insert(at, 1 + below(4), static_cast<char>(random_()));
            break;
        case 3:
            text.erase(at, span);
            break;
        case 4:
            text.insert(at, text.substr(below(text.size() + 1), span));
            break;
        case 5:
            if (below(4) == 0) text.resize(at);
            break;
        case 6: {
            const Bytes& other = corpus.empty() ? text : corpus[below(corpus.size())];
            const Bytes piece = other.substr(below(other.size() + 1), span);
            if (below(2) == 0)
                text.insert(at, piece);
            else
                text.replace(at, piece.size(), piece);
            break;
        }
        case 7:
            put_number(text);
            break;
        case 8:  // a digit or a sign: borders of numbers in texts
            text.insert(at, 1 + below(3), "0123456789-+.eE%:/=,;\"\\{}[]"[below(28)]);
            break;
        default: {
            // A digit becomes another, so that lengths in texts lie.
            const auto digit = text.find_first_of("0123456789", at);
            if (digit != Bytes::npos) text[digit] = static_cast<char>('0' + below(10));
        }
    }
}

void Mutator::put_number(Bytes& text) {
    const std::size_t width = std::size_t{1} << below(4);
    const std::uint64_t number = kNumbers[below(kNumbers.size())];
    const bool big_endian = below(2) == 0;
    if (text.size() < width) return;
    const std::size_t at = below(text.size() - width + 1);
    for (std::size_t i = 0; i < width; ++i) {
        const std::size_t shift = 8 * (big_endian ? width - 1 - i : i);
        text[at + i] = static_cast<char>(number >> shift);
    }
}

}  // namespace ipfscluster::fuzz
