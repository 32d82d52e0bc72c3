// SimFolder: one directory of a SimDisk: its names as programs see them, as they are on the disk, and the changes
// between.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/sim_inode.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

struct SimFolder {
  // A file or a folder.
  struct Entry {
    std::shared_ptr<SimInode> file;
    std::shared_ptr<SimFolder> folder;
  };
  using Names = std::map<std::string, Entry, std::less<>>;

  Names names;

  void set(const std::string& name, Entry entry);
  void erase(const std::string& name);
  void rename(const std::string& from, const std::string& to);
  void sync();
  // As sync(), but only what was changed before: of a sync that began when changes_made() was `made`.
  uint64_t changes_made() const { return synced_ + changes_.size(); }
  void sync_until(uint64_t made);
  // Names become those on the disk and a random prefix of the changes; then the same below, and files lose theirs.
  void lose_power(SimRandom& random);

 private:
  struct Change {
    std::string name;
    std::string renamed_to;  // empty unless a rename
    Entry entry;             // neither: erased
  };
  static void apply(const Change& change, Names& names);
  void make(Change change);

  Names durable_;
  std::vector<Change> changes_;
  uint64_t synced_ = 0;  // changes that are on the disk
};

}  // namespace barnabas::sim
