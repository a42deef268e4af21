// Memory for simulations in one thread: a third of their time went into the C library's, for frames
// of coroutines above all. Blocks of up to 8 KiB are kept in a list for each size and never given
// back; larger ones come from the C library. Linked into programs that run millions of simulated
// events; not with sanitizers, which have their own.
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t bytes);  // NOLINT
void __libc_free(void* block);           // NOLINT
}

namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kSizes = 128;
/// What is taken from the C library at once, for blocks of one size.
constexpr std::size_t kSlab = 64 * 1024;

/// Stands before each block.
struct alignas(16) Head {
    void* large;       ///< what the C library gave; null: the block belongs to a list
    std::size_t room;  ///< bytes behind this
};
struct Free {
    Free* next;
};
// Each thread has its own lists; a block goes to those of the thread that frees it.
constinit thread_local std::array<Free*, kSizes + 1> lists{};

std::size_t list_of(std::size_t bytes) {
    return (bytes + sizeof(Head) + kStep - 1) / kStep;
}
Head* head_of(void* block) {
    return static_cast<Head*>(block) - 1;
}

void* fill(std::size_t list) {
    const auto size = list * kStep;
    auto* slab = static_cast<std::byte*>(__libc_malloc(kSlab));
    if (slab == nullptr) return nullptr;
    for (std::size_t at = 0; at + size <= kSlab; at += size) {
        auto* head = reinterpret_cast<Head*>(slab + at);
        *head = {nullptr, size - sizeof(Head)};
        auto* block = reinterpret_cast<Free*>(head + 1);
        block->next = lists[list];
        lists[list] = block;
    }
    return slab;
}

void* large(std::size_t alignment, std::size_t bytes) {
    if (bytes > SIZE_MAX - alignment - sizeof(Head)) return nullptr;
    auto* raw = static_cast<std::byte*>(__libc_malloc(bytes + alignment + sizeof(Head)));
    if (raw == nullptr) return nullptr;
    const auto first = reinterpret_cast<std::uintptr_t>(raw) + sizeof(Head);
    const auto gap = (alignment - first % alignment) % alignment;
    auto* block = raw + sizeof(Head) + gap;
    *head_of(block) = {raw, bytes};
    return block;
}

// Not `malloc` itself: what is called so the compiler may take for the library's.
void* take(std::size_t bytes) {
    const auto list = bytes > kSizes * kStep ? kSizes + 1 : list_of(bytes);
    if (list > kSizes) return large(alignof(Head), bytes);
    if (lists[list] == nullptr && fill(list) == nullptr) return nullptr;
    auto* block = lists[list];
    lists[list] = block->next;
    return block;
}

void give_back(void* block) {
    if (block == nullptr) return;
    const auto* head = head_of(block);
    if (head->large != nullptr) return __libc_free(head->large);
    auto& list = lists[list_of(head->room)];
    auto* freed = static_cast<Free*>(block);
    freed->next = list;
    list = freed;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
    return take(bytes);
}

void free(void* block) {
    give_back(block);
}

void* calloc(std::size_t count, std::size_t bytes) {
    if (bytes != 0 && count > SIZE_MAX / bytes) return nullptr;
    auto* block = take(count * bytes);
    if (block != nullptr) std::memset(block, 0, count * bytes);
    return block;
}

void* realloc(void* block, std::size_t bytes) {
    if (block == nullptr) return take(bytes);
    const auto room = head_of(block)->room;
    if (bytes <= room) return block;
    auto* larger = take(bytes);
    if (larger == nullptr) return nullptr;
    std::memcpy(larger, block, room);
    give_back(block);
    return larger;
}

void* memalign(std::size_t alignment, std::size_t bytes) {
    return alignment <= alignof(Head) ? take(bytes) : large(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
    *out = memalign(alignment, bytes);
    return *out == nullptr ? ENOMEM : 0;
}
std::size_t malloc_usable_size(void* block) {
    return block == nullptr ? 0 : head_of(block)->room;
}

}  // extern "C"
