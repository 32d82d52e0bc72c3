#include "host/kernel_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "host/kernel_file.h"
#include "host/unique_fd.h"

namespace barnabas::host {

namespace {

using runtime::Directory;
using runtime::DirectoryEntry;
using runtime::File;
using runtime::OpenMode;

std::unexpected<Error> failed(const char* doing, const std::string& path) {
  return std::unexpected(os_error(errno, std::string(doing) + " " + path));
}

Result<> sync_directory(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("open directory", path);
  while (fsync(directory.get()) != 0) {
    if (errno != EINTR) return failed("sync directory", path);
  }
  return {};
}

// A directory held open to be synced.
class KernelNames final : public runtime::Syncable, public std::enable_shared_from_this<KernelNames> {
 public:
  KernelNames(UniqueFd directory, std::string path, runtime::WorkerPool& syncs)
      : directory_(std::move(directory)), path_(std::move(path)), syncs_(syncs) {}

  Result<> sync() override {
    while (fsync(directory_.get()) != 0) {
      if (errno != EINTR) return failed("sync directory", path_);
    }
    return {};
  }
  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override {
    syncs_.submit([self = shared_from_this(), &home, done = std::move(done)]() mutable {
      Result<> result = self->sync();
      home.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
    });
  }

 private:
  const UniqueFd directory_;
  const std::string path_;
  runtime::WorkerPool& syncs_;
};

Result<> require_directory(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return failed("open directory", path);
  if (!S_ISDIR(status.st_mode)) return fail(ErrorCode::kNotFound, path + " is not a directory");
  return {};
}

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateExclusive:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// An open-file-description lock: conflicts with one of another node in this process, and with the lock that Java's
// FileChannel takes, so that a real Kafka and we keep off each other's directories. The kernel drops it with the
// process.
class KernelLock final : public runtime::DirectoryLock {
 public:
  explicit KernelLock(UniqueFd file) : file_(std::move(file)) {}

 private:
  UniqueFd file_;
};

class KernelDirectory final : public Directory {
 public:
  KernelDirectory(std::string path, runtime::WorkerPool& syncs) : path_(std::move(path)), syncs_(syncs) {}

  const std::string& path() const override { return path_; }
  Result<std::shared_ptr<File>> open(std::string_view name, OpenMode mode) override;
  Result<std::vector<DirectoryEntry>> list() override;
  bool exists(std::string_view name) override;
  Result<> remove(std::string_view name) override;
  Result<> remove_tree(std::string_view name) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<std::unique_ptr<Directory>> subdirectory(std::string_view name, bool create) override;
  Result<> sync() override { return sync_directory(path_); }
  Result<std::shared_ptr<runtime::Syncable>> names() override;
  Result<> set_mode(std::string_view name, uint32_t mode) override;
  Result<uint64_t> free_bytes() override;
  Result<uint64_t> total_bytes() override;
  Result<std::unique_ptr<runtime::DirectoryLock>> lock(std::string_view name) override;

 private:
  // The path of `name`, which must be a single component.
  Result<std::string> member(std::string_view name) const;

  const std::string path_;
  runtime::WorkerPool& syncs_;
};

Result<std::string> KernelDirectory::member(std::string_view name) const {
  bool single =
      !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
  if (!single) return fail(ErrorCode::kInvalid, "'" + std::string(name) + "' is not a file name");
  return path_ + "/" + std::string(name);
}

Result<std::shared_ptr<File>> KernelDirectory::open(std::string_view name, OpenMode mode) {
  TRY_ASSIGN(std::string path, member(name));
  while (true) {
    UniqueFd file(::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0644));
    if (file) return std::make_shared<KernelFile>(std::move(file), std::move(path), syncs_);
    if (errno != EINTR) return failed("open", path);
  }
}

Result<std::vector<DirectoryEntry>> KernelDirectory::list() {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(path_.c_str()), &closedir);
  if (!stream) return failed("list", path_);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* found = readdir(stream.get());
    if (!found) break;
    DirectoryEntry entry{.name = found->d_name};
    if (entry.name == "." || entry.name == "..") continue;
    entry.is_directory = found->d_type == DT_DIR;
    if (!entry.is_directory) {
      struct stat status;
      if (fstatat(dirfd(stream.get()), found->d_name, &status, 0) != 0) {
        if (errno == ENOENT) continue;  // gone meanwhile, or a link to nowhere
        return failed("stat", path_ + "/" + entry.name);
      }
      entry.is_directory = S_ISDIR(status.st_mode);
      if (!entry.is_directory) entry.size = static_cast<uint64_t>(status.st_size);
    }
    entries.push_back(std::move(entry));
  }
  if (errno != 0) return failed("list", path_);
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

