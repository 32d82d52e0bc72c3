"""The functions of a message: decode, encode, to_string. Straight code over wire/codec.h."""

from __future__ import annotations

from cpp import condition, element_type, is_set, least_bytes, negated
from names import member
from schema import Field, Message, NUMBERS, Range, Struct


class _Code:
    """Lines with their indentation."""

    def __init__(self):
        self.lines: list[str] = []
        self.depth = 0

    def add(self, text: str):
        self.lines.append("  " * self.depth + text)

    def open(self, text: str):
        self.add(text + " {")
        self.depth += 1

    def close(self, tail: str = "}"):
        self.depth -= 1
        self.add(tail)


def _may_be_null(field: Field, scope: Range) -> str:
    """The argument for a field that is nullable in some versions only."""
    text = condition(field.null, scope)
    return f", {text}" if text else ""


def _flexible(field: Field) -> str:
    return "false" if field.classic else "flexible"


def _reads_scalar(field: Field, message: Message) -> str:
    """An expression that reads one non-null value."""
    if field.base == "string":
        return f"in.string({_flexible(field)})"
    if field.base == "bytes":
        view = f"in.bytes({_flexible(field)})"
        return view if message.views else f"to_buffer({view})"
    if field.base == "records":
        return f"Payload::view(in.bytes({_flexible(field)}))"
    if field.base == "error":
        return "KafkaError(in.int16())"
    return f"in.{'boolean' if field.base == 'bool' else field.base}()"


def _read_value(code: _Code, field: Field, message: Message, scope: Range):
    name = f"m.{member(field.name)}"
    if field.array and field.struct:
        least = least_bytes(field, message)
        if field.nullable:
            code.open(f"if (auto count = in.nullable_array(flexible, {least}{_may_be_null(field, scope)}))")
            code.add(f"auto& list = {name}.emplace();")
            count = "*count"
        else:
            code.add("{")
            code.depth += 1
            code.add(f"auto& list = {name};")
            code.add(f"const uint32_t count = in.array(flexible, {least});")
            count = "count"
        code.add(f"reserve_some(list, {count});")
        code.add(f"for (uint32_t left = {count}; left > 0 && !in.failed(); --left) read_fields(in, v, list.emplace_back());")
        if field.nullable:
            code.depth -= 1
            code.add("} else {")
            code.depth += 1
            code.add(f"{name}.reset();")
        code.close()
    elif field.array:
        code.add(f"read_array(in, {name}, flexible{_may_be_null(field, scope) if field.nullable else ''});")
    elif field.struct and field.nullable:
        # In a tagged field presence is a varint, elsewhere a byte.
        present = "in.present()" if field.tag is None else "in.uvarint() != 0"
        code.add(f"if ({present}) read_fields(in, v, {name}.emplace());")
        code.add(f"else {name}.reset();")
    elif field.struct:
        code.add(f"read_fields(in, v, {name});")
    elif field.nullable and (field.base == "string" or message.views and field.base == "bytes"):
        code.add(f"{name} = in.nullable_{field.base}({_flexible(field)}{_may_be_null(field, scope)});")
    elif field.nullable:
        make = "to_buffer" if field.base == "bytes" else "Payload::view"
        code.add(f"if (auto bytes = in.nullable_bytes({_flexible(field)}{_may_be_null(field, scope)})) {name} = {make}(*bytes);")
        code.add(f"else {name}.reset();")
    else:
        code.add(f"{name} = {_reads_scalar(field, message)};")


