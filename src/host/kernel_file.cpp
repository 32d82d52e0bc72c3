#include "host/kernel_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

namespace barnabas::host {

namespace {
constexpr size_t kPiecesPerCall = 64;  // well below IOV_MAX, and of a size for the stack
}

Result<size_t> KernelFile::read_at(uint64_t position, MutableBytes into) const {
  size_t total = 0;
  while (total < into.size()) {
    ssize_t got = pread(file_.get(), into.data() + total, into.size() - total, static_cast<off_t>(position + total));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      return failed("read");
    }
    total += static_cast<size_t>(got);
  }
  return total;
}

Result<> KernelFile::write_at(uint64_t position, std::span<const BytesView> parts) {
  size_t skip = 0;  // what of parts.front() is written
  while (true) {
    while (!parts.empty() && skip >= parts.front().size()) {
      skip -= parts.front().size();
      parts = parts.subspan(1);
    }
    if (parts.empty()) return {};
    std::array<iovec, kPiecesPerCall> pieces;
    size_t count = 0;
    size_t front_skip = skip;
    for (const BytesView& part : parts) {
      if (count == kPiecesPerCall) break;
      BytesView piece = part.subspan(std::exchange(front_skip, 0));
      pieces[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    }
    ssize_t wrote = pwritev(file_.get(), pieces.data(), static_cast<int>(count), static_cast<off_t>(position));
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return failed("write");
    }
    position += static_cast<uint64_t>(wrote);
    skip += static_cast<size_t>(wrote);
  }
}

Result<uint64_t> KernelFile::size() const {
  struct stat status;
  if (fstat(file_.get(), &status) != 0) return failed("stat");
  return static_cast<uint64_t>(status.st_size);
}

Result<> KernelFile::truncate(uint64_t size) {
  while (ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return failed("truncate");
  }
  return {};
}

Result<> KernelFile::reserve(uint64_t position, uint64_t length) {
  if (length == 0) return {};
  while (fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(position), static_cast<off_t>(length)) != 0) {
    if (errno == EOPNOTSUPP) return {};  // a file system without it: writes find out about space themselves
    if (errno != EINTR) return failed("reserve space in");
  }
  return {};
}

Result<> KernelFile::sync() {
  // fdatasync also writes the size when it has changed; only times may lag.
  while (fdatasync(file_.get()) != 0) {
    if (errno != EINTR) return failed("sync");
  }
  return {};
}

void KernelFile::sync_async(runtime::Executor& home, std::move_only_function<void(Result<>)> done) {
  syncs_.submit([self = shared_from_this(), &home, done = std::move(done)]() mutable {
    Result<> result = self->sync();
    home.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  });
}

Result<TimestampMs> KernelFile::modified_at() const {
  struct stat status;
  if (fstat(file_.get(), &status) != 0) return failed("stat");
  return status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

Result<> KernelFile::set_modified_at(TimestampMs when) {
  timespec modified{.tv_sec = when / 1000, .tv_nsec = when % 1000 * 1'000'000};
  if (modified.tv_nsec < 0) {
    --modified.tv_sec;
    modified.tv_nsec += 1'000'000'000;
  }
  timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
  if (futimens(file_.get(), times) != 0) return failed("set the time of");
  return {};
}

std::unexpected<Error> KernelFile::failed(const char* doing) const {
  return std::unexpected(os_error(errno, std::string(doing) + " " + path_));
}

}  // namespace barnabas::host
