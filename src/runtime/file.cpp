#include "runtime/file.h"

namespace barnabas::runtime {

Result<Buffer> read_file(Directory& directory, std::string_view name, uint64_t limit) {
  TRY_ASSIGN(auto file, directory.open(name, OpenMode::kRead));
  TRY_ASSIGN(uint64_t size, file->size());
  if (size > limit) {
    return fail(ErrorCode::kCorrupt, directory.path() + "/" + std::string(name) + " is " + std::to_string(size) +
                                         " bytes, more than the " + std::to_string(limit) + " it can be");
  }
  Buffer content(size);
  TRY_ASSIGN(size_t got, file->read_at(0, content));
  content.resize(got);
  return content;
}

Result<> replace_file(Directory& directory, std::string_view name, BytesView content) {
  std::string temporary = std::string(name) + ".tmp";
  TRY_ASSIGN(auto file, directory.open(temporary, OpenMode::kCreate));
  TRY(file->truncate(0));
  TRY(file->write_at(0, content));
  TRY(file->sync());
  TRY(directory.rename(temporary, name));
  return directory.sync();
}

}  // namespace barnabas::runtime
