#include "sim/sim_disk.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/machine.h"
#include "sim/sim_folder.h"
#include "sim/sim_life.h"
#include "sim/simulation.h"

namespace barnabas::sim {

namespace {

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path = slash == path.npos ? "" : path.substr(slash + 1);
  }
  return parts;
}

std::pair<std::string, std::string> split_last(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == path.npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

uint64_t occupied_below(const SimFolder& folder) {
  uint64_t total = 0;
  for (auto& [name, entry] : folder.names) {
    if (entry.file) total += entry.file->occupied();
    if (entry.folder) total += occupied_below(*entry.folder);
  }
  return total;
}

void list_files(const SimFolder& folder, const std::string& prefix, std::vector<std::string>& into) {
  for (auto& [name, entry] : folder.names) {
    if (entry.file) into.push_back(prefix + "/" + name);
    if (entry.folder) list_files(*entry.folder, prefix + "/" + name, into);
  }
}

void mark_linked(SimFolder& folder) {
  for (auto& [name, entry] : folder.names) {
    if (entry.file) entry.file->unlinked = false;
    if (entry.folder) mark_linked(*entry.folder);
  }
}

std::unexpected<Error> machine_is_down() {
  return fail(ErrorCode::kIo, "the machine is down");
}

}  // namespace

struct SimDisk::PendingSync {
  std::shared_ptr<SimInode> inode;
  std::string path;
  Life& life;
  runtime::Executor& home;
  std::move_only_function<void(Result<>)> done;
  Life::Debt debt{};
  bool reported = false;
  bool dropped = false;  // with the power

  void report(Result<> result) {
    if (std::exchange(reported, true)) return;
    home.post([then = std::move(done), result = std::move(result)]() mutable { then(std::move(result)); });
  }
};

SimDisk::SimDisk(Machine& machine, uint64_t bytes)
    : machine_(machine),
      random_(machine.simulation().stream(machine.name() + "/disk")),
      capacity_(bytes),
      root_(std::make_unique<SimFolder>()) {}

SimDisk::~SimDisk() = default;

// ---- faults

void SimDisk::set_sync_time(Duration least, Duration most) {
  sync_least_ = least;
  sync_most_ = most;
}

void SimDisk::stall_syncs(Duration duration) {
  stalled_until_ = machine_.simulation().now() + duration;
}

void SimDisk::fail_syncs(std::string in_path, int count) {
  failing_syncs_[std::move(in_path)] += count;
}

bool SimDisk::take_sync_failure(std::string_view path) {
  for (auto& [in_path, count] : failing_syncs_) {
    if (count == 0 || path.find(in_path) == path.npos) continue;
    --count;
    machine_.simulation().trace(machine_.name(), "sync-fails", path);
    return true;
  }
  return false;
}

Result<> SimDisk::check_read(std::string_view path) const {
  for (const std::string& in_path : failing_reads_) {
    if (path.find(in_path) != path.npos) return fail(ErrorCode::kIo, "read " + std::string(path) + ": I/O error");
  }
  return {};
}

// ---- damage, and looking

void SimDisk::flip_bit(const std::string& path, uint64_t position, int bit) {
  auto file = find_file(path);
  CHECK(file && position < file->size(), "no such byte to flip");
  std::byte flipped = file->content()[position] ^ std::byte(1 << bit);
  overwrite(path, position, BytesView(&flipped, 1));
}

void SimDisk::overwrite(const std::string& path, uint64_t position, BytesView bytes) {
  auto file = find_file(path);
  CHECK(file, "no such file to damage");
  machine_.simulation().trace(machine_.name(), "damage", path);
  file->damage(position, bytes);
}

void SimDisk::cut_file(const std::string& path, uint64_t size) {
  auto file = find_file(path);
  CHECK(file && size <= file->size(), "no such file to cut");
  machine_.simulation().trace(machine_.name(), "cut", path);
  uint64_t before = file->occupied();
  file->cut(size);
  account(*file, before);
}

void SimDisk::erase(const std::string& path) {
  auto [parent, name] = split_last(path);
  SimFolder* folder = find_folder(parent);
  auto found = folder ? folder->names.find(name) : SimFolder::Names::iterator{};
  CHECK(folder && found != folder->names.end(), "nothing there to erase");
  machine_.simulation().trace(machine_.name(), "erase", path);
  if (found->second.file) unlinked(*found->second.file);
  if (found->second.folder) unlinked(*found->second.folder);
  folder->erase(name);
  folder->sync();
}

void SimDisk::move(const std::string& from, const std::string& to) {
  auto [old_parent, old_name] = split_last(from);
  auto [new_parent, new_name] = split_last(to);
  SimFolder* source = find_folder(old_parent);
  SimFolder* target = find_folder(new_parent);
  CHECK(source && target && source->names.contains(old_name), "nothing there to move, or nowhere to move it");
  machine_.simulation().trace(machine_.name(), "move", from + " " + to);
  target->set(new_name, source->names.at(old_name));
  target->sync();
  source->erase(old_name);
  source->sync();
}

Result<Buffer> SimDisk::content(const std::string& path) const {
  auto file = find_file(path);
  if (!file) return fail(ErrorCode::kNotFound, "no file " + path);
  return file->content();
}

std::vector<std::string> SimDisk::files() const {
  std::vector<std::string> paths;
  list_files(*root_, "", paths);
  return paths;
}

// ---- for the machine

void SimDisk::release_locks(uint64_t life) {
  std::erase_if(locks_, [life](const auto& lock) { return lock.second.life == life; });
}

