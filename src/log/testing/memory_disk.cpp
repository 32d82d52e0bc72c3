#include "log/testing/memory_disk.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "base/check.h"

namespace barnabas::log::testing {

using runtime::Directory;
using runtime::DirectoryEntry;
using runtime::DirectoryLock;
using runtime::File;
using runtime::OpenMode;

namespace {

constexpr size_t kSector = 512;

struct Inode {
  Buffer data;
  Buffer durable;
  uint64_t reserved = 0;
  TimestampMs modified_at = 1;
  uint32_t mode = 0644;
  uint64_t used() const { return std::max<uint64_t>(data.size(), reserved); }
};

// What lies at a path: a file, or a directory when there is no inode.
struct Entry {
  std::shared_ptr<Inode> inode;
};
using Tree = std::map<std::string, Entry>;

std::string parent_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

// A change of names, replayed in order onto the durable tree.
struct NameChange {
  enum class Kind { kLink, kUnlink, kRename } kind;
  std::string path;
  std::string to;
  Entry entry;

  void apply(Tree& tree) const {
    if (kind == Kind::kLink) {
      tree[path] = entry;
      return;
    }
    // With everything below it.
    std::vector<std::pair<std::string, Entry>> moved;
    for (auto at = tree.lower_bound(path); at != tree.end() && at->first.starts_with(path);) {
      if (at->first.size() == path.size() || at->first[path.size()] == '/') {
        moved.emplace_back(at->first, at->second);
        at = tree.erase(at);
      } else {
        ++at;
      }
    }
    if (kind == Kind::kRename) {
      for (auto& [name, what] : moved) tree[to + name.substr(path.size())] = what;
    }
  }
};

}  // namespace

struct DiskState : std::enable_shared_from_this<DiskState> {
  mutable std::mutex mutex;
  Tree tree;
  Tree durable;
  std::deque<NameChange> changes;  // not durable yet
  std::map<std::string, std::weak_ptr<void>> locks;
  uint64_t generation = 0;
  uint64_t boots = 1;
  std::optional<uint64_t> capacity;
  bool reserve_supported = true;
  MemoryDisk::Fault fault;
  mutable std::map<std::string, uint64_t> operations;

  std::optional<Error> faulty(const std::string& operation, const std::string& path) const {
    ++operations[operation];
    return fault ? fault(operation, path) : std::nullopt;
  }

  void change(NameChange what) {
    what.apply(tree);
    changes.push_back(std::move(what));
  }

  void make_directories(const std::string& path) {
    if (path.empty() || tree.contains(path)) return;
    make_directories(parent_of(path));
    change({NameChange::Kind::kLink, path, "", {}});
  }

  void sync_names(const std::string& directory) {
    std::deque<NameChange> left;
    for (NameChange& what : changes) {
      bool here = parent_of(what.path) == directory || (!what.to.empty() && parent_of(what.to) == directory);
      if (here) {
        what.apply(durable);
      } else {
        left.push_back(std::move(what));
      }
    }
    changes = std::move(left);
  }

  uint64_t used() const {
    std::set<const Inode*> seen;
    uint64_t total = 0;
    for (const auto& [path, entry] : tree) {
      if (entry.inode && seen.insert(entry.inode.get()).second) total += entry.inode->used();
    }
    return total;
  }

