"""Random values for every message and the catalog of them: for tests only."""

from __future__ import annotations

from cpp import condition
from emit_header import header_name
from names import member
from schema import Message, Range, Struct


def _fill_field(field, scope: Range) -> list[str]:
    name = f"m.{member(field.name)}"
    target = name
    lines = []
    if field.nullable:
        test = condition(field.null, scope)
        lines.append(f"if ({f'({test}) && ' if test else ''}s.null()) {{ {name}.reset(); }} else {{")
        lines.append(f"{name}.emplace();")
        target = f"(*{name})"
    if field.struct and field.array:
        lines.append(f"{target}.resize(s.count());")
        lines.append(f"for (auto& element : {target}) fill(s, v, element);")
    elif field.struct:
        lines.append(f"fill(s, v, {target});")
    else:
        lines.append(f"s.fill({target});")
    if field.nullable:
        lines.append("}")
    return lines


def _fill(struct: Struct, message: Message, cpp_name: str) -> list[str]:
    scope = struct.versions.within(message.versions)
    out = [f"void fill([[maybe_unused]] Sampler& s, [[maybe_unused]] int16_t v, [[maybe_unused]] {cpp_name}& m) {{"]
    for field in struct.fields:
        tests = [condition(field.versions, scope)] + (["s.tagged()"] if field.tag is not None else [])
        test = " && ".join(t for t in tests if t)
        out += [f"if ({test}) {{"] if test else []
        out += _fill_field(field, field.versions)
        out += ["}"] if test else []
    if message.flexible:
        test = condition(message.flexible.within(scope), scope) if message.flexible.within(scope) else "false"
        out.append(f"{f'if ({test}) ' if test else ''}s.fill(m.unknown_tags);")
    return out + ["}"]


def emit_samples(messages: list[Message], number: int) -> str:
    out = ["// Generated from schema/; change that.", '#include "wire/testing/catalog.h"']
    out += [f'#include "{header_name(m)}"' for m in messages]
    out += ["", "namespace barnabas::wire::testing {", "namespace {", ""]
    for message in messages:
        for struct in message.structs + [message.root]:
            cpp_name = message.name if struct is message.root else f"{message.name}::{struct.name}"
            out += _fill(struct, message, cpp_name)
    out += ["}  // namespace", "", f"std::span<const MessageEntry> messages_{number}() {{", "static constexpr MessageEntry kEntries[] = {"]
    for message in messages:
        name = message.name
        out.append(f"{{{name}::kName, {name}::kMinVersion, {name}::kMaxVersion, {name}::kFlexibleFrom, transcode<{name}>, "
                   f"sample<{name}, fill>, print<{name}>}},")
    out += ["};", "return kEntries;", "}", "", "}  // namespace barnabas::wire::testing", ""]
    return "\n".join(out)


def emit_catalog(parts: int) -> str:
    out = ["// Generated from schema/; change that.", '#include "wire/testing/catalog.h"', "", "#include <algorithm>", "",
           "namespace barnabas::wire::testing {", ""]
    out += [f"std::span<const MessageEntry> messages_{number}();" for number in range(parts)]
    out += ["", "const std::vector<MessageEntry>& all_messages() {",
            "  static const std::vector<MessageEntry> messages = [] {", "    std::vector<MessageEntry> all;",
            f"    for (auto part : {{{', '.join(f'messages_{number}()' for number in range(parts))}}}) {{",
            "      all.insert(all.end(), part.begin(), part.end());", "    }", "    return all;", "  }();", "  return messages;", "}", "",
            "const MessageEntry* find_message(std::string_view name) {",
            "  auto at = std::ranges::find(all_messages(), name, &MessageEntry::name);",
            "  return at == all_messages().end() ? nullptr : &*at;", "}", "", "}  // namespace barnabas::wire::testing", ""]
    return "\n".join(out)
