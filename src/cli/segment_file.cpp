#include "cli/segment_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "wire/control_record.h"
#include "wire/reader.h"
#include "wire/shape.h"

namespace barnabas::cli {

namespace {

using wire::MessageShape;

// "FeatureLevelRecord": "FEATURE_LEVEL_RECORD".
std::string constant_name(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    bool upper = name[i] >= 'A' && name[i] <= 'Z';
    if (upper && i > 0) out += '_';
    out += name[i] >= 'a' && name[i] <= 'z' ? static_cast<char>(name[i] - 'a' + 'A') : name[i];
  }
  return out;
}

std::string metadata_json(BytesView value, int64_t offset) {
  wire::Reader in(value);
  uint32_t frame = in.uvarint();
  auto type = static_cast<int16_t>(in.uvarint());
  auto version = static_cast<int16_t>(in.uvarint());
  if (in.failed() || frame != 1)
    return fmt::format("Error at {}, skipping. Could not deserialize metadata record", offset);
  const MessageShape* shape = wire::find_shape(MessageShape::Kind::kMetadata, type);
  if (!shape) return fmt::format("Error at {}, skipping. Unknown metadata record type {}", offset, type);
  auto json = wire::shape_to_json(*shape, version, in.rest());
  if (!json) return fmt::format("Error at {}, skipping. {}", offset, json.error().message);
  return fmt::format(R"({{"type":"{}","version":{},"data":{}}})", constant_name(shape->name), version, *json);
}

std::optional<Buffer> from_base64(std::string_view text) {
  Buffer out;
  uint32_t group = 0;
  int bits = 0;
  for (char c : text) {
    if (c == '=') break;
    int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
    if (digit < 0) return std::nullopt;
    group = group << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<std::byte>(group >> bits & 0xff));
    }
  }
  return out;
}

// The bytes that members of a consumer group give each other are shown as what they are.
void open_member_bytes(std::string& json, std::string_view field, std::string_view shape_name) {
  const MessageShape* shape = wire::find_shape(shape_name);
  std::string start = fmt::format(R"("{}":")", field);
  for (size_t at = json.find(start); shape && at != std::string::npos; at = json.find(start, at + 1)) {
    size_t text = at + start.size(), end = json.find('"', text);
    if (end == std::string::npos) return;
    auto bytes = from_base64(std::string_view(json).substr(text, end - text));
    if (!bytes || bytes->size() < 2) continue;
    wire::Reader in(*bytes);
    int16_t version = in.int16();
    auto opened = wire::shape_to_json(*shape, version, in.rest());
    if (opened) json.replace(text - 1, end - text + 2, *opened);
  }
}

struct CoordinatorKinds {
  MessageShape::Kind key, value;
};

DecodedRecord coordinator_json(CoordinatorKinds kinds, std::optional<BytesView> key, std::optional<BytesView> value,
                               int64_t offset) {
  if (!key || key->size() < 2)
    return {fmt::format("Error at offset {}, skipping. (message had a missing key)", offset), {}};
  wire::Reader in(*key);
  int16_t type = in.int16();
  const MessageShape* key_shape = wire::find_shape(kinds.key, type);
  const MessageShape* value_shape = wire::find_shape(kinds.value, type);
  if (!key_shape || !value_shape) {
    return {fmt::format("Unknown record type {} at offset {}, skipping.", type, offset), {}};
  }
  auto key_json = wire::shape_to_json(*key_shape, key_shape->versions.low, in.rest());
  if (!key_json) return {fmt::format("Error at offset {}, skipping. {}", offset, key_json.error().message), {}};
  DecodedRecord decoded{fmt::format(R"({{"type":"{}","data":{}}})", type, *key_json), "<DELETE>"};
  if (!value) return decoded;
  wire::Reader value_in(*value);
  int16_t version = value_in.int16();
  auto json = value_in.failed() ? std::unexpected(value_in.error(value_shape->name))
                                : wire::shape_to_json(*value_shape, version, value_in.rest());
  if (!json) return {fmt::format("Error at offset {}, skipping. {}", offset, json.error().message), {}};
  if (json->starts_with(R"({"protocolType":"consumer")")) {
    open_member_bytes(*json, "subscription", "ConsumerProtocolSubscription");
    open_member_bytes(*json, "assignment", "ConsumerProtocolAssignment");
  }
  decoded.value = fmt::format(R"({{"version":"{}","data":{}}})", version, *json);
  return decoded;
}

}  // namespace