  bool has_room(const Inode& inode, uint64_t wanted) const {
    if (!capacity || wanted <= inode.used()) return true;
    return used() - inode.used() + wanted <= *capacity;
  }
};

namespace {

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<DiskState> disk, std::shared_ptr<Inode> inode, std::string path, bool writable)
      : disk_(std::move(disk)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        generation_(disk_->generation) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("read"));
    if (position >= inode_->data.size()) return 0;
    size_t size = std::min<uint64_t>(into.size(), inode_->data.size() - position);
    std::copy_n(inode_->data.begin() + static_cast<ptrdiff_t>(position), size, into.begin());
    return size;
  }

  Result<> write_at(uint64_t position, std::span<const BytesView> parts) override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("write"));
    CHECK(writable_, "a file opened for reading is written");
    uint64_t end = position;
    for (BytesView part : parts) end += part.size();
    if (!disk_->has_room(*inode_, end)) return fail(ErrorCode::kNoSpace, path_ + ": no space left on device");
    if (end > inode_->data.size()) inode_->data.resize(end);
    for (BytesView part : parts) {
      std::copy(part.begin(), part.end(), inode_->data.begin() + static_cast<ptrdiff_t>(position));
      position += part.size();
    }
    return {};
  }

  Result<uint64_t> size() const override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("size"));
    return inode_->data.size();
  }

  Result<> truncate(uint64_t size) override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("truncate"));
    inode_->data.resize(size);
    inode_->reserved = size;
    return {};
  }

  Result<> reserve(uint64_t position, uint64_t length) override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("reserve"));
    if (!disk_->reserve_supported) return {};
    if (!disk_->has_room(*inode_, position + length)) {
      return fail(ErrorCode::kNoSpace, path_ + ": no space left on device");
    }
    inode_->reserved = std::max(inode_->reserved, position + length);
    return {};
  }

  Result<> sync() override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("sync"));
    inode_->durable = inode_->data;
    return {};
  }

  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override {
    home.post([result = sync(), done = std::move(done)]() mutable { done(std::move(result)); });
  }

  Result<TimestampMs> modified_at() const override {
    std::lock_guard lock(disk_->mutex);
    return inode_->modified_at;
  }
  Result<> set_modified_at(TimestampMs when) override {
    std::lock_guard lock(disk_->mutex);
    inode_->modified_at = when;
    return {};
  }

 private:
  Result<> usable(const char* operation) const {
    if (generation_ != disk_->generation) return fail(ErrorCode::kIo, path_ + ": its process is gone");
    if (auto error = disk_->faulty(operation, path_)) return std::unexpected(*std::move(error));
    return {};
  }

  std::shared_ptr<DiskState> disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  bool writable_;
  uint64_t generation_;
};

struct MemoryLock final : DirectoryLock {
  explicit MemoryLock(std::shared_ptr<void> held) : token(std::move(held)) {}
  std::shared_ptr<void> token;
};

class MemoryNames final : public runtime::Syncable {
 public:
  MemoryNames(std::shared_ptr<DiskState> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)), generation_(disk_->generation) {}

  Result<> sync() override {
    std::lock_guard lock(disk_->mutex);
    if (generation_ != disk_->generation) return fail(ErrorCode::kIo, path_ + ": its process is gone");
    if (auto error = disk_->faulty("sync", path_)) return std::unexpected(*std::move(error));
    disk_->sync_names(path_);
    return {};
  }
  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override {
    home.post([result = sync(), done = std::move(done)]() mutable { done(std::move(result)); });
  }

 private:
  std::shared_ptr<DiskState> disk_;
  std::string path_;
  uint64_t generation_;
};

