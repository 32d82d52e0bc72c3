// File, Directory, Disk: storage. Reads and writes go to the page cache and are synchronous (they are short); making
// bytes durable is sync(), which blocks (for start, stop and worker threads), or sync_async() from a loop. In the
// simulator unsynced bytes, unsynced names and unsynced truncations can be lost with the power. Any thread may call;
// writers of one file order themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "runtime/executor.h"

namespace barnabas::runtime {

// What can be made durable: the bytes of a file, or the names in a directory.
class Syncable {
 public:
  virtual ~Syncable() = default;
  // What was written (or named) before is on disk when it returns. After a failure nothing is known about unsynced
  // bytes, and a later success says nothing about them: never retry as if nothing had happened.
  virtual Result<> sync() = 0;
  // sync() off the loop; `done` runs on `home`. It stays open until then.
  virtual void sync_async(Executor& home, std::move_only_function<void(Result<>)> done) = 0;
};

class File : public ByteSource, public Syncable {
 public:
  // Writes all `parts`, one after the other, from `position` (which may be past the end: a hole of zeros). On kNoSpace
  // or kIo a prefix may have been written.
  virtual Result<> write_at(uint64_t position, std::span<const BytesView> parts) = 0;
  Result<> write_at(uint64_t position, BytesView bytes) { return write_at(position, std::span(&bytes, 1)); }
  virtual Result<uint64_t> size() const = 0;
  virtual Result<> truncate(uint64_t size) = 0;
  // Reserves space for [position, position + length) without changing the size; kNoSpace when the disk is full.
  virtual Result<> reserve(uint64_t position, uint64_t length) = 0;
  virtual Result<TimestampMs> modified_at() const = 0;
  virtual Result<> set_modified_at(TimestampMs when) = 0;
};

enum class OpenMode {
  kRead,             // must exist
  kReadWrite,        // must exist
  kCreate,           // made if missing
  kCreateExclusive,  // kExists if there is one
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  uint64_t size = 0;
  bool operator==(const DirectoryEntry&) const = default;
};

// Held by one process (and one node in it) at a time; released when it dies.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

// One directory, by path. Names are single components. Cheap: it holds no descriptor.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual const std::string& path() const = 0;

  virtual Result<std::shared_ptr<File>> open(std::string_view name, OpenMode mode) = 0;
  virtual Result<std::vector<DirectoryEntry>> list() = 0;  // sorted by name
  virtual bool exists(std::string_view name) = 0;
  virtual Result<> remove(std::string_view name) = 0;       // a file; kNotFound if missing
  virtual Result<> remove_tree(std::string_view name) = 0;  // a directory and all in it
  // Replaces `to` if it is a file (atomically).
  virtual Result<> rename(std::string_view from, std::string_view to) = 0;
  // Opens (with `create`: makes if missing) a directory in this one.
  virtual Result<std::unique_ptr<Directory>> subdirectory(std::string_view name, bool create) = 0;
  // Creations, renames and removals of names in this directory before this call are on disk when it returns.
  virtual Result<> sync() = 0;
  // The same for a loop: opened here, synced elsewhere.
  virtual Result<std::shared_ptr<Syncable>> names() = 0;
  virtual Result<> set_mode(std::string_view name, uint32_t mode) = 0;  // permission bits, e.g. 0400
  virtual Result<uint64_t> free_bytes() = 0;
  virtual Result<uint64_t> total_bytes() = 0;  // of the file system, used or not
  // Takes the exclusive lock on file `name`, making it if missing. kBusy when another holds it.
  virtual Result<std::unique_ptr<DirectoryLock>> lock(std::string_view name) = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  // Opens (with `create`: makes, with parents) the directory at `path`.
  virtual Result<std::unique_ptr<Directory>> open_directory(const std::string& path, bool create) = 0;
  // Changes whenever the machine starts: while it stays the same no power was lost. Empty when that is not known.
  virtual std::string boot_id() = 0;
};

// Whole small files. read_file: an error when the file is larger than `limit`.
Result<Buffer> read_file(Directory& directory, std::string_view name, uint64_t limit = 64 << 20);
// Durable replacement: `name`.tmp, sync, rename, directory sync. On an error the old content is still there.
Result<> replace_file(Directory& directory, std::string_view name, BytesView content);
// The same without waiting for the disk: durable once the file and the directory's names have been synced. Until then a
// loss of power may leave the old content, none, or a torn one.
Result<> replace_file_unsynced(Directory& directory, std::string_view name, BytesView content);

}  // namespace barnabas::runtime
