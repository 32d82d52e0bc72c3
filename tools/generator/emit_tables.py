"""What is generated once for all messages: error codes, the table of APIs, the variants of log records."""

from __future__ import annotations

from emit_header import header_name
from names import error_constant, snake
from schema import MAX_VERSION, Api, Message, Range, Schema

_NOTE = "// Generated from schema/; change that."
LOGS = ("group", "share", "transaction")


def emit_error_header(schema: Schema) -> str:
    out = [_NOTE, "// Kafka's error codes. A code of a later Kafka stays what it is.", "#pragma once", "", "#include <cstdint>",
           "#include <string_view>", "", "namespace barnabas::wire {", "", "enum class KafkaError : int16_t {"]
    out += [f"  {error_constant(error.name)} = {error.code}," for error in schema.errors]
    out += ["};", "", "// \"NOT_LEADER_OR_FOLLOWER\"; \"UNKNOWN\" for a code that is not in the table.",
            "std::string_view kafka_error_name(KafkaError error);", "// One sentence.",
            "std::string_view kafka_error_message(KafkaError error);", "// Whether a client may try the same again.",
            "bool is_retriable(KafkaError error);", "// Whether a client should refresh its metadata before that.",
            "bool wants_fresh_metadata(KafkaError error);", "", "}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def emit_public_error_header(schema: Schema) -> str:
    """The same codes for programs that use the client library: an installed header without any other of ours."""
    out = [_NOTE, "// Kafka's error codes, as brokers answer them. A code of a later Kafka stays what it is.", "#pragma once", "",
           "#include <cstdint>", "", "namespace barnabas::client {", "", "enum class ErrorCode : int16_t {"]
    out += [f"  {error_constant(error.name)} = {error.code}," for error in schema.errors]
    out += ["};", "", "}  // namespace barnabas::client", ""]
    return "\n".join(out)


def emit_error_source(schema: Schema) -> str:
    first = schema.errors[0].code
    if [error.code for error in schema.errors] != list(range(first, first + len(schema.errors))):
        raise ValueError("error codes must come in order and without a hole")
    out = [_NOTE, '#include "wire/kafka_error.h"', "", "#include <iterator>", "", "namespace barnabas::wire {", "namespace {", "",
           "struct Row {", "  std::string_view name;", "  std::string_view message;", "  bool retriable;",
           "  bool wants_fresh_metadata;", "};", "", "constexpr Row kRows[] = {"]
    for error in schema.errors:
        flags = f"{str(error.retriable).lower()}, {str(error.refresh_metadata).lower()}"
        out.append(f'    {{"{error.name}", "{error.message}", {flags}}},')
    out += ["};", 'constexpr Row kUnknown = {"UNKNOWN", "The server answered with an error code of a later version.", false, false};',
            "", "const Row& row(KafkaError error) {", f"  int index = static_cast<int>(error) - ({first});",
            "  return index >= 0 && index < static_cast<int>(std::size(kRows)) ? kRows[index] : kUnknown;", "}", "",
            "}  // namespace", "", "std::string_view kafka_error_name(KafkaError error) { return row(error).name; }",
            "std::string_view kafka_error_message(KafkaError error) { return row(error).message; }",
            "bool is_retriable(KafkaError error) { return row(error).retriable; }",
            "bool wants_fresh_metadata(KafkaError error) { return row(error).wants_fresh_metadata; }", "",
            "}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def _range(versions: Range | None) -> str:
    return f"{{{versions.low}, {versions.high}}}" if versions else "kNoVersions"


def _api_row(api: Api) -> str:
    flexible = api.request.flexible_from
    flexible_text = "kNeverFlexible" if flexible == MAX_VERSION else str(flexible)
    served = api.release.versions
    listeners = ", ".join(str(name in api.listeners).lower() for name in ("broker", "controller"))
    return (f'    {{{api.key}, "{api.name}", {served.low}, {served.high}, {flexible_text}, {listeners}, '
            f"{_range(api.release.advertised)}}},")


def emit_api_table(schema: Schema) -> str:
    served = [api for api in schema.apis if api.release.versions]
    out = [_NOTE, '#include "wire/api.h"', "", '#include "wire/message.h"', "", "namespace barnabas::wire {", "namespace {", "",
           "constexpr VersionRange kNoVersions = {0, -1};", "constexpr ApiInfo kApis[] = {"]
    out += [_api_row(api) for api in served]
    out += ["};", "", "constexpr int16_t kRowOfKey[] = {"]
    rows = {api.key: row for row, api in enumerate(served)}
    out.append("    " + ", ".join(str(rows.get(key, -1)) for key in range(served[-1].key + 1)) + ",")
    out += ["};", "", "}  // namespace", "", "std::span<const ApiInfo> apis() { return kApis; }", "",
            "const ApiInfo* find_api(int16_t key) {",
            f"  if (key < 0 || key > {served[-1].key} || kRowOfKey[key] < 0) return nullptr;",
            "  return &kApis[kRowOfKey[key]];", "}", "", "}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def _variant(name: str, messages: list[Message], doc: str, extra: list[str]) -> list[str]:
    types = ",\n    ".join(extra + [m.name for m in messages])
    return [f"// {doc}", f"using {name} = std::variant<\n    {types}>;", ""]


def emit_metadata_variant(schema: Schema) -> str:
    out = [_NOTE, "#pragma once", "", "#include <variant>", ""]
    out += [f'#include "{header_name(m)}"' for m in schema.metadata]
    out += ["", "namespace barnabas::wire {", ""]
    out += _variant("MetadataRecord", schema.metadata, "Any record of the metadata log.", [])
    out += ["}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def emit_coordinator_variant(schema: Schema, log: str) -> str:
    records = [c for c in schema.coordinators if c.log == log]
    out = [_NOTE, "#pragma once", "", "#include <variant>", "", '#include "wire/unknown_record.h"']
    out += [f'#include "{header_name(m)}"' for c in records for m in (c.key, c.value)]
    out += ["", "namespace barnabas::wire {", ""]
    title = log.capitalize()
    out += _variant(f"{title}CoordinatorKey", [c.key for c in records], f"Any key of the {log} coordinator's log.", ["UnknownRecord"])
    out += _variant(f"{title}CoordinatorValue", [c.value for c in records], f"Any value of the {log} coordinator's log.", ["UnknownRecord"])
    out += ["}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def table_files(schema: Schema) -> dict[str, str]:
    files = {
        "barnabas/error_code.h": emit_public_error_header(schema),
        "wire/kafka_error.h": emit_error_header(schema),
        "wire/kafka_error.cpp": emit_error_source(schema),
        "wire/api_table.cpp": emit_api_table(schema),
        "wire/messages/metadata_records.h": emit_metadata_variant(schema),
    }
    for log in LOGS:
        files[f"wire/messages/{snake(log)}_coordinator_records.h"] = emit_coordinator_variant(schema, log)
    return files