class MemoryDirectory final : public Directory {
 public:
  MemoryDirectory(std::shared_ptr<DiskState> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)), generation_(disk_->generation) {}

  const std::string& path() const override { return path_; }

  Result<std::shared_ptr<File>> open(std::string_view name, OpenMode mode) override {
    std::lock_guard lock(disk_->mutex);
    std::string path = child(name);
    TRY(usable("open", path));
    auto at = disk_->tree.find(path);
    if (at != disk_->tree.end() && mode == OpenMode::kCreateExclusive) return fail(ErrorCode::kExists, path);
    if (at == disk_->tree.end()) {
      if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) {
        return fail(ErrorCode::kNotFound, path + ": no such file");
      }
      disk_->change({NameChange::Kind::kLink, path, "", Entry{std::make_shared<Inode>()}});
      at = disk_->tree.find(path);
    }
    if (!at->second.inode) return fail(ErrorCode::kIo, path + " is a directory");
    return std::make_shared<MemoryFile>(disk_, at->second.inode, path, mode != OpenMode::kRead);
  }

  Result<std::vector<DirectoryEntry>> list() override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("list", path_));
    std::vector<DirectoryEntry> entries;
    for (auto at = disk_->tree.lower_bound(path_ + "/"); at != disk_->tree.end(); ++at) {
      if (!at->first.starts_with(path_ + "/")) break;
      if (parent_of(at->first) != path_) continue;
      entries.push_back({.name = at->first.substr(path_.size() + 1),
                         .is_directory = !at->second.inode,
                         .size = at->second.inode ? at->second.inode->data.size() : 0});
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  bool exists(std::string_view name) override {
    std::lock_guard lock(disk_->mutex);
    return disk_->tree.contains(child(name));
  }

  Result<> remove(std::string_view name) override {
    std::lock_guard lock(disk_->mutex);
    std::string path = child(name);
    TRY(usable("remove", path));
    if (!disk_->tree.contains(path)) return fail(ErrorCode::kNotFound, path + ": no such file");
    disk_->change({NameChange::Kind::kUnlink, path, "", {}});
    return {};
  }

  Result<> remove_tree(std::string_view name) override { return remove(name); }

  Result<> rename(std::string_view from, std::string_view to) override {
    std::lock_guard lock(disk_->mutex);
    std::string path = child(from);
    TRY(usable("rename", path));
    if (!disk_->tree.contains(path)) return fail(ErrorCode::kNotFound, path + ": no such file");
    disk_->change({NameChange::Kind::kRename, path, child(to), {}});
    return {};
  }

  Result<std::unique_ptr<Directory>> subdirectory(std::string_view name, bool create) override {
    std::lock_guard lock(disk_->mutex);
    std::string path = child(name);
    TRY(usable("open", path));
    if (!disk_->tree.contains(path)) {
      if (!create) return fail(ErrorCode::kNotFound, path + ": no such directory");
      disk_->change({NameChange::Kind::kLink, path, "", {}});
    }
    return std::make_unique<MemoryDirectory>(disk_, path);
  }

  Result<> sync() override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("sync", path_));
    disk_->sync_names(path_);
    return {};
  }

  Result<std::shared_ptr<runtime::Syncable>> names() override {
    std::lock_guard lock(disk_->mutex);
    TRY(usable("open", path_));
    return std::make_shared<MemoryNames>(disk_, path_);
  }

  Result<> set_mode(std::string_view name, uint32_t mode) override {
    std::lock_guard lock(disk_->mutex);
    auto at = disk_->tree.find(child(name));
    if (at == disk_->tree.end()) return fail(ErrorCode::kNotFound, child(name) + ": no such file");
    if (at->second.inode) at->second.inode->mode = mode;
    return {};
  }

  Result<uint64_t> free_bytes() override {
    std::lock_guard lock(disk_->mutex);
    uint64_t used = disk_->used();
    uint64_t capacity = disk_->capacity.value_or(uint64_t{1} << 40);
    return capacity > used ? capacity - used : 0;
  }

  Result<uint64_t> total_bytes() override {
    std::lock_guard lock(disk_->mutex);
    return disk_->capacity.value_or(uint64_t{1} << 40);
  }

  Result<std::unique_ptr<DirectoryLock>> lock(std::string_view name) override {
    TRY(open(name, OpenMode::kCreate));
    std::lock_guard guard(disk_->mutex);
    std::weak_ptr<void>& holder = disk_->locks[child(name)];
    if (!holder.expired()) return fail(ErrorCode::kBusy, child(name) + " is held by another process");
    std::shared_ptr<void> token = std::make_shared<int>(0);
    holder = token;
    return std::make_unique<MemoryLock>(token);
  }

 private:
  std::string child(std::string_view name) const { return path_ + "/" + std::string(name); }
  Result<> usable(const char* operation, const std::string& path) const {
    if (generation_ != disk_->generation) return fail(ErrorCode::kIo, path + ": its process is gone");
    if (auto error = disk_->faulty(operation, path)) return std::unexpected(*std::move(error));
    return {};
  }

  std::shared_ptr<DiskState> disk_;
  std::string path_;
  uint64_t generation_;
};

// Which of an unsynced file's sectors reached the disk is for `random` to say.
Buffer tear(const Inode& inode, std::mt19937_64& random) {
  Buffer result = inode.durable;
  size_t longer = std::max(inode.data.size(), inode.durable.size());
  if (random() % 4 != 0) result.resize(inode.data.size() > result.size() ? random() % (longer + 1) : result.size());
  if (random() % 2 == 0) result.resize(inode.data.size());
  for (size_t at = 0; at < result.size(); at += kSector) {
    if (random() % 2 == 0 || at >= inode.data.size()) continue;
    size_t end = std::min({at + kSector, result.size(), inode.data.size()});
    std::copy(inode.data.begin() + static_cast<ptrdiff_t>(at), inode.data.begin() + static_cast<ptrdiff_t>(end),
              result.begin() + static_cast<ptrdiff_t>(at));
  }
  // What was synced and not written since is there.
  size_t same = 0;
  size_t common = std::min(inode.data.size(), inode.durable.size());
  while (same < common && inode.data[same] == inode.durable[same]) ++same;
  if (result.size() < same) result.resize(same);
  std::copy_n(inode.durable.begin(), same, result.begin());
  return result;
}

}  // namespace

