#include "client/producer/memory.h"

#include <algorithm>

namespace barnabas::client::producer {

Memory::Memory(size_t limit, size_t unit) : limit_(limit), unit_(std::max<size_t>(unit, 256)) {}

std::optional<Block> Memory::try_take(size_t size) {
  size_t units = (size + unit_ - 1) / unit_;
  if (units <= kKeptUnits) size = units * unit_;
  {
    std::lock_guard lock(mutex_);
    if (!room_for(size)) return std::nullopt;
    used_.store(used() + size, std::memory_order_relaxed);
    if (units <= kKeptUnits && !kept_[units - 1].empty()) {
      Block block = std::move(kept_[units - 1].back());
      kept_[units - 1].pop_back();
      return block;
    }
  }
  // Bytes that are written before they are read: not zeroed.
  return Block{std::unique_ptr<std::byte[]>(new std::byte[size]), size};
}

void Memory::give_back(Block block) {
  size_t units = block.size / unit_;
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    used_.store(used() - block.size, std::memory_order_relaxed);
    // What is kept is no more than the limit allows to be used anyway.
    if (units >= 1 && units <= kKeptUnits && units * unit_ == block.size) kept_[units - 1].push_back(std::move(block));
    wake = waiting_.load(std::memory_order_relaxed) > 0 && room_for(wanted_size_);
  }
  if (wake) condition_.notify_all();
}

bool Memory::wait_for_room(size_t size, Duration limit) {
  std::unique_lock lock(mutex_);
  auto done = [&] { return closed_ || room_for(size); };
  waiting_.fetch_add(1, std::memory_order_relaxed);
  wanted_size_ = std::min(wanted_size_, size);
  bool room = condition_.wait_for(lock, limit, done);
  if (waiting_.fetch_sub(1, std::memory_order_relaxed) == 1) wanted_size_ = SIZE_MAX;
  return room;
}

void Memory::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  condition_.notify_all();
}

}  // namespace barnabas::client::producer
