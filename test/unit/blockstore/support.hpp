#pragma once
#include <gtest/gtest.h>

#include <filesystem>

#include "blockstore/segment_store.hpp"
#include "runtime/asio_world.hpp"
#include "storage/memory_store.hpp"
#include "support/temp_folder.hpp"

namespace ipfscluster::blockstore {

/// A folder of its own for segment files, which goes with the test.
class TempFolder : public test::TempFolder {
 public:
    /// Bytes of all segment files.
    std::uint64_t segment_bytes() const {
        std::uint64_t sum = 0;
        for (const auto& entry : std::filesystem::directory_iterator(path()))
            if (entry.path().extension() == ".blocks") sum += entry.file_size();
        return sum;
    }
};

namespace detail {
template <class T>
asio::awaitable<void> keep_result(Async<T> work, std::optional<Result<T>>& out) {
    auto result = co_await std::move(work);
    out.emplace(std::move(result));
}
}  // namespace detail

/// Runs one coroutine to its end on a World of real threads.
struct RealWorld {
    asio::io_context io;
    AsioWorld world{io};

    template <class T>
    Result<T> run(Async<T> work) {
        std::optional<Result<T>> out;
        asio::co_spawn(io, detail::keep_result<T>(std::move(work), out), asio::detached);
        io.restart();
        while (!out) io.run_one();
        return std::move(*out);
    }
};

/// A block of `bytes` bytes that differs for each `number`.
inline dag::Block make_block(std::uint64_t number, std::size_t bytes = 1000) {
    Bytes data(bytes, static_cast<char>(number));
    for (std::size_t i = 0; i < 8 && i < bytes; ++i) data[i] = static_cast<char>(number >> 8 * i);
    return {Cid::v1(Codec::raw, multihash_digest(HashCode::sha2_256, data).value()), data};
}

}  // namespace ipfscluster::blockstore