def _write_value(code: _Code, field: Field, scope: Range):
    name = f"m.{member(field.name)}"
    flexible = _flexible(field)
    if field.array and field.struct:
        each = "for (const auto& element : {}) write_fields(out, v, element);"
        if field.nullable:
            code.open(f"if ({name})")
            code.add(f"out.array({name}->size(), flexible);")
            code.add(each.format("*" + name))
            code.depth -= 1
            code.add("} else {")
            code.depth += 1
            code.add(f"out.null_array(flexible{_may_be_null(field, scope)});")
            code.close()
        else:
            code.add(f"out.array({name}.size(), flexible);")
            code.add(each.format(name))
    elif field.array:
        code.add(f"write_array(out, {name}, flexible{_may_be_null(field, scope) if field.nullable else ''});")
    elif field.struct:
        if field.nullable:
            code.add(f"out.presence({name}.has_value());" if field.tag is None else f"out.uvarint({name} ? 1 : 0);")
            code.add(f"if ({name}) write_fields(out, v, *{name});")
        else:
            code.add(f"write_fields(out, v, {name});")
    elif field.nullable:
        code.add(f"out.nullable_{field.base}({name}, {flexible}{_may_be_null(field, scope)});")
    elif field.base in ("string", "bytes", "records"):
        code.add(f"out.{field.base}({name}, {flexible});")
    elif field.base == "error":
        code.add(f"out.int16(static_cast<int16_t>({name}));")
    else:
        code.add(f"out.{'boolean' if field.base == 'bool' else field.base}({name});")


def _conditional(code: _Code, text: str, body):
    if text:
        code.open(f"if ({text})")
    body()
    if text:
        code.close()


def _declare_flexible(code: _Code, message: Message, scope: Range):
    if not message.flexible or message.flexible_from > scope.high:
        code.add("[[maybe_unused]] constexpr bool flexible = false;")
    elif message.flexible.covers(scope):
        code.add("[[maybe_unused]] constexpr bool flexible = true;")
    else:
        code.add(f"[[maybe_unused]] const bool flexible = v >= {message.flexible_from};")


def _scope(struct: Struct, message: Message) -> Range:
    return struct.versions.within(message.versions)


def _tagged(struct: Struct) -> list[Field]:
    return sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)


def _reader(code: _Code, struct: Struct, message: Message, cpp_name: str):
    scope = _scope(struct, message)
    code.open(f"[[maybe_unused]] void read_fields(Reader& in, [[maybe_unused]] int16_t v, [[maybe_unused]] {cpp_name}& m)")
    _declare_flexible(code, message, scope)
    for field in struct.fields:
        if field.tag is None:
            _conditional(code, condition(field.versions, scope), lambda f=field: _read_value(code, f, message, scope))
    if message.flexible:
        _read_tags(code, struct, message, scope)
    code.close()
    code.add("")


def _read_tags(code: _Code, struct: Struct, message: Message, scope: Range):
    tagged = _tagged(struct)
    if not tagged:
        code.add("if (flexible) read_unknown_tags(in, m.unknown_tags);")
        return
    code.open("if (flexible)")
    code.open("for (uint32_t tags = in.uvarint(); tags > 0 && !in.failed(); --tags)")
    code.add("const Reader::Tag tag = in.open_tag();")
    first = True
    for field in tagged:
        text = condition(field.versions, scope.within(message.flexible))
        test = f"tag.number == {field.tag}" + (f" && {text}" if text else "")
        if first:
            code.open(f"if ({test})")
        else:
            code.depth -= 1
            code.add(f"}} else if ({test}) {{")
            code.depth += 1
        first = False
        _read_value(code, field, message, field.versions)
    code.depth -= 1
    code.add("} else {")
    code.depth += 1
    code.add("keep_tag(in, tag.number, m.unknown_tags);")
    code.close()
    code.add("in.close_tag(tag);")
    code.close()
    code.close()


def _writer(code: _Code, struct: Struct, message: Message, cpp_name: str):
    scope = _scope(struct, message)
    code.open(f"[[maybe_unused]] void write_fields(Writer& out, [[maybe_unused]] int16_t v, [[maybe_unused]] const {cpp_name}& m)")
    _declare_flexible(code, message, scope)
    for field in struct.fields:
        text = condition(field.versions, scope)
        refuse = None
        if text and not field.ignorable:
            refuse = f'out.fail_unsupported({message.name}::kName, "{member(field.name)}", v);'
        if field.tag is None:
            _conditional(code, text, lambda f=field: _write_value(code, f, scope))
            if refuse:
                code.lines[-1] += f" else if ({is_set(field, 'm')}) {{"
                code.depth += 1
                code.add(refuse)
                code.close()
        elif refuse:
            code.add(f"if ({negated(text)} && {is_set(field, 'm')}) {refuse}")
    if message.flexible:
        _write_tags(code, struct, message, scope)
    code.close()
    code.add("")


