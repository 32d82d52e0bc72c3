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

namespace {

Result<std::shared_ptr<File>> write_beside(Directory& directory, const std::string& temporary, BytesView content) {
  TRY_ASSIGN(auto file, directory.open(temporary, OpenMode::kCreate));
  TRY(file->truncate(0));
  TRY(file->write_at(0, content));
  return file;
}

}  // namespace

Result<> replace_file(Directory& directory, std::string_view name, BytesView content) {
  std::string temporary = std::string(name) + ".tmp";
  TRY_ASSIGN(auto file, write_beside(directory, temporary, content));
  TRY(file->sync());
  TRY(directory.rename(temporary, name));
  return directory.sync();
}

Result<> replace_file_unsynced(Directory& directory, std::string_view name, BytesView content) {
  std::string temporary = std::string(name) + ".tmp";
  TRY(write_beside(directory, temporary, content));
  return directory.rename(temporary, name);
}

}  // namespace barnabas::runtime
