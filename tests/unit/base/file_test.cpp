#include "base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/error.h"

namespace planish {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "planish_file_XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }

  fs::path folder_;
};

Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::ok;
}

TEST_F(AtomicFile, AppearsWholeAndReplaces) {
  write_file_atomic(path("a"), "first");
  write_file_atomic(path("a"), "second, longer");
  EXPECT_EQ(read_file(path("a")), "second, longer");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFile, JoinsParts) {
  const std::string one = "ab", two = "cde";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(one)), {}, std::as_bytes(std::span(two))};
  write_file_atomic(path("a"), parts);
  EXPECT_EQ(read_file(path("a")), "abcde");
}

TEST_F(AtomicFile, ReplacesWhatALinkPointsTo) {
  fs::create_symlink("b", path("link"));  // there is no b yet
  write_file_atomic(path("link"), "first");
  write_file_atomic(path("link"), "second");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("b")), "second");
  EXPECT_EQ(files(), 2u);
}

TEST_F(AtomicFile, TellsBeforehandWhatItCouldNotWrite) {
  check_writable(path("a"));
  check_writable("/dev/null");
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(code_of([&] { check_writable(folder_.string()); }), Code::io);
  EXPECT_EQ(code_of([&] { check_writable(path("nowhere/a")); }), Code::not_found);
}

TEST_F(AtomicFile, HasThePermissionsThatTheMaskLeaves) {
  const mode_t mask = umask(027);
  write_file_atomic(path("a"), "x");
  umask(mask);
  struct stat info {};
  ASSERT_EQ(stat(path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(AtomicFile, MapOutlivesTheName) {
  write_file_atomic(path("a"), "kept");
  const FileMap map = FileMap::open(path("a"));
  fs::remove(path("a"));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()), "kept");
  EXPECT_EQ(FileMap().bytes().size(), 0u);
}

TEST_F(AtomicFile, ReadsAnEmptyFile) {
  write_file_atomic(path("a"), "");
  EXPECT_EQ(read_file(path("a")), "");
}

TEST_F(AtomicFile, ErrorsNameThePath) {
  EXPECT_EQ(code_of([&] { FileMap::open(path("missing")); }), Code::not_found);
  EXPECT_EQ(code_of([&] { FileMap::open(folder_.string()); }), Code::io);
  EXPECT_EQ(code_of([&] { write_file_atomic(path("no/such/folder"), "x"); }), Code::not_found);
  try {
    FileMap::open(path("missing"));
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path("missing")), std::string::npos);
  }
}

// A folder in the file's place: the rename fails after everything was written.
TEST_F(AtomicFile, LeavesNothingBehindWhenItCannotBePublished) {
  fs::create_directories(path("a/inside"));
  EXPECT_EQ(code_of([&] { write_file_atomic(path("a"), "x"); }), Code::io);
  EXPECT_EQ(files(), 1u);
}

// A limit on file sizes stands for a full disk: the write itself fails.
TEST_F(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  write_file_atomic(path("a"), "old");
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(code_of([&] { write_file_atomic(path("a"), std::string(100000, 'x')); }) == Code::io ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(path("a")), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFile, RefusesAReadOnlyFolder) {
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0) _exit(2);  // permissions do not bind root
    _exit(code_of([&] { write_file_atomic(path("a"), "x"); }) == Code::io ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(AtomicFile, WritersOfOneFileDoNotMix) {
  std::vector<std::thread> writers;
  for (char c : {'a', 'b', 'c', 'd'})
    writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_file_atomic(path("shared"), std::string(5000, c));
    });
  for (std::thread& writer : writers) writer.join();
  const std::string content = read_file(path("shared"));
  EXPECT_EQ(content, std::string(5000, content.at(0)));
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace planish
