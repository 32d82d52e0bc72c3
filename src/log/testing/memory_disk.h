// MemoryDisk: a runtime::Disk in memory, for tests. It keeps what was synced apart from what was only written:
// lose_power() drops unsynced bytes, names and truncations, all of them or a random part. Faults can be asked for.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/file.h"

namespace barnabas::log::testing {

struct DiskState;

class MemoryDisk : public runtime::Disk {
 public:
  MemoryDisk();
  ~MemoryDisk() override;

  Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string& path, bool create) override;
  std::string boot_id() override;

  // The power goes and comes back: locks are free, open files are dead (kIo). With a seed, each unsynced sector, name
  // and size may or may not have made it; without, none has.
  void lose_power(std::optional<uint64_t> seed = std::nullopt);
  // The process dies: everything written stays, locks are free, open files are dead.
  void kill();

  // No more room than this for file data, reserved space included. nullopt: no limit.
  void set_capacity(std::optional<uint64_t> bytes);
  uint64_t used_bytes() const;
  // Consulted before each operation ("write", "sync", "open", "rename", …) on `path`; an Error fails it.
  using Fault = std::function<std::optional<Error>(const std::string& operation, const std::string& path)>;
  void set_fault(Fault fault);
  // false: reserve() succeeds without reserving, as on file systems without fallocate.
  void set_reserve_supported(bool supported);

  // Whole files, as they are now, without the seam.
  Buffer read(const std::string& path) const;
  void write(const std::string& path, BytesView content);  // durable at once; makes directories
  bool exists(const std::string& path) const;
  std::vector<std::string> list(const std::string& directory) const;
  void remove(const std::string& path);
  uint64_t operations(const std::string& operation) const;  // how many there were

  std::shared_ptr<MemoryDisk> clone() const;  // an independent copy of what is there now, all of it durable

 private:
  std::shared_ptr<DiskState> state_;
};

}  // namespace barnabas::log::testing
