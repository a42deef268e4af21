#include "http/tar_format.hpp"

#include <algorithm>
#include <cstring>

namespace ipfscluster::http {

namespace {

constexpr std::size_t kNameMax = 100;
constexpr std::uint64_t kOctalSizeMax = 077777777777ULL;

void put(std::string& block, std::size_t at, std::size_t width, std::string_view text) {
    text.copy(block.data() + at, width);  // unlike memcpy it takes an empty text without bytes
}

void put_octal(std::string& block, std::size_t at, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3)
        block[at + i] = static_cast<char>('0' + (value & 7));
}

std::string ustar_block(char type, std::string_view name, std::uint64_t size,
                        std::string_view target, unsigned mode) {
    std::string block(kTarBlock, '\0');
    put(block, 0, kNameMax, name);
    put_octal(block, 100, 8, mode);
    put_octal(block, 108, 8, 0);
    put_octal(block, 116, 8, 0);
    put_octal(block, 124, 12, std::min(size, kOctalSizeMax));
    put_octal(block, 136, 12, 0);
    block[156] = type;
    put(block, 157, kNameMax, target);
    put(block, 257, 8, std::string_view("ustar\00000", 8));
    put(block, 148, 8, "        ");
    std::uint64_t sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    put_octal(block, 148, 7, sum);
    return block;
}

/// "<length> <key>=<value>\n", the length counting itself.
std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length)
        length = std::to_string(length).size() + rest;
    return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string tar_header(TarType type, std::string_view path, std::uint64_t size,
                       std::string_view link_target) {
    // A directory's name has no slash at its end: Kubo's clients refuse an archive whose root has
    // one.
    const std::string name(path);
    std::string records;
    if (name.size() > kNameMax || !is_ascii(name)) records += pax_record("path", name);
    if (link_target.size() > kNameMax || !is_ascii(link_target))
        records += pax_record("linkpath", link_target);
    if (size > kOctalSizeMax) records += pax_record("size", std::to_string(size));
    std::string out;
    if (!records.empty())
        out = ustar_block('x', "PaxHeaders/entry", records.size(), {}, 0644) + records +
              tar_padding(records.size());
    const unsigned mode = type == TarType::directory ? 0755
                          : type == TarType::symlink ? 0777
                                                     : 0644;
    return out + ustar_block(static_cast<char>(type), name, size, link_target, mode);
}

std::string tar_padding(std::uint64_t size) {
    return std::string((kTarBlock - size % kTarBlock) % kTarBlock, '\0');
}

std::string tar_end() {
    return std::string(2 * kTarBlock, '\0');
}

std::string tar_damage(std::string_view reason) {
    std::string block = "ERROR: " + std::string(reason.substr(0, 400));
    block.resize(kTarBlock, '!');
    return block;
}

}  // namespace ipfscluster::http
