// HashTrie: an immutable-by-sharing map from a key to a value that carries its own key. Copying a trie copies one
// pointer; changing a copy rebuilds only the path to the changed leaf (some hundred bytes), so an image of a million
// topics can be published after every record. Lookups touch log16(n) nodes. Iteration follows the hash, which is the
// same on every run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace barnabas::metadata {

// KeyOf: a stateless functor Value -> Key (by value or reference); Hash: a stateless functor Key -> uint64_t.
template <class Value, class KeyOf, class Hash>
class HashTrie {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null when absent; valid as long as some trie that holds the value lives.
  template <class Key>
  const Value* find(const Key& key) const {
    uint64_t hash = Hash{}(key);
    const Node* node = root_.get();
    for (int shift = 0; node != nullptr && !node->children.empty(); shift += kBits) {
      node = node->children[slot(hash, shift)].get();
    }
    if (node == nullptr) return nullptr;
    for (const Entry& entry : node->entries) {
      if (entry.hash == hash && KeyOf{}(entry.value) == key) return &entry.value;
    }
    return nullptr;
  }

  // Inserts, or replaces the value with the same key.
  void put(Value value) {
    uint64_t hash = Hash{}(KeyOf{}(value));
    bool added = false;
    root_ = with(root_.get(), 0, Entry{hash, std::move(value)}, added);
    size_ += added ? 1 : 0;
  }

  template <class Key>
  bool erase(const Key& key) {
    if (find(key) == nullptr) return false;
    root_ = without(root_.get(), 0, Hash{}(key), key);
    --size_;
    return true;
  }

  template <class Visitor>
  void for_each(Visitor&& visit) const {
    walk(root_.get(), visit);
  }

 private:
  static constexpr int kBits = 4;
  static constexpr size_t kFan = size_t{1} << kBits;
  static constexpr size_t kLeafMax = 8;

  struct Entry {
    uint64_t hash;
    Value value;
  };
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  // Either kFan children (some null) or a leaf's entries, ordered by hash and then by key: the shape of a leaf does not
  // depend on the order of insertion.
  struct Node {
    std::vector<NodePtr> children;
    std::vector<Entry> entries;
  };

  // From the top bits down, so that walking the children in order walks the hashes in order.
  static size_t slot(uint64_t hash, int shift) { return hash >> (64 - kBits - shift) & (kFan - 1); }

  static bool before(const Entry& a, const Entry& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return KeyOf{}(a.value) < KeyOf{}(b.value);
  }

  static NodePtr with(const Node* node, int shift, Entry entry, bool& added) {
    auto copy = node ? std::make_shared<Node>(*node) : std::make_shared<Node>();
    if (!copy->children.empty()) {
      NodePtr& child = copy->children[slot(entry.hash, shift)];
      child = with(child.get(), shift + kBits, std::move(entry), added);
      return copy;
    }
    auto at = std::lower_bound(copy->entries.begin(), copy->entries.end(), entry, before);
    if (at != copy->entries.end() && !before(entry, *at)) {
      at->value = std::move(entry.value);
      return copy;
    }
    added = true;
    copy->entries.insert(at, std::move(entry));
    if (copy->entries.size() <= kLeafMax || shift + kBits > 64) return copy;
    auto split = std::make_shared<Node>();
    split->children.resize(kFan);
    bool ignored = false;
    for (Entry& e : copy->entries) {
      NodePtr& child = split->children[slot(e.hash, shift)];
      child = with(child.get(), shift + kBits, std::move(e), ignored);
    }
    return split;
  }

  template <class Key>
  static NodePtr without(const Node* node, int shift, uint64_t hash, const Key& key) {
    auto copy = std::make_shared<Node>(*node);
    if (!copy->children.empty()) {
      NodePtr& child = copy->children[slot(hash, shift)];
      child = without(child.get(), shift + kBits, hash, key);
      return copy;
    }
    std::erase_if(copy->entries, [&](const Entry& e) { return e.hash == hash && KeyOf{}(e.value) == key; });
    return copy;
  }

  template <class Visitor>
  static void walk(const Node* node, Visitor& visit) {
    if (node == nullptr) return;
    for (const NodePtr& child : node->children) walk(child.get(), visit);
    for (const Entry& entry : node->entries) visit(entry.value);
  }

  NodePtr root_;
  size_t size_ = 0;
};

}  // namespace barnabas::metadata
