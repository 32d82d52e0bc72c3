#include "wire/shape.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "wire/reader.h"

namespace barnabas::wire {

namespace {

using Type = FieldShape::Type;

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      char escape[8];
      switch (c) {
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\t':
          out += "\\t";
          break;
        default:
          std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(byte));
          out += escape;
      }
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_base64(std::string& out, BytesView bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out += '"';
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    size_t have = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < have ? static_cast<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= have ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  out += '"';
}

class Printer {
 public:
  Printer(Reader& in, int16_t version, bool flexible) : in_(in), version_(version), flexible_(flexible) {}

  void fields(std::string& out, std::span<const FieldShape> shapes) {
    // Tagged fields come last, and are shown where they are declared.
    std::vector<std::string> texts(shapes.size());
    for (size_t i = 0; i < shapes.size() && !in_.failed(); ++i) {
      if (shapes[i].tag < 0 && shapes[i].versions.contains(version_)) value(texts[i], shapes[i]);
    }
    if (flexible_) {
      for (uint32_t left = in_.uvarint(); left > 0 && !in_.failed(); --left) tagged(shapes, texts);
    }
    out += '{';
    bool first = true;
    for (size_t i = 0; i < shapes.size(); ++i) {
      if (texts[i].empty()) continue;
      if (!first) out += ',';
      first = false;
      append_text(out, shapes[i].name);
      out += ':';
      out += texts[i];
    }
    out += '}';
  }

 private:
  void tagged(std::span<const FieldShape> shapes, std::vector<std::string>& texts) {
    Reader::Tag tag = in_.open_tag();
    for (size_t i = 0; i < shapes.size(); ++i) {
      bool this_one = shapes[i].tag >= 0 && static_cast<uint32_t>(shapes[i].tag) == tag.number &&
                      shapes[i].versions.contains(version_);
      if (!this_one) continue;
      texts[i].clear();
      value(texts[i], shapes[i]);
      in_.close_tag(tag);
      return;
    }
    in_.rest();
    in_.close_tag(tag);
  }

  void value(std::string& out, const FieldShape& shape) {
    bool nullable = shape.null.high >= shape.null.low;
    bool may_be_null = shape.null.contains(version_);
    if (shape.array) {
      uint32_t count = 0;
      if (nullable) {
        auto given = in_.nullable_array(flexible_, 1, may_be_null);
        if (!given) {
          out += "null";
          return;
        }
        count = *given;
      } else {
        count = in_.array(flexible_, 1);
      }
      out += '[';
      for (uint32_t i = 0; i < count && !in_.failed(); ++i) {
        if (i > 0) out += ',';
        element(out, shape, false, false);
      }
      out += ']';
      return;
    }
    element(out, shape, nullable, may_be_null);
  }

  void element(std::string& out, const FieldShape& shape, bool nullable, bool may_be_null) {
    switch (shape.type) {
      case Type::kBool:
        out += in_.boolean() ? "true" : "false";
        return;
      case Type::kInt8:
        out += std::to_string(in_.int8());
        return;
      case Type::kInt16:
        out += std::to_string(in_.int16());
        return;
      case Type::kUint16:
        out += std::to_string(in_.uint16());
        return;
      case Type::kInt32:
        out += std::to_string(in_.int32());
        return;
      case Type::kUint32:
        out += std::to_string(in_.uint32());
        return;
      case Type::kInt64:
        out += std::to_string(in_.int64());
        return;
      case Type::kFloat64: {
        char text[40];
        std::snprintf(text, sizeof text, "%.17g", in_.float64());
        out += text;
        if (std::string_view(text).find_first_of(".en") == std::string_view::npos) out += ".0";
        return;
      }
      case Type::kUuid:
        append_text(out, in_.uuid().to_string());
        return;
      case Type::kString: {
        auto text = nullable ? in_.nullable_string(flexible_, may_be_null) : in_.string(flexible_);
        if (text) {
          append_text(out, *text);
        } else {
          out += "null";
        }
        return;
      }
      case Type::kBytes:
      case Type::kRecords: {
        auto bytes = nullable ? in_.nullable_bytes(flexible_, may_be_null) : in_.bytes(flexible_);
        if (bytes) {
          append_base64(out, *bytes);
        } else {
          out += "null";
        }
        return;
      }
      case Type::kStruct:
        if (nullable && (shape.tag >= 0 ? in_.uvarint() == 0 : !in_.present())) {
          out += "null";
        } else {
          fields(out, shape.fields);
        }
    }
  }

  Reader& in_;
  int16_t version_;
  bool flexible_;
};

}  // namespace

const MessageShape* find_shape(MessageShape::Kind kind, int16_t type) {
  for (const MessageShape& shape : log_record_shapes()) {
    if (shape.kind == kind && shape.type == type) return &shape;
  }
  return nullptr;
}

const MessageShape* find_shape(std::string_view name) {
  auto shapes = log_record_shapes();
  auto found = std::ranges::find(shapes, name, &MessageShape::name);
  return found == shapes.end() ? nullptr : &*found;
}

Result<std::string> shape_to_json(const MessageShape& shape, int16_t version, BytesView bytes) {
  if (!shape.versions.contains(version)) {
    return fail(ErrorCode::kUnsupported,
                std::string(shape.name) + " has no version " + std::to_string(version) + " that is known here");
  }
  Reader in(bytes);
  std::string text;
  Printer(in, version, shape.flexible_from >= 0 && version >= shape.flexible_from).fields(text, shape.fields);
  if (in.failed()) return std::unexpected(in.error(shape.name, version));
  return text;
}

}  // namespace barnabas::wire