void SimDisk::lose_power() {
  ++boots_;
  for (auto& [inode, queue] : syncs_) {
    for (auto& sync : queue) sync->dropped = true;
  }
  syncs_.clear();
  locks_.clear();
  root_->lose_power(random_);
  used_ = occupied_below(*root_);
  mark_linked(*root_);
}

// ---- for files and directories of a life

Result<> SimDisk::begin(const Life& life, std::string_view kind, std::string_view path, uint64_t detail) {
  if (life.cut_off()) return machine_is_down();
  ++operations_;
  machine_.simulation().trace(machine_.name(), kind, std::string(path) + " " + std::to_string(detail));
  if (hook_) {
    auto hook = hook_;  // it may take itself off
    hook({kind, path, operations_});
    if (life.cut_off()) return machine_is_down();
  }
  for (const std::string& failed : failed_directories_) {
    bool below = path.starts_with(failed) && (path.size() == failed.size() || path[failed.size()] == '/');
    if (below) return fail(ErrorCode::kIo, std::string(kind) + " " + std::string(path) + ": I/O error");
  }
  if (kind != "open") return {};
  for (auto& [in_path, count] : refused_opens_) {
    if (count == 0 || path.find(in_path) == path.npos) continue;
    --count;
    return fail(ErrorCode::kBusy, "open " + std::string(path) + ": too many open files");
  }
  return {};
}

uint64_t SimDisk::room_until(const SimInode& inode, uint64_t end) const {
  uint64_t occupied = inode.occupied();
  if (end <= occupied) return end;
  return occupied + std::min(end - occupied, free_bytes());
}

void SimDisk::account(const SimInode& inode, uint64_t occupied_before) {
  if (!inode.unlinked) used_ += inode.occupied() - occupied_before;
}

void SimDisk::unlinked(SimInode& inode) {
  used_ -= inode.occupied();
  inode.unlinked = true;
}

void SimDisk::unlinked(SimFolder& folder) {
  for (auto& [name, entry] : folder.names) {
    if (entry.file) unlinked(*entry.file);
    if (entry.folder) unlinked(*entry.folder);
  }
}

void SimDisk::sync_later(std::shared_ptr<SimInode> inode, std::string path, Life& life, runtime::Executor& home,
                         std::move_only_function<void(Result<>)> done) {
  auto sync = std::make_shared<PendingSync>(std::move(inode), std::move(path), life, home, std::move(done));
  if (life.cut_off()) return sync->report(machine_is_down());
  sync->debt = life.owe([sync] { sync->report(machine_is_down()); });
  auto& queue = syncs_[sync->inode.get()];
  queue.push_back(sync);
  if (queue.size() == 1) start_sync(sync);
}

void SimDisk::start_sync(const std::shared_ptr<PendingSync>& sync) {
  sync->inode->begin_sync();
  Simulation& simulation = machine_.simulation();
  MonotonicTime end = std::max(simulation.now() + random_.between(sync_least_, sync_most_), stalled_until_);
  simulation.at(end, [this, sync] { finish_sync(sync); });
}

void SimDisk::finish_sync(const std::shared_ptr<PendingSync>& sync) {
  if (sync->dropped) return;
  Simulation& simulation = machine_.simulation();
  if (stalled_until_ > simulation.now()) {
    simulation.at(stalled_until_, [this, sync] { finish_sync(sync); });
    return;
  }
  simulation.trace(machine_.name(), "synced", sync->path);
  bool failed = take_sync_failure(sync->path);
  sync->inode->end_sync(!failed);
  if (!sync->reported) sync->life.forget(sync->debt);
  sync->report(failed ? fail(ErrorCode::kIo, "sync " + sync->path + ": I/O error") : Result<>{});
  auto queue = syncs_.find(sync->inode.get());
  queue->second.pop_front();
  // What waited in a process that has died meanwhile never reached the kernel.
  while (!queue->second.empty() && queue->second.front()->life.cut_off()) queue->second.pop_front();
  if (queue->second.empty()) {
    syncs_.erase(queue);
  } else {
    start_sync(queue->second.front());
  }
}

Result<uint64_t> SimDisk::take_lock(const Life& life, const std::string& path) {
  for (auto& [id, lock] : locks_) {
    if (lock.path == path) return fail(ErrorCode::kBusy, path + " is locked by another process");
  }
  locks_.emplace(++last_lock_, Lock{path, life.number()});
  return last_lock_;
}

void SimDisk::release_lock(uint64_t lock) {
  locks_.erase(lock);
}

SimFolder* SimDisk::find_folder(std::string_view path) const {
  SimFolder* folder = root_.get();
  for (const std::string& part : components(path)) {
    auto found = folder->names.find(part);
    if (found == folder->names.end() || !found->second.folder) return nullptr;
    folder = found->second.folder.get();
  }
  return folder;
}

Result<> SimDisk::make_folders(std::string_view path) {
  SimFolder* folder = root_.get();
  for (const std::string& part : components(path)) {
    auto found = folder->names.find(part);
    if (found == folder->names.end()) {
      folder->set(part, {.folder = std::make_shared<SimFolder>()});
      folder->sync();
      found = folder->names.find(part);
    }
    if (!found->second.folder) return fail(ErrorCode::kNotFound, std::string(path) + ": a file is in the way");
    folder = found->second.folder.get();
  }
  return {};
}

std::shared_ptr<SimInode> SimDisk::find_file(const std::string& path) const {
  auto [parent, name] = split_last(path);
  SimFolder* folder = find_folder(parent);
  if (!folder) return nullptr;
  auto found = folder->names.find(name);
  return found == folder->names.end() ? nullptr : found->second.file;
}

}  // namespace barnabas::sim
