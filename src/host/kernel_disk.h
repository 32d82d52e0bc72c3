// KernelDisk and its directories: the real file system, by path. Any thread.
#pragma once

#include <string>

#include "runtime/file.h"

namespace barnabas::host {

class KernelDisk final : public runtime::Disk {
 public:
  explicit KernelDisk(runtime::WorkerPool& syncs) : syncs_(syncs) {}
  Result<std::unique_ptr<runtime::Directory>> open_directory(const std::string& path, bool create) override;
  std::string boot_id() override;

 private:
  runtime::WorkerPool& syncs_;
};

}  // namespace barnabas::host