Result<SegmentFile> SegmentFile::open(const std::filesystem::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    return fail(code, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  }
  struct stat about{};
  ::fstat(fd, &about);
  SegmentFile file;
  file.path_ = path;
  file.size_ = S_ISREG(about.st_mode) ? static_cast<size_t>(about.st_size) : 0;
  void* data = file.size_ == 0 ? nullptr : ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (data == MAP_FAILED) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  file.data_ = data;
  return file;
}

SegmentFile::SegmentFile(SegmentFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SegmentFile& SegmentFile::operator=(SegmentFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SegmentFile::~SegmentFile() {
  if (data_) ::munmap(data_, size_);
}

Decoder decoder_for(const std::filesystem::path& file) {
  std::string name = std::filesystem::absolute(file).parent_path().filename().string();
  std::string topic = name.substr(0, name.rfind('-'));
  if (topic == "__cluster_metadata" || file.extension() == ".checkpoint") return Decoder::kMetadata;
  if (topic == "__consumer_offsets") return Decoder::kGroups;
  if (topic == "__transaction_state") return Decoder::kTransactions;
  if (topic == "__share_group_state") return Decoder::kShares;
  return Decoder::kNone;
}

DecodedRecord decode_record(Decoder decoder, std::optional<BytesView> key, std::optional<BytesView> value,
                            int64_t offset) {
  using Kind = MessageShape::Kind;
  switch (decoder) {
    case Decoder::kMetadata:
      return {std::nullopt, metadata_json(value.value_or(BytesView{}), offset)};
    case Decoder::kGroups:
      return coordinator_json({Kind::kGroupKey, Kind::kGroupValue}, key, value, offset);
    case Decoder::kTransactions:
      return coordinator_json({Kind::kTransactionKey, Kind::kTransactionValue}, key, value, offset);
    case Decoder::kShares:
      return coordinator_json({Kind::kShareKey, Kind::kShareValue}, key, value, offset);
    case Decoder::kNone:
      break;
  }
  auto text = [](std::optional<BytesView> bytes) -> std::optional<std::string> {
    if (!bytes) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  };
  return {text(key), text(value)};
}

std::string describe_control_record(std::optional<BytesView> key, std::optional<BytesView> value) {
  using Type = wire::ControlRecordType;
  auto type = wire::decode_control_key(key.value_or(BytesView{}));
  if (!type) return "controlType: " + type.error().message;
  BytesView body = value.value_or(BytesView{});
  auto json = [&](std::string_view words, std::string_view shape_name) {
    const MessageShape* shape = wire::find_shape(shape_name);
    if (!shape || body.size() < 2) return fmt::format("{} (unreadable)", words);
    // These begin with their version, which is a field of them, too.
    wire::Reader in(body);
    int16_t version = in.int16();
    auto text = wire::shape_to_json(*shape, std::min(version, shape->versions.high), body);
    return fmt::format("{} {}", words, text ? *text : text.error().message);
  };
  switch (*type) {
    case Type::kAbort:
    case Type::kCommit: {
      auto marker = wire::EndTxnMarker::decode(*key, body);
      if (!marker) return "endTxnMarker: " + marker.error().message;
      return fmt::format("endTxnMarker: {} coordinatorEpoch: {}", *type == Type::kCommit ? "COMMIT" : "ABORT",
                         marker->coordinator_epoch);
    }
    case Type::kSnapshotHeader:
      return json("SnapshotHeader", "SnapshotHeaderRecord");
    case Type::kSnapshotFooter:
      return json("SnapshotFooter", "SnapshotFooterRecord");
    case Type::kKRaftVersion:
      return json("KRaftVersion", "KRaftVersionRecord");
    case Type::kKRaftVoters:
      return json("KRaftVoters", "VotersRecord");
    case Type::kLeaderChange:
      return "controlType: LEADER_CHANGE(2)";
    case Type::kUnknown:
      break;
  }
  return "controlType: UNKNOWN(-1)";
}

}  // namespace barnabas::cli
