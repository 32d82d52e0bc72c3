#include "client/settings_file.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace barnabas::client {

Result<std::string> read_settings_file(const std::string& path) {
  constexpr size_t kLargest = 64 << 20;
  const auto unreadable = [&](const char* why) {
    return std::unexpected(Error{.kind = Error::Kind::kIo, .message = fmt::format("{} cannot be read: {}", path, why)});
  };
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rbe"), close);
  if (!file) return unreadable(std::strerror(errno));
  std::string content;
  std::array<char, 65536> piece{};
  while (const size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    content.append(piece.data(), count);
    if (content.size() > kLargest) return unreadable("it is too large");
  }
  if (std::ferror(file.get()) != 0) return unreadable(std::strerror(errno));
  return content;
}

}  // namespace barnabas::client
