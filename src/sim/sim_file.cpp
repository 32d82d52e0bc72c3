#include "sim/sim_file.h"

#include <algorithm>
#include <utility>

#include "runtime/clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_life.h"

namespace barnabas::sim {

using runtime::Directory;
using runtime::DirectoryEntry;
using runtime::OpenMode;

namespace {

std::unexpected<Error> none(std::string_view path) {
  return fail(ErrorCode::kNotFound, std::string(path) + ": no such file or directory");
}

class SimLock final : public runtime::DirectoryLock {
 public:
  SimLock(SimDisk& disk, uint64_t lock) : disk_(disk), lock_(lock) {}
  ~SimLock() override { disk_.release_lock(lock_); }

 private:
  SimDisk& disk_;
  const uint64_t lock_;
};

// The names of a folder as something that SimDisk can sync later: what is changed when the sync begins is on the disk
// when it has ended.
class NamesInode final : public SimInode {
 public:
  NamesInode(SimDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  void begin_sync() override {
    const SimFolder* folder = disk_.find_folder(path_);
    made_ = folder ? folder->changes_made() : 0;
  }
  void end_sync(bool success) override {
    SimFolder* folder = disk_.find_folder(path_);
    if (folder && success) folder->sync_until(std::min(made_, folder->changes_made()));
  }

 private:
  SimDisk& disk_;
  const std::string path_;
  uint64_t made_ = 0;
};

class SimNames final : public runtime::Syncable {
 public:
  SimNames(SimDisk& disk, Life& life, std::string path)
      : disk_(disk), life_(life), path_(std::move(path)), inode_(std::make_shared<NamesInode>(disk, path_)) {}

  Result<> sync() override { return SimDirectory(disk_, life_, path_).sync(); }
  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override {
    (void)disk_.begin(life_, "sync-directory", path_);
    disk_.sync_later(inode_, path_, life_, home, std::move(done));
  }

