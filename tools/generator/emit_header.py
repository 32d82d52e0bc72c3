"""The header of a message: its struct."""

from __future__ import annotations

from cpp import field_type, initializer
from names import member, snake
from schema import Message, Struct


def header_name(message: Message) -> str:
    return f"wire/messages/{snake(message.name)}.h"


def _struct_lines(struct: Struct, message: Message, indent: str) -> list[str]:
    lines = []
    for field in struct.fields:
        note = "" if field.versions.covers(message.versions) else f"  // {field.versions}"
        lines.append(f"{indent}{field_type(field, message)} {member(field.name)}{initializer(field)};{note}")
    if message.flexible:
        lines.append(f"{indent}UnknownTags unknown_tags;")
    return lines


def _needs_namespace(message: Message) -> bool:
    """Whether some struct of the message is nullable. std::optional cannot default-construct a struct that is nested in
    the class that holds the optional, so such messages keep their structs outside and name them with aliases."""
    return any(f.struct and f.nullable and not f.array for s in message.structs + [message.root] for f in s.fields)


def _struct(struct: Struct, message: Message, indent: str) -> list[str]:
    return [f"{indent}struct {struct.name} {{", *_struct_lines(struct, message, indent + "  "), "",
            f"{indent}  bool operator==(const {struct.name}&) const = default;", f"{indent}}};"]


def emit_header(message: Message) -> str:
    name = message.name
    out = [f"// Generated from {message.source}; change that.", "#pragma once", "", '#include "wire/message.h"', "",
           "namespace barnabas::wire {", ""]
    outside = _needs_namespace(message)
    if outside:
        out.append(f"namespace {snake(name)} {{")
        for struct in message.structs:
            out += ["", *_struct(struct, message, "")]
        out += ["", f"}}  // namespace {snake(name)}", ""]
    out.append(f"// {message.doc}")
    if message.views:
        out.append("// Text and bytes are views into what was decoded.")
    out.append(f"struct {name} {{")
    if message.key is not None:
        constant = "kRecordType" if message.kind in ("key", "value") else "kApiKey"
        out.append(f"  static constexpr int16_t {constant} = {message.key};")
    flexible = str(message.flexible_from) if message.flexible else "kNeverFlexible"
    out.append(f"  static constexpr int16_t kMinVersion = {message.versions.low};")
    out.append(f"  static constexpr int16_t kMaxVersion = {message.versions.high};")
    out.append(f"  static constexpr int16_t kFlexibleFrom = {flexible};")
    out.append(f'  static constexpr std::string_view kName = "{name}";')
    if outside:
        out.append("")
        out += [f"  using {struct.name} = {snake(name)}::{struct.name};" for struct in message.structs]
    else:
        for struct in message.structs:
            out += ["", *_struct(struct, message, "  ")]
    out.append("")
    out += _struct_lines(message.root, message, "  ")
    out += ["", f"  static Result<{name}> decode(Reader& in, int16_t version);",
            "  Result<> encode(Writer& out, int16_t version) const;", "  std::string to_string() const;",
            f"  bool operator==(const {name}&) const = default;", "};", "", "}  // namespace barnabas::wire", ""]
    return "\n".join(out)
