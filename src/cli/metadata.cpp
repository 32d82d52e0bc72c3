// The metadata log on disk, without a broker: its records by name and fields.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/segment_file.h"
#include "wire/record_batch.h"
#include "wire/record_batch_iterator.h"

namespace barnabas::cli {

namespace {

namespace fs = std::filesystem;

struct Row {
  int64_t offset = 0;
  int32_t epoch = -1;
  std::string type, fields;
};

// {"type":"TOPIC_RECORD","version":0,"data":{…}} in its parts.
Row row_of(const std::string& json, int64_t offset, int32_t epoch) {
  Row row{offset, epoch, "?", json};
  constexpr std::string_view kType = R"({"type":")", kData = R"("data":)";
  size_t end = json.find('"', kType.size()), data = json.find(kData);
  if (!json.starts_with(kType) || end == std::string::npos || data == std::string::npos) return row;
  row.type = json.substr(kType.size(), end - kType.size());
  row.fields = json.substr(data + kData.size(), json.size() - data - kData.size() - 1);
  return row;
}

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  std::error_code ignored;
  fs::path inner = path / "__cluster_metadata-0";
  for (const auto& entry : fs::directory_iterator(fs::is_directory(inner) ? inner : path, ignored)) {
    if (entry.path().extension() == ".log") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

int dump(Invocation& call) {
  bool lines = call.out().format() == Format::kJson;
  std::string only = call.value("type");
  Table table{.kind = "records",
              .columns = {{.title = "OFFSET", .right = true},
                          {.title = "EPOCH", .right = true, .wide = true},
                          {.title = "TYPE"},
                          {.title = "FIELDS"}},
              .rows = {},
              .name_column = 2};
  auto take = [&](const Row& row) {
    if (!only.empty() && row.type != only) return;
    if (lines) {
      bool object = row.fields.starts_with('{');
      call.out().line(fmt::format(R"({{"_v":1,"offset":{},"epoch":{},"type":"{}","data":{}}})", row.offset, row.epoch,
                                  row.type, object ? row.fields : Value(row.fields).to_json()));
    } else {
      table.rows.push_back({row.offset, row.epoch, row.type, row.fields});
    }
  };
  for (const fs::path& path : files_of(call.value("path"))) {
    auto file = SegmentFile::open(path);
    if (!file) return call.fail({.kind = client::Error::Kind::kIo, .message = file.error().message});
    wire::BatchCursor cursor(file->bytes());
    while (true) {
      auto batch = cursor.next();
      if (!batch || !*batch) break;
      const wire::BatchHeader& header = (*batch)->header;
      wire::RecordIterator iterator(header, (*batch)->bytes);
      wire::RecordView record;
      while (iterator.next(record)) {
        int64_t offset = header.base_offset + record.offset_delta;
        if (header.is_control()) {
          std::string text = describe_control_record(record.key, record.value);
          size_t space = text.find(' ');
          bool named = space != std::string::npos && text[space + 1] == '{';
          take({offset, header.partition_leader_epoch, named ? text.substr(0, space) : "Control",
                named ? text.substr(space + 1) : text});
          continue;
        }
        auto decoded = decode_record(Decoder::kMetadata, record.key, record.value, offset);
        take(row_of(decoded.value.value_or(""), offset, header.partition_leader_epoch));
      }
      if (auto status = iterator.status(); !status) {
        call.item_failed({.kind = client::Error::Kind::kIo, .message = status.error().message}, path.string());
      }
    }
  }
  if (!lines) call.out().print(table);
  return call.exit_code();
}

}  // namespace

std::vector<Command> metadata_commands() {
  return {{.path = "metadata dump",
           .summary = "Show the records of the metadata log or of a snapshot",
           .positionals = {{.name = "path",
                            .help = "a log directory, its __cluster_metadata-0, a .log or a .checkpoint file",
                            .completes = Completes::kFile}},
           .flags = {{.name = "type", .value = "TYPE", .help = "only records of this type, as PARTITION_RECORD"}},
           .examples = {{"metadata dump /data -o json", "a line of JSON for each record"},
                        {"metadata dump /data --type TOPIC_RECORD", "which topics were created"}},
           .connects = false,
           .text = "SCRAM credentials and delegation tokens are shown as they are: keep the output to yourself.",
           .run = dump}};
}

}  // namespace barnabas::cli
