#include "state/session_window.hpp"

namespace ipfscluster::state {

bool SessionWindow::test(std::uint64_t sequence) const {
    const auto bit = sequence % kSessionWindow;
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
}

void SessionWindow::set(std::uint64_t sequence, bool on) {
    const auto bit = sequence % kSessionWindow;
    const auto mask = std::uint64_t{1} << (bit % 64);
    bits_[bit / 64] = on ? bits_[bit / 64] | mask : bits_[bit / 64] & ~mask;
}

bool SessionWindow::accept(std::uint64_t sequence) {
    if (sequence == 0) return false;
    if (sequence > highest_) {
        if (sequence - highest_ >= kSessionWindow)
            bits_.fill(0);
        else
            for (auto s = highest_ + 1; s < sequence; ++s) set(s, false);
        highest_ = sequence;
    } else if (highest_ - sequence >= kSessionWindow || test(sequence)) {
        return false;
    }
    set(sequence, true);
    return true;
}

Bytes SessionWindow::encode() const {
    Bytes out;
    put_be64(out, last_index);
    put_be64(out, highest_);
    for (const auto word : bits_) put_be64(out, word);
    return out;
}

Result<SessionWindow> SessionWindow::decode(BytesView bytes) {
    if (bytes.size() != 16 + kWords * 8) return fail(Kind::corrupt, "session row has a wrong size");
    SessionWindow window;
    window.last_index = get_be64(bytes);
    window.highest_ = get_be64(bytes.substr(8));
    for (std::size_t i = 0; i < kWords; ++i) window.bits_[i] = get_be64(bytes.substr(16 + i * 8));
    // Otherwise its last operation would be taken for a new one.
    if (window.highest_ != 0 && !window.test(window.highest_))
        return fail(Kind::corrupt, "session row lacks its highest number");
    return window;
}

}  // namespace ipfscluster::state
