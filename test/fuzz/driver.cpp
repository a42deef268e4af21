// Makes a fuzz target an ordinary test: its seeds, the inputs of its corpus folder, then seeded
// mutations of both. See README.md.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "fuzz.hpp"
#include "mutator.hpp"

// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizers' own name
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace ipfscluster::fuzz {
namespace {

namespace fs = std::filesystem;

Bytes current;
char crash_file[4096];

/// Leaves the input that did it behind. Only calls that are safe in a signal handler.
void save_current() {
    const int fd = ::open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return;
    (void)!::write(fd, current.data(), current.size());
    ::close(fd);
    constexpr char kText[] = "the input was written to ";
    (void)!::write(2, kText, sizeof(kText) - 1);
    (void)!::write(2, crash_file, std::strlen(crash_file));
    (void)!::write(2, "\n", 1);
}

void on_signal(int number) {
    std::signal(number, SIG_DFL);
    save_current();
    ::raise(number);
}

void catch_crashes(const std::string& name) {
    std::snprintf(crash_file, sizeof crash_file, "%s",
                  (fs::current_path() / ("crash-" + name)).c_str());
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save_current);
    // Without a sanitizer all of them end here; with one, only aborts do.
    std::signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback == nullptr)
        for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) std::signal(number, on_signal);
}

void run_one(Bytes input) {
    current = std::move(input);
    // A copy of exactly its size, so that a sanitizer sees a read beyond it.
    const std::vector<std::uint8_t> copy(current.begin(), current.end());
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

Bytes read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

int write_seeds(const fs::path& folder) {
    fs::create_directories(folder);
    std::size_t number = 0;
    for (const auto& seed : seeds())
        std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
    return 0;
}

int run_all(const std::string& corpus_folder) {
    std::vector<Bytes> corpus = seeds();
    require(!corpus.empty(), "a target has seeds");
    std::vector<fs::path> files;
    if (fs::is_directory(corpus_folder))
        for (const auto& entry : fs::directory_iterator(corpus_folder))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) corpus.push_back(read_file(file));

    const auto seed = number_of("ICL_FUZZ_SEED", 1);
    const auto runs = number_of("ICL_FUZZ_RUNS", ICL_FUZZ_RUNS_DEFAULT);
    std::printf("seed %llu, %zu inputs of the corpus, %llu mutations\n",
                static_cast<unsigned long long>(seed), corpus.size(),
                static_cast<unsigned long long>(runs));
    std::fflush(stdout);
    run_one({});
    for (const auto& input : corpus) run_one(input);
    Mutator mutate(seed);
    for (std::uint64_t i = 0; i < runs; ++i) run_one(mutate(corpus));
    return 0;
}

}  // namespace
}  // namespace ipfscluster::fuzz

int main(int argc, char** argv) {
    using namespace ipfscluster::fuzz;
    const std::vector<std::string> args(argv + 1, argv + argc);
    catch_crashes(fs::path(argv[0]).filename());
    if (args.size() == 2 && args[0] == "--write-seeds") return write_seeds(args[1]);
    if (args.empty()) return run_all(ICL_FUZZ_CORPUS);
    for (const auto& file : args) run_one(read_file(file));
    return 0;
}
