// SimDisk: the disk of one machine. It outlives the lives of the machine, and with the power loses what was not synced:
// sectors of files (see SimInode) and, for each directory, the latest of its changes of names: a prefix of them, in the
// order made, survives; a rename is one change. Faults are told to it by the test. Paths are as the programs use them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/file.h"
#include "sim/sim_inode.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class Life;
class Machine;
struct SimFolder;

class SimDisk {
 public:
  SimDisk(Machine& machine, uint64_t bytes);
  ~SimDisk();

  // ---- faults
  // How long sync_async takes, chance between the two.
  void set_sync_time(Duration least, Duration most);
  // No sync_async ends before `duration` has passed.
  void stall_syncs(Duration duration);
  // The next `count` syncs of files with `in_path` in their path fail with kIo. What they were to write is lost with
  // the power, though reading still shows it, and though later syncs succeed.
  void fail_syncs(std::string in_path, int count = 1);
  // Reads of such files fail with kIo, until allow_reads().
  void fail_reads(std::string in_path) { failing_reads_.insert(std::move(in_path)); }
  void allow_reads() { failing_reads_.clear(); }
  // Whatever is done at or below `path` fails with kIo, until repair_directories(): its device is gone.
  void fail_directory(std::string path) { failed_directories_.insert(std::move(path)); }
  void repair_directories() { failed_directories_.clear(); }
  // The next `count` opens of files with `in_path` in their path fail with kBusy, as when no descriptors are left.
  void refuse_opens(std::string in_path, int count) { refused_opens_[std::move(in_path)] += count; }
  // Writes beyond it fail with kNoSpace.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // Called before each operation, which has not happened then: with power_off() inside, it never does.
  struct Operation {
    std::string_view kind;  // open, write, truncate, reserve, sync, rename, remove, mkdir, sync-dir, ...
    std::string_view path;
    uint64_t number;  // since the disk was made
  };
  void on_operation(std::function<void(const Operation&)> hook) { hook_ = std::move(hook); }

  // ---- damage, and looking without a program
  void flip_bit(const std::string& path, uint64_t position, int bit = 0);
  void overwrite(const std::string& path, uint64_t position, BytesView bytes);
  void cut_file(const std::string& path, uint64_t size);
  void erase(const std::string& path);  // file or tree
  void move(const std::string& from, const std::string& to);
  Result<Buffer> content(const std::string& path) const;
  std::vector<std::string> files() const;  // all paths, sorted
  uint64_t used_bytes() const { return used_; }
  uint64_t operations() const { return operations_; }
  uint64_t capacity() const { return capacity_; }
  uint64_t boots() const { return boots_; }  // one more with every loss of power

  // ---- for the machine
  std::unique_ptr<runtime::Disk> view_of(Life& life);
  void release_locks(uint64_t life);
  void lose_power();

  // ---- for files and directories of a life
  // Traces and counts; kIo if the life is cut off (also by the hook, in this very call), or the directory has failed.
  Result<> begin(const Life& life, std::string_view kind, std::string_view path, uint64_t detail = 0);
  Result<> check_read(std::string_view path) const;
  bool take_sync_failure(std::string_view path);
  // How far towards `end` the file can grow.
  uint64_t room_until(const SimInode& inode, uint64_t end) const;
  // The file has changed its size, or lost its name.
  void account(const SimInode& inode, uint64_t occupied_before);
  void unlinked(SimInode& inode);
  void unlinked(SimFolder& folder);
  uint64_t free_bytes() const { return capacity_ > used_ ? capacity_ - used_ : 0; }
  void sync_later(std::shared_ptr<SimInode> inode, std::string path, Life& life, runtime::Executor& home,
                  std::move_only_function<void(Result<>)> done);
  Result<uint64_t> take_lock(const Life& life, const std::string& path);
  void release_lock(uint64_t lock);

  // The folder at `path`, or null.
  SimFolder* find_folder(std::string_view path) const;
  Result<> make_folders(std::string_view path);

 private:
  struct PendingSync;
  void start_sync(const std::shared_ptr<PendingSync>& sync);
  void finish_sync(const std::shared_ptr<PendingSync>& sync);
  std::shared_ptr<SimInode> find_file(const std::string& path) const;

  Machine& machine_;
  SimRandom random_;
  uint64_t capacity_;
  uint64_t used_ = 0;  // by files that have a name
  std::unique_ptr<SimFolder> root_;
  uint64_t operations_ = 0;
  uint64_t boots_ = 1;
  std::function<void(const Operation&)> hook_;

  Duration sync_least_ = microseconds(100);
  Duration sync_most_ = milliseconds(2);
  MonotonicTime stalled_until_{0};
  std::map<const SimInode*, std::deque<std::shared_ptr<PendingSync>>> syncs_;  // the first of each is under way
  std::map<std::string, int> failing_syncs_;
  std::set<std::string> failing_reads_;
  std::set<std::string> failed_directories_;
  std::map<std::string, int> refused_opens_;
  struct Lock {
    std::string path;
    uint64_t life;
  };
  std::map<uint64_t, Lock> locks_;
  uint64_t last_lock_ = 0;
};

}  // namespace barnabas::sim
