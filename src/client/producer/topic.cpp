#include "client/producer/topic.h"

#include <functional>

namespace barnabas::client::producer {

// Open addressing; at most half full.
struct TopicTable::Slots {
  explicit Slots(size_t size) : entries(size) {}
  std::vector<std::atomic<Topic*>> entries;
};

TopicTable::TopicTable() {
  generations_.push_back(std::make_unique<Slots>(16));
  current_ = generations_.back().get();
}

TopicTable::~TopicTable() = default;

Topic* TopicTable::lookup(const Slots& slots, std::string_view name, size_t hash) {
  size_t mask = slots.entries.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    Topic* topic = slots.entries[at].load(std::memory_order_acquire);
    if (topic == nullptr || topic->name == name) return topic;
  }
}

void TopicTable::insert(Slots& slots, Topic* topic) {
  size_t mask = slots.entries.size() - 1;
  size_t at = std::hash<std::string_view>()(topic->name) & mask;
  while (slots.entries[at].load(std::memory_order_relaxed) != nullptr) at = (at + 1) & mask;
  slots.entries[at].store(topic, std::memory_order_release);
}

Topic* TopicTable::find(std::string_view name) const {
  return lookup(*current_.load(std::memory_order_acquire), name, std::hash<std::string_view>()(name));
}

Topic& TopicTable::find_or_add(std::string_view name) {
  if (Topic* topic = find(name)) return *topic;
  std::lock_guard lock(mutex_);
  if (Topic* topic = find(name)) return *topic;
  topics_.push_back(std::make_unique<Topic>(name));
  Topic* added = topics_.back().get();
  Slots& slots = *generations_.back();
  if (topics_.size() * 2 <= slots.entries.size()) {
    insert(slots, added);
  } else {
    auto larger = std::make_unique<Slots>(slots.entries.size() * 2);
    for (auto& topic : topics_) insert(*larger, topic.get());
    current_.store(larger.get(), std::memory_order_release);
    generations_.push_back(std::move(larger));
  }
  return *added;
}

std::vector<Topic*> TopicTable::all() const {
  std::lock_guard lock(mutex_);
  std::vector<Topic*> all;
  for (auto& topic : topics_) all.push_back(topic.get());
  return all;
}

}  // namespace barnabas::client::producer
