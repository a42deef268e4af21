#include "config/lock_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temp_folder.hpp"

namespace ipfscluster::config {
namespace {

/// Whether another process gets the lock (fcntl locks do not stop their own process).
bool another_process_gets_it(const std::string& folder) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(LockFile::acquire(folder) ? 0 : 1);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(LockFile, keeps_others_out_until_released) {
    const TempFolder folder;
    auto lock = LockFile::acquire(folder.path());
    ASSERT_TRUE(lock) << lock.error().text;
    EXPECT_FALSE(another_process_gets_it(folder.path()));
    lock.value().release();
    EXPECT_FALSE(std::filesystem::exists(folder.path() + "/cluster.lock"));
    EXPECT_TRUE(another_process_gets_it(folder.path()));
}

TEST(LockFile, a_stale_empty_file_is_harmless_and_a_full_one_is_not) {
    const TempFolder folder;
    folder.put("cluster.lock", "");
    EXPECT_TRUE(LockFile::acquire(folder.path()));
    folder.put("cluster.lock", "x");
    const auto lock = LockFile::acquire(folder.path());
    ASSERT_FALSE(lock);
    EXPECT_NE(lock.error().text.find(folder.path() + "/cluster.lock"), std::string::npos);
}

TEST(LockFile, makes_the_folder) {
    const TempFolder folder;
    const std::string path = folder.path() + "/a/b";
    EXPECT_TRUE(LockFile::acquire(path));
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace ipfscluster::config
