// KernelFile: an open file of the real file system. Any thread.
#pragma once

#include <string>

#include "host/unique_fd.h"
#include "runtime/file.h"

namespace barnabas::host {

class KernelFile final : public runtime::File, public std::enable_shared_from_this<KernelFile> {
 public:
  // `path` is for error messages. Syncs off a loop run on `syncs`, many files side by side.
  KernelFile(UniqueFd file, std::string path, runtime::WorkerPool& syncs)
      : file_(std::move(file)), path_(std::move(path)), syncs_(syncs) {}

  Result<size_t> read_at(uint64_t position, MutableBytes into) const override;
  int native_handle() const override { return file_.get(); }
  Result<> write_at(uint64_t position, std::span<const BytesView> parts) override;
  Result<uint64_t> size() const override;
  Result<> truncate(uint64_t size) override;
  Result<> reserve(uint64_t position, uint64_t length) override;
  Result<> sync() override;
  void sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) override;
  Result<TimestampMs> modified_at() const override;
  Result<> set_modified_at(TimestampMs when) override;

 private:
  std::unexpected<Error> failed(const char* doing) const;  // of errno

  const UniqueFd file_;
  const std::string path_;
  runtime::WorkerPool& syncs_;
};

}  // namespace barnabas::host