MemoryDisk::MemoryDisk() : state_(std::make_shared<DiskState>()) {}
MemoryDisk::~MemoryDisk() = default;

Result<std::unique_ptr<Directory>> MemoryDisk::open_directory(const std::string& path, bool create) {
  std::lock_guard lock(state_->mutex);
  if (auto error = state_->faulty("open", path)) return std::unexpected(*std::move(error));
  if (!state_->tree.contains(path)) {
    if (!create) return fail(ErrorCode::kNotFound, path + ": no such directory");
    state_->make_directories(path);
    for (std::string up = parent_of(path);; up = parent_of(up)) {
      state_->sync_names(up);
      if (up.empty()) break;
    }
  }
  return std::make_unique<MemoryDirectory>(state_, path);
}

std::string MemoryDisk::boot_id() {
  std::lock_guard lock(state_->mutex);
  return "boot-" + std::to_string(state_->boots);
}

void MemoryDisk::lose_power(std::optional<uint64_t> seed) {
  std::lock_guard lock(state_->mutex);
  std::mt19937_64 random(seed.value_or(0));
  // Names are journaled: a prefix of the changes made it.
  size_t kept = seed ? random() % (state_->changes.size() + 1) : 0;
  for (size_t i = 0; i < kept; ++i) state_->changes[i].apply(state_->durable);
  state_->changes.clear();
  state_->tree = state_->durable;
  for (auto& [path, entry] : state_->tree) {
    if (!entry.inode) continue;
    entry.inode->data = seed ? tear(*entry.inode, random) : entry.inode->durable;
    entry.inode->durable = entry.inode->data;
    entry.inode->reserved = 0;
  }
  state_->locks.clear();
  ++state_->generation;
  ++state_->boots;
}

void MemoryDisk::kill() {
  std::lock_guard lock(state_->mutex);
  state_->locks.clear();
  ++state_->generation;
}

void MemoryDisk::set_capacity(std::optional<uint64_t> bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

uint64_t MemoryDisk::used_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->used();
}

void MemoryDisk::set_fault(Fault fault) {
  std::lock_guard lock(state_->mutex);
  state_->fault = std::move(fault);
}

void MemoryDisk::set_reserve_supported(bool supported) {
  std::lock_guard lock(state_->mutex);
  state_->reserve_supported = supported;
}

Buffer MemoryDisk::read(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  auto at = state_->tree.find(path);
  return at == state_->tree.end() || !at->second.inode ? Buffer() : at->second.inode->data;
}

void MemoryDisk::write(const std::string& path, BytesView content) {
  std::lock_guard lock(state_->mutex);
  state_->make_directories(parent_of(path));
  auto at = state_->tree.find(path);
  std::shared_ptr<Inode> inode = at == state_->tree.end() ? std::make_shared<Inode>() : at->second.inode;
  inode->data = inode->durable = to_buffer(content);
  state_->change({NameChange::Kind::kLink, path, "", Entry{inode}});
  for (std::string up = parent_of(path);; up = parent_of(up)) {
    state_->sync_names(up);
    if (up.empty()) break;
  }
}

bool MemoryDisk::exists(const std::string& path) const {
  std::lock_guard lock(state_->mutex);
  return state_->tree.contains(path);
}

std::vector<std::string> MemoryDisk::list(const std::string& directory) const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> names;
  for (const auto& [path, entry] : state_->tree) {
    if (path.starts_with(directory + "/") && parent_of(path) == directory) {
      names.push_back(path.substr(directory.size() + 1));
    }
  }
  return names;
}

void MemoryDisk::remove(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  NameChange what{NameChange::Kind::kUnlink, path, "", {}};
  what.apply(state_->tree);
  what.apply(state_->durable);
}

uint64_t MemoryDisk::operations(const std::string& operation) const {
  std::lock_guard lock(state_->mutex);
  auto at = state_->operations.find(operation);
  return at == state_->operations.end() ? 0 : at->second;
}

std::shared_ptr<MemoryDisk> MemoryDisk::clone() const {
  std::lock_guard lock(state_->mutex);
  auto copy = std::make_shared<MemoryDisk>();
  for (const auto& [path, entry] : state_->tree) {
    Entry here;
    if (entry.inode) {
      here.inode = std::make_shared<Inode>(*entry.inode);
      here.inode->durable = here.inode->data;
    }
    copy->state_->tree[path] = here;
  }
  copy->state_->durable = copy->state_->tree;
  return copy;
}

}  // namespace barnabas::log::testing
