#pragma once
#include <fmt/format.h>

#include <string>

namespace ipfscluster::ctl {

/// One entry of a tar stream, built by hand.
inline std::string tar_entry(const std::string& name, char type, const std::string& content,
                             const std::string& target = "", const std::string& prefix = "") {
    std::string block(512, '\0');
    block.replace(0, name.size(), name);
    block.replace(100, 8, std::string("0000644\0", 8));
    block.replace(124, 12, fmt::format("{:011o}", content.size()) + '\0');
    block[156] = type;
    block.replace(157, target.size(), target);
    block.replace(257, 8,
                  std::string("ustar\0"
                              "00",
                              8));
    block.replace(345, prefix.size(), prefix);
    block.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    block.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    std::string out = block + content;
    out.append((512 - content.size() % 512) % 512, '\0');
    return out;
}

inline std::string tar_end() {
    return std::string(1024, '\0');
}

/// A pax record with its own length in front.
inline std::string pax_record(const std::string& key, const std::string& value) {
    const std::string body = " " + key + "=" + value + "\n";
    std::size_t length = body.size() + 1;
    while (std::to_string(length).size() + body.size() != length) ++length;
    return std::to_string(length) + body;
}

}  // namespace ipfscluster::ctl
