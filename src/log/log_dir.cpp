#include "log/log_dir.h"

#include <algorithm>
#include <charconv>

#include "log/file_names.h"

namespace barnabas::log {

using runtime::Directory;
using runtime::OpenMode;

namespace {

constexpr std::string_view kLockFile = ".lock";
constexpr std::string_view kMetaFile = "meta.properties";
constexpr std::string_view kCleanFile = ".kafka_cleanshutdown";
constexpr std::string_view kBootFile = ".barnabas-boot";
constexpr size_t kNameMax = 255;
constexpr size_t kUniqueDigits = 32;

// "TOPIC-P": a topic may have dashes and ends before the last one.
std::optional<TopicPartition> parse_topic_partition(std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  std::string_view digits = name.substr(dash + 1);
  TopicPartition parsed{.topic = std::string(name.substr(0, dash))};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.partition);
  if (error != std::errc() || end != digits.data() + digits.size() || parsed.partition < 0) return std::nullopt;
  return parsed;
}

bool is_unique(std::string_view text) {
  return text.size() == kUniqueDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// "TOPIC-P.<32 hex><suffix>", the topic cut short where the whole would be too long for a file name.
std::string decorated(const TopicPartition& partition, const Uuid& unique, std::string_view suffix) {
  std::string tail = "-" + std::to_string(partition.partition) + "." + unique.to_hex() + std::string(suffix);
  return partition.topic.substr(0, kNameMax - tail.size()) + tail;
}

std::string metadata_text(const Uuid& topic_id) {
  return "version: 0\ntopic_id: " + topic_id.to_string();
}

Result<std::optional<Buffer>> read_if_there(Directory& directory, std::string_view name) {
  Result<Buffer> content = runtime::read_file(directory, name);
  if (content) return std::optional(*std::move(content));
  if (content.error().code == ErrorCode::kNotFound) return std::optional<Buffer>();
  return std::unexpected(std::move(content).error());
}

}  // namespace

const char* checkpoint_file_name(CheckpointKind kind) {
  switch (kind) {
    case CheckpointKind::kRecoveryPoint:
      return "recovery-point-offset-checkpoint";
    case CheckpointKind::kHighWatermark:
      return "replication-offset-checkpoint";
    case CheckpointKind::kLogStart:
      return "log-start-offset-checkpoint";
    case CheckpointKind::kCleaner:
      return "cleaner-offset-checkpoint";
  }
  return "";
}

std::optional<PartitionDirectory> PartitionDirectory::parse(std::string_view name) {
  static constexpr std::pair<std::string_view, PartitionDirectoryKind> kSuffixes[] = {
      {"-delete", PartitionDirectoryKind::kDelete},
      {"-future", PartitionDirectoryKind::kFuture},
      {"-stray", PartitionDirectoryKind::kStray}};
  PartitionDirectory parsed{.name = std::string(name)};
  for (auto [suffix, kind] : kSuffixes) {
    if (!name.ends_with(suffix)) continue;
    // A topic may be called like a suffix; the 32 digits tell.
    std::string_view rest = name.substr(0, name.size() - suffix.size());
    if (rest.size() <= kUniqueDigits + 1 || !is_unique(rest.substr(rest.size() - kUniqueDigits)) ||
        rest[rest.size() - kUniqueDigits - 1] != '.') {
      continue;
    }
    parsed.kind = kind;
    name = rest.substr(0, rest.size() - kUniqueDigits - 1);
    break;
  }
  std::optional<TopicPartition> partition = parse_topic_partition(name);
  if (!partition) return std::nullopt;
  parsed.partition = *std::move(partition);
  return parsed;
}

LogDir::LogDir(std::unique_ptr<Directory> directory, std::unique_ptr<runtime::DirectoryLock> lock,
               runtime::Logger& logger)
    : directory_(std::move(directory)), lock_(std::move(lock)), logger_(logger) {}

Result<std::unique_ptr<LogDir>> LogDir::open(runtime::Disk& disk, const std::string& path, runtime::Logger& logger) {
  TRY_ASSIGN(std::unique_ptr<Directory> directory, disk.open_directory(path, true));
  TRY_ASSIGN(std::unique_ptr<runtime::DirectoryLock> lock, directory->lock(kLockFile));
  return std::unique_ptr<LogDir>(new LogDir(std::move(directory), std::move(lock), logger));
}

void LogDir::fail(const Error& why) {
  std::lock_guard guard(mutex_);
  if (offline_) return;
  offline_ = why;
  logger_.error("log directory " + path() + " is offline until the next start: " + why.message);
}

std::optional<Error> LogDir::offline() const {
  std::lock_guard guard(mutex_);
  return offline_;
}

Result<std::optional<Properties>> LogDir::read_meta_properties() {
  TRY_ASSIGN(std::optional<Buffer> text, read_if_there(*directory_, kMetaFile));
  if (!text) return std::nullopt;
  TRY_ASSIGN(Properties properties, parse_properties(as_text(*text)));
  return properties;
}

Result<> LogDir::write_meta_properties(const Properties& properties) {
  std::string text = print_properties(properties);
  return runtime::replace_file(*directory_, kMetaFile, as_bytes(text));
}

Result<std::optional<CleanShutdown>> LogDir::take_clean_shutdown() {
  TRY_ASSIGN(std::optional<Buffer> text, read_if_there(*directory_, kCleanFile));
  if (!text) return std::nullopt;
  TRY(directory_->remove(kCleanFile));
  TRY(directory_->sync());
  // {"version":0,"brokerEpoch":13}; before 3.5 the file was empty.
  CleanShutdown shutdown;
  std::string_view content = as_text(*text);
  constexpr std::string_view kKey = "\"brokerEpoch\":";
  if (size_t at = content.find(kKey); at != std::string_view::npos) {
    content.remove_prefix(at + kKey.size());
    while (content.starts_with(' ')) content.remove_prefix(1);
    std::from_chars(content.data(), content.data() + content.size(), shutdown.broker_epoch);
  }
  return shutdown;
}

Result<> LogDir::write_clean_shutdown(CleanShutdown shutdown) {
  std::string text = "{\"version\":0,\"brokerEpoch\":" + std::to_string(shutdown.broker_epoch) + "}";
  return runtime::replace_file(*directory_, kCleanFile, as_bytes(text));
}

Result<bool> LogDir::same_boot(std::string_view boot_id) {
  TRY_ASSIGN(std::optional<Buffer> last, read_if_there(*directory_, kBootFile));
  if (last && !boot_id.empty() && as_text(*last) == boot_id) return true;
  Result<> kept = runtime::replace_file(*directory_, kBootFile, as_bytes(boot_id));
  if (!kept && kept.error().code != ErrorCode::kNoSpace) return std::unexpected(std::move(kept).error());
  return false;
}

Result<OffsetCheckpoint> LogDir::read_checkpoint(CheckpointKind kind) {
  const char* name = checkpoint_file_name(kind);
  TRY_ASSIGN(std::optional<Buffer> text, read_if_there(*directory_, name));
  if (!text) return OffsetCheckpoint();
  Result<OffsetCheckpoint> parsed = parse_offset_checkpoint(as_text(*text));
  if (!parsed) return barnabas::fail(ErrorCode::kCorrupt, path() + "/" + name + ": " + parsed.error().message);
  return parsed;
}

Result<> LogDir::write_checkpoint(CheckpointKind kind, const OffsetCheckpoint& checkpoint) {
  std::string text = print_offset_checkpoint(checkpoint);
  return runtime::replace_file(*directory_, checkpoint_file_name(kind), as_bytes(text));
}

Result<std::vector<PartitionDirectory>> LogDir::list_partitions() {
  TRY_ASSIGN(auto entries, directory_->list());
  std::vector<PartitionDirectory> partitions;
  for (const runtime::DirectoryEntry& entry : entries) {
    if (!entry.is_directory) continue;
    if (auto parsed = PartitionDirectory::parse(entry.name)) partitions.push_back(*std::move(parsed));
  }
  return partitions;
}

Result<std::unique_ptr<Directory>> LogDir::open_partition(std::string_view directory_name) {
  return directory_->subdirectory(directory_name, false);
}

Result<std::unique_ptr<Directory>> LogDir::create_partition(const TopicPartition& partition, const Uuid& topic_id) {
  TRY_ASSIGN(std::unique_ptr<Directory> made, directory_->subdirectory(partition.to_string(), true));
  std::string text = metadata_text(topic_id);
  TRY(runtime::replace_file_unsynced(*made, kPartitionMetadataFile, as_bytes(text)));
  return made;
}

Result<> LogDir::sync_names() {
  return directory_->sync();
}

Result<std::string> LogDir::schedule_delete(std::string_view directory_name, const Uuid& unique, TimestampMs due) {
  std::optional<PartitionDirectory> parsed = PartitionDirectory::parse(directory_name);
  if (!parsed) return barnabas::fail(ErrorCode::kInvalid, std::string(directory_name) + " is no partition directory");
  std::string name = decorated(parsed->partition, unique, "-delete");
  TRY(directory_->rename(directory_name, name));
  TRY(directory_->sync());
  remove_later(name, due);
  return name;
}

Result<std::string> LogDir::mark_stray(std::string_view directory_name, const Uuid& unique) {
  std::optional<PartitionDirectory> parsed = PartitionDirectory::parse(directory_name);
  if (!parsed) return barnabas::fail(ErrorCode::kInvalid, std::string(directory_name) + " is no partition directory");
  std::string name = decorated(parsed->partition, unique, "-stray");
  TRY(directory_->rename(directory_name, name));
  TRY(directory_->sync());
  return name;
}

void LogDir::remove_later(std::string directory_name, TimestampMs due) {
  std::lock_guard guard(mutex_);
  pending_.push_back({std::move(directory_name), due});
}

Result<std::optional<TimestampMs>> LogDir::remove_due(TimestampMs now) {
  std::vector<std::string> due;
  std::optional<TimestampMs> next;
  {
    std::lock_guard guard(mutex_);
    for (const PendingDelete& pending : pending_) {
      if (pending.due <= now) {
        due.push_back(pending.name);
      } else {
        next = std::min(pending.due, next.value_or(pending.due));
      }
    }
    std::erase_if(pending_, [&](const PendingDelete& pending) { return pending.due <= now; });
  }
  for (const std::string& name : due) {
    Result<> removed = directory_->remove_tree(name);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return std::unexpected(removed.error());
  }
  return next;
}

Result<> LogDir::close() {
  // The file goes while the lock is held: whoever opens it next makes and locks a new one.
  Result<> removed = directory_->remove(kLockFile);
  lock_.reset();
  return removed;
}

Result<std::optional<Uuid>> read_partition_metadata(Directory& directory) {
  TRY_ASSIGN(std::optional<Buffer> content, read_if_there(directory, kPartitionMetadataFile));
  if (!content) return std::nullopt;
  auto bad = [&](const std::string& what) {
    return fail(ErrorCode::kCorrupt, directory.path() + "/" + std::string(kPartitionMetadataFile) + ": " + what);
  };
  constexpr std::string_view kVersion = "version: 0\n";
  constexpr std::string_view kTopicId = "topic_id: ";
  std::string_view text = as_text(*content);
  if (!text.starts_with(kVersion)) return bad("its first line is not \"version: 0\"");
  text.remove_prefix(kVersion.size());
  if (!text.starts_with(kTopicId)) return bad("its second line is no topic id");
  text.remove_prefix(kTopicId.size());
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  Result<Uuid> id = Uuid::parse(text);
  if (!id) return bad(id.error().message);
  return *id;
}

Result<> write_partition_metadata(Directory& directory, const Uuid& topic_id) {
  std::string text = metadata_text(topic_id);
  return runtime::replace_file(directory, kPartitionMetadataFile, as_bytes(text));
}

Result<Properties> parse_properties(std::string_view text) {
  Properties properties;
  auto trim = [](std::string_view part) {
    while (!part.empty() && (part.front() == ' ' || part.front() == '\t')) part.remove_prefix(1);
    while (!part.empty() && (part.back() == ' ' || part.back() == '\t' || part.back() == '\r')) part.remove_suffix(1);
    return part;
  };
  auto unescape = [](std::string_view part) {
    std::string plain;
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '\\' && i + 1 < part.size()) ++i;
      plain += part[i];
    }
    return plain;
  };
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorCode::kCorrupt, "a line without \"=\": \"" + std::string(line.substr(0, 80)) + "\"");
    }
    properties[unescape(trim(line.substr(0, equals)))] = unescape(trim(line.substr(equals + 1)));
  }
  return properties;
}

std::string print_properties(const Properties& properties) {
  std::string text = "#\n";
  for (const auto& [key, value] : properties) {
    text += key + "=";
    for (char c : value) {
      if (c == '\\' || c == '=' || c == ':' || c == '#' || c == '!') text += '\\';
      text += c;
    }
    text += "\n";
  }
  return text;
}

}  // namespace barnabas::log