bool KernelDirectory::exists(std::string_view name) {
  auto path = member(name);
  return path && access(path->c_str(), F_OK) == 0;
}

Result<> KernelDirectory::remove(std::string_view name) {
  TRY_ASSIGN(std::string path, member(name));
  if (unlink(path.c_str()) != 0) return failed("remove", path);
  return {};
}

Result<> KernelDirectory::remove_tree(std::string_view name) {
  TRY_ASSIGN(std::string path, member(name));
  std::error_code error;
  auto removed = std::filesystem::remove_all(path, error);
  if (error) return std::unexpected(os_error(error.value(), "remove " + path));
  if (removed == 0) return fail(ErrorCode::kNotFound, "remove " + path + ": there is none");
  return {};
}

Result<> KernelDirectory::rename(std::string_view from, std::string_view to) {
  TRY_ASSIGN(std::string old_path, member(from));
  TRY_ASSIGN(std::string new_path, member(to));
  if (::rename(old_path.c_str(), new_path.c_str()) != 0) return failed("rename", old_path + " to " + std::string(to));
  return {};
}

Result<std::unique_ptr<Directory>> KernelDirectory::subdirectory(std::string_view name, bool create) {
  TRY_ASSIGN(std::string path, member(name));
  if (create && mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return failed("make directory", path);
  TRY(require_directory(path));
  return std::make_unique<KernelDirectory>(std::move(path), syncs_);
}

Result<std::shared_ptr<runtime::Syncable>> KernelDirectory::names() {
  UniqueFd directory(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failed("open directory", path_);
  return std::make_shared<KernelNames>(std::move(directory), path_, syncs_);
}

Result<> KernelDirectory::set_mode(std::string_view name, uint32_t mode) {
  TRY_ASSIGN(std::string path, member(name));
  if (chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return failed("set the mode of", path);
  return {};
}

Result<uint64_t> KernelDirectory::free_bytes() {
  struct statvfs status;
  if (statvfs(path_.c_str(), &status) != 0) return failed("ask for free space of", path_);
  return uint64_t{status.f_bavail} * status.f_frsize;
}

Result<uint64_t> KernelDirectory::total_bytes() {
  struct statvfs status;
  if (statvfs(path_.c_str(), &status) != 0) return failed("ask for the size of", path_);
  return uint64_t{status.f_blocks} * status.f_frsize;
}

Result<std::unique_ptr<runtime::DirectoryLock>> KernelDirectory::lock(std::string_view name) {
  TRY_ASSIGN(std::string path, member(name));
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return failed("open", path);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(file.get(), F_OFD_SETLK, &whole) != 0) {
    if (errno == EAGAIN || errno == EACCES) return fail(ErrorCode::kBusy, path + " is locked by another process");
    return failed("lock", path);
  }
  return std::make_unique<KernelLock>(std::move(file));
}

}  // namespace

Result<std::unique_ptr<Directory>> KernelDisk::open_directory(const std::string& path, bool create) {
  if (create) {
    // Upwards to what exists, then down again, each new name made durable in its parent.
    std::vector<std::filesystem::path> missing;
    std::filesystem::path level = std::filesystem::path(path).lexically_normal();
    if (!level.has_filename()) level = level.parent_path();  // a trailing slash
    while (!level.empty() && access(level.c_str(), F_OK) != 0) {
      missing.push_back(level);
      level = level.parent_path();
    }
    for (auto made = missing.rbegin(); made != missing.rend(); ++made) {
      if (mkdir(made->c_str(), 0755) != 0 && errno != EEXIST) return failed("make directory", made->string());
      std::filesystem::path parent = made->parent_path();
      TRY(sync_directory(parent.empty() ? "." : parent.string()));
    }
  }
  TRY(require_directory(path));
  return std::make_unique<KernelDirectory>(path, syncs_);
}

std::string KernelDisk::boot_id() {
  UniqueFd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  char text[64];
  ssize_t length = ::read(file.get(), text, sizeof(text));
  std::string id(text, static_cast<size_t>(std::max<ssize_t>(length, 0)));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

}  // namespace barnabas::host
