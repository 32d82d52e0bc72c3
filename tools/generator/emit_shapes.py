"""The shapes of what logs hold: schema/ as tables, for wire/shape.h."""

from __future__ import annotations

from schema import Field, Message, Range, Schema, Struct

_TYPES = {"bool": "kBool", "int8": "kInt8", "int16": "kInt16", "uint16": "kUint16", "int32": "kInt32", "uint32": "kUint32",
          "int64": "kInt64", "float64": "kFloat64", "uuid": "kUuid", "string": "kString", "bytes": "kBytes",
          "records": "kRecords", "error": "kInt16"}


def _range(versions: Range | None) -> str:
    return f"{{{versions.low}, {versions.high}}}" if versions else "{}"


def _field(field: Field, prefix: str) -> str:
    name = field.name[0].lower() + field.name[1:]
    kind = "kStruct" if field.struct else _TYPES[field.base]
    fields = f"{prefix}{field.struct.name}" if field.struct else "{}"
    tag = -1 if field.tag is None else field.tag
    array = "true" if field.array else "false"
    return (f'    {{"{name}", Type::{kind}, {array}, {_range(field.versions)}, {_range(field.null)}, {tag}, {fields}}},')


def _struct(struct: Struct, prefix: str, name: str) -> list[str]:
    if not struct.fields:
        return [f"constexpr std::span<const FieldShape> {prefix}{name};"]
    return [f"constexpr FieldShape {prefix}{name}[] = {{", *(_field(f, prefix) for f in struct.fields), "};"]


def emit_shapes(schema: Schema) -> str:
    """A table of all records: metadata, keys and values of coordinators, and the small messages beside them."""
    rows: list[tuple[str, int, Message]] = [("kMetadata", m.key or 0, m) for m in schema.metadata]
    for one in schema.coordinators:
        log = one.log.capitalize()
        rows += [(f"k{log}Key", one.type, one.key), (f"k{log}Value", one.type, one.value)]
    rows += [("kData", -1, m) for m in schema.data]
    out = ["// Generated from schema/; change that.", '#include "wire/shape.h"', "", "namespace barnabas::wire {", "namespace {", "",
           "using Type = FieldShape::Type;", ""]
    table = []
    for number, (kind, key, message) in enumerate(rows):
        prefix = f"k{number}"
        for struct in message.structs:
            out += _struct(struct, prefix, struct.name)
        out += _struct(message.root, prefix, "Root")
        flexible = message.flexible.low if message.flexible else -1
        table.append(f'    {{"{message.name}", MessageShape::Kind::{kind}, {key}, {_range(message.versions)}, {flexible}, {prefix}Root}},')
    out += ["", "constexpr MessageShape kShapes[] = {", *table, "};", "", "}  // namespace", "",
            "std::span<const MessageShape> log_record_shapes() {", "  return kShapes;", "}", "", "}  // namespace barnabas::wire", ""]
    return "\n".join(out)
