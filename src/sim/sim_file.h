// SimFile and SimDirectory: what one life sees of its machine's disk. After the life is cut off every operation is kIo.
#pragma once

#include <memory>
#include <string>

#include "runtime/file.h"
#include "sim/sim_folder.h"

namespace barnabas::sim {

class Life;
class SimDisk;

class SimFile final : public runtime::File {
 public:
  SimFile(SimDisk& disk, Life& life, std::shared_ptr<SimInode> inode, std::string path, bool writable)
      : disk_(disk), life_(life), inode_(std::move(inode)), path_(std::move(path)), writable_(writable) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override;
  Result<> write_at(uint64_t position, std::span<const BytesView> parts) override;
  Result<uint64_t> size() const override;
  Result<> truncate(uint64_t size) override;
  Result<> reserve(uint64_t position, uint64_t length) override;
  Result<> sync() override;
  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override;
  Result<TimestampMs> modified_at() const override;
  Result<> set_modified_at(TimestampMs when) override;

 private:
  Result<> begin_change(const char* kind, uint64_t detail);

  SimDisk& disk_;
  Life& life_;
  const std::shared_ptr<SimInode> inode_;
  const std::string path_;
  const bool writable_;
};

class SimDirectory final : public runtime::Directory {
 public:
  SimDirectory(SimDisk& disk, Life& life, std::string path) : disk_(disk), life_(life), path_(std::move(path)) {}

  const std::string& path() const override { return path_; }
  Result<std::shared_ptr<runtime::File>> open(std::string_view name, runtime::OpenMode mode) override;
  Result<std::vector<runtime::DirectoryEntry>> list() override;
  bool exists(std::string_view name) override;
  Result<> remove(std::string_view name) override;
  Result<> remove_tree(std::string_view name) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<std::unique_ptr<runtime::Directory>> subdirectory(std::string_view name, bool create) override;
  Result<> sync() override;
  Result<std::shared_ptr<runtime::Syncable>> names() override;
  Result<> set_mode(std::string_view name, uint32_t mode) override;
  Result<uint64_t> free_bytes() override;
  Result<uint64_t> total_bytes() override;
  Result<std::unique_ptr<runtime::DirectoryLock>> lock(std::string_view name) override;

 private:
  // Begins an operation on `name`, a single component; the folder that it is in.
  Result<SimFolder*> begin(const char* kind, std::string_view name);
  std::string member(std::string_view name) const { return path_ + "/" + std::string(name); }

  SimDisk& disk_;
  Life& life_;
  const std::string path_;
};

class SimDiskView final : public runtime::Disk {
 public:
  SimDiskView(SimDisk& disk, Life& life) : disk_(disk), life_(life) {}
  Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string& path, bool create) override;
  std::string boot_id() override;

 private:
  SimDisk& disk_;
  Life& life_;
};

}  // namespace barnabas::sim