 private:
  SimDisk& disk_;
  Life& life_;
  const std::string path_;
  const std::shared_ptr<NamesInode> inode_;
};

}  // namespace

// ---- file

Result<size_t> SimFile::read_at(uint64_t position, MutableBytes into) const {
  TRY(disk_.begin(life_, "read", path_, position));
  TRY(disk_.check_read(path_));
  return inode_->read(position, into);
}

Result<> SimFile::begin_change(const char* kind, uint64_t detail) {
  TRY(disk_.begin(life_, kind, path_, detail));
  if (!writable_) return fail(ErrorCode::kDenied, path_ + " is open for reading only");
  inode_->modified_at = life_.clock().wall_time();
  return {};
}

Result<> SimFile::write_at(uint64_t position, std::span<const BytesView> parts) {
  TRY(begin_change("write", position));
  uint64_t before = inode_->occupied();
  for (BytesView part : parts) {
    uint64_t room_end = disk_.room_until(*inode_, position + part.size());
    size_t fits = room_end > position ? std::min<uint64_t>(part.size(), room_end - position) : 0;
    inode_->write(position, part.first(fits));
    disk_.account(*inode_, std::exchange(before, inode_->occupied()));
    if (fits < part.size()) return fail(ErrorCode::kNoSpace, "write " + path_ + ": no space left on the disk");
    position += part.size();
  }
  return {};
}

Result<uint64_t> SimFile::size() const {
  if (life_.cut_off()) return fail(ErrorCode::kIo, "the machine is down");
  return inode_->size();
}

Result<> SimFile::truncate(uint64_t size) {
  TRY(begin_change("truncate", size));
  uint64_t before = inode_->occupied();
  if (disk_.room_until(*inode_, size) < size) return fail(ErrorCode::kNoSpace, "truncate " + path_ + ": no space left");
  inode_->reserved = std::min(inode_->reserved, size);
  inode_->truncate(size);
  disk_.account(*inode_, before);
  return {};
}

Result<> SimFile::reserve(uint64_t position, uint64_t length) {
  TRY(begin_change("reserve", position + length));
  uint64_t end = position + length;
  if (disk_.room_until(*inode_, end) < end)
    return fail(ErrorCode::kNoSpace, "reserve space in " + path_ + ": no space left");
  uint64_t before = inode_->occupied();
  inode_->reserved = std::max(inode_->reserved, end);
  disk_.account(*inode_, before);
  return {};
}

Result<> SimFile::sync() {
  TRY(disk_.begin(life_, "sync", path_));
  if (disk_.take_sync_failure(path_)) {
    inode_->sync_failed();
    return fail(ErrorCode::kIo, "sync " + path_ + ": I/O error");
  }
  inode_->sync();
  return {};
}

void SimFile::sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) {
  // A hook that cuts us off here is noticed by sync_later.
  (void)disk_.begin(life_, "sync", path_);
  disk_.sync_later(inode_, path_, life_, home, std::move(done));
}

Result<TimestampMs> SimFile::modified_at() const {
  if (life_.cut_off()) return fail(ErrorCode::kIo, "the machine is down");
  return inode_->modified_at;
}

Result<> SimFile::set_modified_at(TimestampMs when) {
  TRY(disk_.begin(life_, "set-time", path_));
  inode_->modified_at = when;
  return {};
}

// ---- directory

Result<SimFolder*> SimDirectory::begin(const char* kind, std::string_view name) {
  bool single = !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
  if (!single) return fail(ErrorCode::kInvalid, "'" + std::string(name) + "' is not a file name");
  TRY(disk_.begin(life_, kind, member(name)));
  SimFolder* folder = disk_.find_folder(path_);
  if (!folder) return none(path_);
  return folder;
}

Result<std::shared_ptr<runtime::File>> SimDirectory::open(std::string_view name, OpenMode mode) {
  TRY_ASSIGN(SimFolder * folder, begin("open", name));
  auto found = folder->names.find(name);
  bool exists = found != folder->names.end();
  bool may_create = mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive;
  if (exists && mode == OpenMode::kCreateExclusive) return fail(ErrorCode::kExists, member(name) + " exists already");
  if (exists && !found->second.file) return fail(ErrorCode::kIo, member(name) + " is a directory");
  if (!exists && !may_create) return none(member(name));
  std::shared_ptr<SimInode> inode;
  if (exists) {
    inode = found->second.file;
  } else {
    inode = std::make_shared<SimInode>();
    inode->modified_at = life_.clock().wall_time();
    folder->set(std::string(name), {.file = inode});
  }
  return std::make_shared<SimFile>(disk_, life_, std::move(inode), member(name), mode != OpenMode::kRead);
}

Result<std::vector<DirectoryEntry>> SimDirectory::list() {
  TRY(disk_.begin(life_, "list", path_));
  SimFolder* folder = disk_.find_folder(path_);
  if (!folder) return none(path_);
  std::vector<DirectoryEntry> entries;
  for (auto& [name, entry] : folder->names) {
    entries.push_back({name, entry.folder != nullptr, entry.file ? entry.file->size() : 0});
  }
  return entries;
}

bool SimDirectory::exists(std::string_view name) {
  auto folder = begin("look", name);
  return folder && (*folder)->names.contains(name);
}

Result<> SimDirectory::remove(std::string_view name) {
  TRY_ASSIGN(SimFolder * folder, begin("remove", name));
  auto found = folder->names.find(name);
  if (found == folder->names.end()) return none(member(name));
  if (!found->second.file) return fail(ErrorCode::kIo, member(name) + " is a directory");
  disk_.unlinked(*found->second.file);
  folder->erase(std::string(name));
  return {};
}

Result<> SimDirectory::remove_tree(std::string_view name) {
  TRY_ASSIGN(SimFolder * folder, begin("remove-tree", name));
  auto found = folder->names.find(name);
  if (found == folder->names.end()) return none(member(name));
  if (found->second.file) return remove(name);
  // One by one, as the real one does, so that a crash can leave half of it.
  SimDirectory inside(disk_, life_, member(name));
  std::shared_ptr<SimFolder> tree = found->second.folder;
  while (!tree->names.empty()) TRY(inside.remove_tree(std::string(tree->names.begin()->first)));
  folder->erase(std::string(name));
  return {};
}

Result<> SimDirectory::rename(std::string_view from, std::string_view to) {
  TRY_ASSIGN(SimFolder * folder, begin("rename", from));
  TRY_ASSIGN(folder, begin("rename-to", to));
  auto moved = folder->names.find(from);
  if (moved == folder->names.end()) return none(member(from));
  auto target = folder->names.find(to);
  if (target != folder->names.end() && target != moved) {
    if (moved->second.file && target->second.file) {
      disk_.unlinked(*target->second.file);
    } else if (!target->second.folder || !moved->second.folder || !target->second.folder->names.empty()) {
      return fail(ErrorCode::kExists, member(to) + " is in the way");
    }
  }
  folder->rename(std::string(from), std::string(to));
  return {};
}

Result<std::unique_ptr<Directory>> SimDirectory::subdirectory(std::string_view name, bool create) {
  TRY_ASSIGN(SimFolder * folder, begin("subdirectory", name));
  auto found = folder->names.find(name);
  if (found == folder->names.end()) {
    if (!create) return none(member(name));
    folder->set(std::string(name), {.folder = std::make_shared<SimFolder>()});
  } else if (!found->second.folder) {
    return fail(ErrorCode::kNotFound, member(name) + " is not a directory");
  }
  return std::make_unique<SimDirectory>(disk_, life_, member(name));
}

Result<> SimDirectory::sync() {
  TRY(disk_.begin(life_, "sync-directory", path_));
  if (disk_.take_sync_failure(path_)) return fail(ErrorCode::kIo, "sync directory " + path_ + ": I/O error");
  SimFolder* folder = disk_.find_folder(path_);
  if (!folder) return none(path_);
  folder->sync();
  return {};
}

Result<std::shared_ptr<runtime::Syncable>> SimDirectory::names() {
  TRY(disk_.begin(life_, "open-directory", path_));
  if (!disk_.find_folder(path_)) return none(path_);
  return std::make_shared<SimNames>(disk_, life_, path_);
}

Result<> SimDirectory::set_mode(std::string_view name, uint32_t) {
  TRY_ASSIGN(SimFolder * folder, begin("set-mode", name));
  if (!folder->names.contains(name)) return none(member(name));
  return {};
}

Result<uint64_t> SimDirectory::free_bytes() {
  TRY(disk_.begin(life_, "free-bytes", path_));
  return disk_.free_bytes();
}

Result<uint64_t> SimDirectory::total_bytes() {
  TRY(disk_.begin(life_, "total-bytes", path_));
  return disk_.capacity();
}

Result<std::unique_ptr<runtime::DirectoryLock>> SimDirectory::lock(std::string_view name) {
  TRY(open(name, OpenMode::kCreate));
  TRY_ASSIGN(uint64_t lock, disk_.take_lock(life_, member(name)));
  return std::make_unique<SimLock>(disk_, lock);
}

// ---- disk

Result<std::unique_ptr<Directory>> SimDiskView::open_directory(const std::string& path, bool create) {
  TRY(disk_.begin(life_, "open-directory", path));
  if (create) TRY(disk_.make_folders(path));
  if (!disk_.find_folder(path)) return none(path);
  return std::make_unique<SimDirectory>(disk_, life_, path);
}

std::string SimDiskView::boot_id() {
  return "boot-" + std::to_string(disk_.boots());
}

std::unique_ptr<runtime::Disk> SimDisk::view_of(Life& life) {
  return std::make_unique<SimDiskView>(*this, life);
}

}  // namespace barnabas::sim
