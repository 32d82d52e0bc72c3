#include "sim/sim_folder.h"

#include <utility>

namespace barnabas::sim {

void SimFolder::set(const std::string& name, Entry entry) {
  make({.name = name, .entry = std::move(entry)});
}

void SimFolder::erase(const std::string& name) {
  make({.name = name});
}

void SimFolder::rename(const std::string& from, const std::string& to) {
  if (from != to) make({.name = from, .renamed_to = to});
}

void SimFolder::sync() {
  durable_ = names;
  synced_ += changes_.size();
  changes_.clear();
}

void SimFolder::sync_until(uint64_t made) {
  if (made <= synced_) return;
  size_t count = made - synced_;
  for (size_t i = 0; i < count; ++i) apply(changes_[i], durable_);
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<ptrdiff_t>(count));
  synced_ = made;
}

void SimFolder::lose_power(SimRandom& random) {
  size_t survive = 0;
  switch (random.below(3)) {
    case 0:
      break;
    case 1:
      survive = changes_.size();
      break;
    case 2:
      survive = random.below(changes_.size() + 1);
      break;
  }
  names = std::move(durable_);
  for (size_t i = 0; i < survive; ++i) apply(changes_[i], names);
  durable_ = names;
  synced_ += changes_.size();
  changes_.clear();
  for (auto& [name, entry] : names) {
    if (entry.file) entry.file->lose_power(random);
    if (entry.folder) entry.folder->lose_power(random);
  }
}

void SimFolder::apply(const Change& change, Names& names) {
  if (!change.renamed_to.empty()) {
    auto moved = names.extract(change.name);
    if (moved.empty()) return;
    names.insert_or_assign(change.renamed_to, std::move(moved.mapped()));
  } else if (change.entry.file || change.entry.folder) {
    names.insert_or_assign(change.name, change.entry);
  } else {
    names.erase(change.name);
  }
}

void SimFolder::make(Change change) {
  apply(change, names);
  changes_.push_back(std::move(change));
}

}  // namespace barnabas::sim
