// SimInode: the bytes of one file, as the page cache has them and as the disk would give them back after a power loss.
// It remembers the old content of each 512-byte sector that was changed since it was last made durable, in layers:
//
//   dirty     changed since the last sync began          base: what the disk has, or what the running sync writes
//   syncing   on its way to the disk now                 base: what the disk has
//   lost      a sync of it failed: no later sync covers it until it is written again
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "base/time.h"
#include "sim/sim_random.h"

namespace barnabas::sim {

class SimInode {
 public:
  virtual ~SimInode() = default;
  static constexpr size_t kSector = 512;

  size_t read(uint64_t position, MutableBytes into) const;
  void write(uint64_t position, BytesView bytes);
  void truncate(uint64_t size);
  uint64_t size() const { return content_.size(); }
  const Buffer& content() const { return content_; }

  // All is durable, but for what is lost.
  void sync();
  // It was to be, but the disk said no: what it should have covered is lost, see above.
  void sync_failed();
  // What is there at the beginning is durable once the end came with success.
  virtual void begin_sync();
  virtual void end_sync(bool success);
  bool fully_synced() const;

  // Content becomes one of those that a disk may give back.
  void lose_power(SimRandom& random);
  // Damage: to the page cache and to the disk alike.
  void damage(uint64_t position, BytesView bytes);
  void cut(uint64_t size);

  // Space that counts against the disk.
  uint64_t occupied() const { return std::max<uint64_t>(content_.size(), reserved); }
  uint64_t reserved = 0;
  TimestampMs modified_at = 0;
  bool unlinked = false;  // lives on in open files only

 private:
  using Sector = std::array<std::byte, kSector>;
  using Sectors = std::map<uint64_t, Sector>;

  Sector sector(uint64_t index) const;
  void put_sector(uint64_t index, const Sector& bytes);
  void before_change(uint64_t position, uint64_t end);

  Buffer content_;
  Sectors dirty_;
  Sectors syncing_;
  Sectors lost_;
  uint64_t durable_size_ = 0;
  uint64_t syncing_size_ = 0;
  bool in_sync_ = false;
};

}  // namespace barnabas::sim