def _write_tags(code: _Code, struct: Struct, message: Message, scope: Range):
    tagged = _tagged(struct)
    always = message.flexible.covers(scope)
    if not always:
        code.open("if (!flexible)")
        code.add(f"refuse_tags(out, m.unknown_tags, {message.name}::kName, v);")
        code.add("return;")
        code.close()
    if not tagged:
        code.add("out.tags(m.unknown_tags);")
        return
    inner = scope.within(message.flexible)
    code.add("size_t tag_count = m.unknown_tags.size();")
    for field in tagged:
        text = condition(field.versions, inner)
        code.add(f"const bool has_{member(field.name)} = {text + ' && ' if text else ''}{is_set(field, 'm')};")
        code.add(f"tag_count += has_{member(field.name)};")
    code.add("out.uvarint(static_cast<uint32_t>(tag_count));")
    code.add("size_t next = 0;")
    for field in tagged:
        code.open(f"if (has_{member(field.name)})")
        code.add(f"out.tags_below(m.unknown_tags, next, {field.tag});")
        code.add(f"const Writer::Tag tag = out.open_tag({field.tag});")
        _write_value(code, field, field.versions)
        code.add("out.close_tag(tag);")
        code.close()
    code.add("out.rest_of_tags(m.unknown_tags, next);")


def _printer(code: _Code, struct: Struct, cpp_name: str):
    code.open(f"[[maybe_unused]] void print_fields(FieldPrinter& out, [[maybe_unused]] const {cpp_name}& m)")
    code.add("out.open('{');")
    for field in struct.fields:
        name = member(field.name)
        code.add(f'out.name("{name}");')
        if not field.struct:
            code.add(f"out.value(m.{name});")
            continue
        target = f"m.{name}"
        if field.nullable:
            code.open(f"if (!m.{name})")
            code.add("out.null();")
            code.depth -= 1
            code.add("} else {")
            code.depth += 1
            target = f"*m.{name}"
        if field.array:
            code.add("out.open('[');")
            code.open(f"for (const auto& element : {target})")
            code.add("if (!out.element()) break;")
            code.add("print_fields(out, element);")
            code.close()
            code.add("out.close(']');")
        else:
            code.add(f"print_fields(out, {target});")
        if field.nullable:
            code.close()
    code.add("out.close('}');")
    code.close()
    code.add("")


def emit_codec(message: Message) -> str:
    """The definitions of one message, to stand in a file with others inside namespace barnabas::wire."""
    code = _Code()
    name = message.name
    code.add("namespace {")
    code.add("")
    for struct in message.structs + [message.root]:
        cpp_name = name if struct is message.root else f"{name}::{struct.name}"
        _reader(code, struct, message, cpp_name)
        _writer(code, struct, message, cpp_name)
        _printer(code, struct, cpp_name)
    code.add("}  // namespace")
    code.add("")
    code.open(f"Result<{name}> {name}::decode(Reader& in, int16_t v)")
    code.add("if (v < kMinVersion || v > kMaxVersion) return std::unexpected(unknown_version(kName, v));")
    code.add(f"Result<{name}> message;")
    code.add("read_fields(in, v, *message);")
    code.add("if (in.failed()) [[unlikely]] return std::unexpected(in.error(kName, v));")
    code.add("return message;")
    code.close()
    code.add("")
    code.open(f"Result<> {name}::encode(Writer& out, int16_t v) const")
    code.add("if (v < kMinVersion || v > kMaxVersion) return std::unexpected(unknown_version(kName, v));")
    code.add("write_fields(out, v, *this);")
    code.add("return out.status();")
    code.close()
    code.add("")
    code.open(f"std::string {name}::to_string() const")
    code.add("FieldPrinter printer(kName);")
    code.add("print_fields(printer, *this);")
    code.add("return printer.take();")
    code.close()
    code.add("")
    return "\n".join(code.lines)
