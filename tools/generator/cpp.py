"""How a field looks in C++: its type, its default, and the test for 'set'."""

from __future__ import annotations

from names import member
from schema import FIXED_BYTES, Field, Message, NUMBERS, Range, Struct

_VALUE = {"bool": "bool", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
          "uint16": "uint16_t", "uint32": "uint32_t", "float64": "double", "uuid": "Uuid", "error": "KafkaError",
          "records": "Payload"}


def element_type(field: Field, message: Message) -> str:
    if field.struct:
        return field.struct.name
    if field.base == "string":
        return "std::string_view" if message.views else "std::string"
    if field.base == "bytes":
        return "BytesView" if message.views else "Buffer"
    return _VALUE[field.base]


def field_type(field: Field, message: Message) -> str:
    kind = element_type(field, message)
    if field.array:
        kind = f"std::vector<{kind}>"
    return f"std::optional<{kind}>" if field.nullable else kind


def default_null(field: Field) -> bool:
    return field.nullable and field.default == "null"


def _number(text: str, base: str) -> str:
    value = int(text, 0)
    if base == "int32" and value == -2**31:
        return "std::numeric_limits<int32_t>::min()"
    if base == "int64" and value == 2**63 - 1:
        return "std::numeric_limits<int64_t>::max()"
    return text


def default_value(field: Field) -> str | None:
    """The default as an expression; None where a value-initialized one is meant."""
    if field.default is None or field.default == "null":
        return None
    if field.base in NUMBERS:
        return _number(field.default, field.base)
    if field.base == "bool":
        return field.default
    raise ValueError(f"{field.name}: a default for {field.base} is not supported")


def initializer(field: Field) -> str:
    if field.nullable:
        return "" if default_null(field) else "{std::in_place}"
    if field.array or field.struct:
        return ""
    if field.base in NUMBERS or field.base == "bool":
        return " = " + (default_value(field) or ("false" if field.base == "bool" else "0"))
    return " = KafkaError::kNone" if field.base == "error" else ""


def is_set(field: Field, owner: str) -> str:
    """An expression: the field differs from its default."""
    name = f"{owner}.{member(field.name)}"
    if default_null(field):
        return f"{name}.has_value()"
    if field.nullable:
        if field.struct and not field.array:
            return f"(!{name} || *{name} != decltype({name})::value_type{{}})"
        return f"(!{name} || !{name}->empty())"
    if field.array or field.base in ("string", "bytes"):
        return f"!{name}.empty()"
    if field.struct:
        return f"{name} != decltype({name}){{}}"
    if field.base == "records":
        return f"{name}.size() != 0"
    if field.base == "uuid":
        return f"!{name}.is_zero()"
    if field.base == "error":
        return f"{name} != KafkaError::kNone"
    if field.base == "bool":
        return f"!{name}" if default_value(field) == "true" else name
    return f"{name} != {default_value(field) or '0'}"


def condition(versions: Range, scope: Range) -> str:
    """An expression in `v`, empty when it always holds in `scope`."""
    if versions.covers(scope):
        return ""
    if versions.low == versions.high:
        return f"v == {versions.low}"
    parts = []
    if versions.low > scope.low:
        parts.append(f"v >= {versions.low}")
    if versions.high < scope.high:
        parts.append(f"v <= {versions.high}")
    return " && ".join(parts)


def negated(text: str) -> str:
    if " && " in text:
        return f"!({text})"
    for operator, opposite in ((">=", "<"), ("<=", ">"), ("==", "!=")):
        if operator in text:
            return text.replace(operator, opposite)
    raise ValueError(text)


def least_bytes(field: Field, message: Message) -> int:
    """The fewest bytes one element of an array field takes, in any version it is in."""
    return max(1, min(_element_bytes(field, message, version) for version in field.versions))


def _element_bytes(field: Field, message: Message, version: int) -> int:
    flexible = message.flexible is not None and version in message.flexible
    if field.struct:
        return _struct_bytes(field.struct, message, version)
    if field.base in FIXED_BYTES:
        return FIXED_BYTES[field.base]
    return 1 if flexible else 2 if field.base == "string" else 4


def _struct_bytes(struct: Struct, message: Message, version: int) -> int:
    flexible = message.flexible is not None and version in message.flexible
    total = 1 if flexible else 0
    for field in struct.fields:
        if version not in field.versions or field.tag is not None:
            continue
        if field.array:
            total += 1 if flexible else 4
        elif field.struct and field.nullable:
            total += 1
        else:
            total += _element_bytes(field, message, version)
    return total
