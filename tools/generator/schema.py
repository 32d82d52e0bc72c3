"""The schema as values, and the reader of .msg files. The grammar is told in schema/README.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field as dataclass_field
from pathlib import Path

MAX_VERSION = 32767
NUMBERS = {"int8", "int16", "int32", "int64", "uint16", "uint32", "float64"}
PRIMITIVES = NUMBERS | {"bool", "string", "bytes", "records", "uuid", "error"}
FIXED_BYTES = {"bool": 1, "int8": 1, "int16": 2, "error": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
               "float64": 8, "uuid": 16}


class SchemaError(Exception):
    pass


@dataclass(frozen=True)
class Range:
    """Versions from `low` to `high`, both included."""
    low: int
    high: int

    def __contains__(self, version: int) -> bool:
        return self.low <= version <= self.high

    def covers(self, other: Range) -> bool:
        return self.low <= other.low and other.high <= self.high

    def within(self, other: Range) -> Range | None:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Range(low, high) if low <= high else None

    def __iter__(self):
        return iter(range(self.low, self.high + 1))

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    @staticmethod
    def parse(text: str) -> Range:
        match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
        if not match:
            raise SchemaError(f"'{text}' is no range of versions")
        low = int(match[1])
        high = MAX_VERSION if match[2] else int(match[3] or low)
        if high < low:
            raise SchemaError(f"'{text}' is an empty range of versions")
        return Range(low, high)


@dataclass
class Struct:
    name: str
    versions: Range
    fields: list[Field] = dataclass_field(default_factory=list)


@dataclass
class Field:
    name: str
    base: str  # a primitive, or the name of a struct
    array: bool
    versions: Range
    null: Range | None = None
    tag: int | None = None
    default: str | None = None
    ignorable: bool = False
    classic: bool = False
    key: bool = False
    entity: str | None = None
    struct: Struct | None = None  # of a struct field, once names are resolved

    @property
    def nullable(self) -> bool:
        return self.null is not None


@dataclass
class Message:
    name: str
    kind: str  # request, response, header, metadata, key, value, data
    key: int | None
    versions: Range
    flexible: Range | None
    views: bool
    doc: str
    source: str
    root: Struct
    structs: list[Struct]  # all but the root, each after those it uses

    @property
    def flexible_from(self) -> int:
        return self.flexible.low if self.flexible else MAX_VERSION


@dataclass
class Release:
    """What release 4.3 does with an API: the versions it serves, and those it tells of."""
    versions: Range | None
    advertised: Range | None


@dataclass
class Api:
    name: str
    key: int
    doc: str
    listeners: list[str]
    release: Release
    request: Message | None = None  # None for an API that was removed
    response: Message | None = None


@dataclass
class ErrorCode:
    code: int
    name: str
    retriable: bool
    refresh_metadata: bool
    message: str


@dataclass
class Coordinator:
    """One kind of record of a coordinator's log."""
    name: str
    log: str
    type: int
    key: Message
    value: Message


@dataclass
class Schema:
    apis: list[Api] = dataclass_field(default_factory=list)
    headers: list[Message] = dataclass_field(default_factory=list)
    metadata: list[Message] = dataclass_field(default_factory=list)
    coordinators: list[Coordinator] = dataclass_field(default_factory=list)
    data: list[Message] = dataclass_field(default_factory=list)
    errors: list[ErrorCode] = dataclass_field(default_factory=list)

    def messages(self) -> list[Message]:
        pairs = [m for api in self.apis for m in (api.request, api.response) if m]
        records = [m for c in self.coordinators for m in (c.key, c.value)]
        return self.headers + pairs + self.metadata + records + self.data


class _Line:
    def __init__(self, path: str, number: int, text: str):
        self.where = f"{path}:{number}"
        stripped = text.lstrip(" ")
        self.depth, odd = divmod(len(text) - len(stripped), 2)
        if odd:
            raise SchemaError(f"{self.where}: indentation is two spaces a level")
        self.words = stripped.split()

    def fail(self, why: str):
        raise SchemaError(f"{self.where}: {why}")

    def attributes(self, start: int, allowed: set[str]) -> dict[str, str]:
        found = {}
        for word in self.words[start:]:
            name, _, value = word.partition("=")
            if name not in allowed or name in found:
                self.fail(f"'{word}' is not expected here")
            found[name] = value
        return found


def _parse_field(line: _Line, scope: Range) -> Field | None:
    words = line.words
    if len(words) < 2:
        line.fail("a field is a name and a type")
    name, kind, rest = words[0], words[1], words[2:]
    array = kind.startswith("[]")
    nullable = kind.endswith("?")
    base = kind.removeprefix("[]").removesuffix("?")
    versions = scope
    if rest and rest[0][0].isdigit():
        within = Range.parse(rest[0]).within(scope)
        if within is None:
            line.fail(f"{rest[0]} is outside of what encloses it")
        versions = within
        rest = rest[1:]
        line = _skip(line, 1)
    attributes = line.attributes(2, {"null", "tag", "default", "ignorable", "classic", "key", "entity"})
    null = None
    if nullable:
        null = Range.parse(attributes["null"]).within(versions) if "null" in attributes else versions
    return Field(name=name, base=base, array=array, versions=versions, null=null,
                 tag=int(attributes["tag"]) if "tag" in attributes else None, default=attributes.get("default"),
                 ignorable="ignorable" in attributes, classic="classic" in attributes, key="key" in attributes,
                 entity=attributes.get("entity"))


def _skip(line: _Line, count: int) -> _Line:
    copy = object.__new__(_Line)
    copy.where, copy.depth = line.where, line.depth
    copy.words = line.words[:2] + line.words[2 + count:]
    return copy


def _parse_body(lines: list[_Line], versions: Range, name: str, depth: int) -> tuple[Struct, list[Struct]]:
    """The fields of a message, first of which is lines[0]; consumes them."""
    root = Struct(name, versions)
    structs: dict[str, Struct] = {}
    owners = [(depth - 1, root)]
    all_fields: list[tuple[_Line, Field]] = []
    while lines and lines[0].depth >= depth:
        line = lines.pop(0)
        while owners[-1][0] >= line.depth:
            owners.pop()
        if line.depth != owners[-1][0] + 1:
            line.fail("indented too far")
        owner = owners[-1][1]
        if line.words[0] == "struct" and line.depth == depth:
            scope = Range.parse(line.words[2]).within(versions) if len(line.words) > 2 else versions
            struct = structs.setdefault(line.words[1], Struct(line.words[1], scope))
            if struct.fields:
                line.fail(f"struct {struct.name} is there twice")
            owners.append((line.depth, struct))
            continue
        parsed = _parse_field(line, owner.versions)
        owner.fields.append(parsed)
        all_fields.append((line, parsed))
        if parsed.base not in PRIMITIVES and lines and lines[0].depth > line.depth:
            if parsed.base in structs:
                line.fail(f"struct {parsed.base} is there twice")
            structs[parsed.base] = Struct(parsed.base, parsed.versions)
            owners.append((line.depth, structs[parsed.base]))
    for line, parsed in all_fields:
        if parsed.base not in PRIMITIVES:
            if parsed.base not in structs:
                line.fail(f"there is no type {parsed.base}")
            parsed.struct = structs[parsed.base]
    return root, _dependencies_first(root, name)


def _dependencies_first(root: Struct, name: str) -> list[Struct]:
    ordered: list[Struct] = []
    open_names: set[str] = set()

    def visit(struct: Struct):
        if struct in ordered:
            return
        if struct.name in open_names:
            raise SchemaError(f"{name}: struct {struct.name} contains itself")
        open_names.add(struct.name)
        for parsed in struct.fields:
            if parsed.struct:
                visit(parsed.struct)
        if struct is not root:
            ordered.append(struct)

    visit(root)
    return ordered


def _check(message: Message):
    for struct in [message.root] + message.structs:
        tags = [f.tag for f in struct.fields if f.tag is not None]
        if sorted(tags) != list(range(len(tags))):
            raise SchemaError(f"{message.name}.{struct.name}: tags must be 0, 1, 2 ... without a hole")
        for f in struct.fields:
            if f.tag is not None and not (message.flexible and message.flexible.covers(f.versions)):
                raise SchemaError(f"{message.name}.{f.name}: a tag in a version that is not flexible")
            if f.struct and f.nullable and not f.array and f.null != f.versions:
                raise SchemaError(f"{message.name}.{f.name}: a struct is nullable in all of its versions or none")


def _message(lines: list[_Line], name: str, kind: str, key: int | None, attributes: dict[str, str], doc: str,
             source: str) -> Message:
    versions = Range.parse(attributes["versions"])
    flexible = Range.parse(attributes["flexible"]) if "flexible" in attributes else None
    root, structs = _parse_body(lines, versions, name, 1)
    message = Message(name, kind, key, versions, flexible, "views" in attributes, doc, source, root, structs)
    _check(message)
    return message


def _release(lines: list[_Line], versions: Range | None) -> Release:
    if not lines or lines[0].words[0] != "release":
        return Release(versions, versions)
    line = lines.pop(0)
    if line.words[1:] == ["4.3", "none"]:
        return Release(None, None)
    attributes = line.attributes(2, {"versions", "advertised", "unadvertised"})
    served = Range.parse(attributes["versions"]) if "versions" in attributes else versions
    advertised = Range.parse(attributes["advertised"]) if "advertised" in attributes else served
    return Release(served, None if "unadvertised" in attributes else advertised)


_MESSAGE = {"versions", "flexible", "views"}


def _expect(lines: list[_Line], word: str, allowed: set[str]) -> dict[str, str]:
    if not lines or lines[0].words[0] != word:
        raise SchemaError(f"{lines[0].where if lines else 'end of file'}: expected '{word}'")
    return lines.pop(0).attributes(1, allowed)


def parse_text(schema: Schema, text: str, path: str):
    """Adds what `text`, the content of file `path`, says to `schema`."""
    doc_lines = []
    for raw in text.splitlines():
        if not raw.startswith("#"):
            break
        doc_lines.append(raw.lstrip("# "))
    doc = " ".join(doc_lines)
    lines = [_Line(path, number, raw) for number, raw in enumerate(text.splitlines(), 1)
             if raw.strip() and not raw.lstrip().startswith("#")]
    if lines and lines[0].words[0] == "error":
        schema.errors += [_parse_error(line) for line in lines]
        return
    head = lines.pop(0)
    kind, name = head.words[0], head.words[1]
    if kind == "api":
        if head.words[-1] == "removed":
            schema.apis.append(Api(name, int(head.attributes(2, {"key", "removed"})["key"]), doc, [], Release(None, None)))
            return
        attributes = head.attributes(2, {"key", "listeners"} | _MESSAGE)
        key = int(attributes["key"])
        release = _release(lines, Range.parse(attributes["versions"]))
        sides = []
        for side in ("request", "response"):
            own = {k: v for k, v in attributes.items() if k in _MESSAGE} | _expect(lines, side, {"views"})
            sides.append(_message(lines, name + side.capitalize(), side, key, own, doc, path))
        schema.apis.append(Api(name, key, doc, attributes["listeners"].split(","), release, *sides))
    elif kind == "coordinator":
        attributes = head.attributes(2, {"log", "type"})
        record_type = int(attributes["type"])
        key = _message(lines, name + "Key", "key", record_type, _expect(lines, "key", _MESSAGE), doc, path)
        value = _message(lines, name + "Value", "value", record_type, _expect(lines, "value", _MESSAGE), doc, path)
        schema.coordinators.append(Coordinator(name, attributes["log"], record_type, key, value))
    elif kind in ("header", "metadata", "data"):
        attributes = head.attributes(2, _MESSAGE | ({"key"} if kind == "metadata" else set()))
        _release(lines, None)
        key = int(attributes["key"]) if kind == "metadata" else None
        message = _message(lines, name, kind, key, attributes, doc, path)
        {"header": schema.headers, "metadata": schema.metadata, "data": schema.data}[kind].append(message)
    else:
        head.fail(f"'{kind}' is not known")
    if lines:
        lines[0].fail("nothing more is expected here")


def _parse_error(line: _Line) -> ErrorCode:
    words = line.words
    text = " ".join(words[3:])
    flags, quote, sentence = text.partition('"')
    if not quote or not sentence.endswith('"'):
        line.fail("an error ends with its sentence in quotes")
    properties = flags.split()
    if set(properties) - {"retriable", "refresh-metadata"}:
        line.fail("an error is 'retriable' and 'refresh-metadata', or not")
    return ErrorCode(int(words[1]), words[2], "retriable" in properties, "refresh-metadata" in properties, sentence[:-1])


def load(folder: Path) -> Schema:
    """All of `folder`, in the order of the file names."""
    schema = Schema()
    for path in sorted(folder.rglob("*.msg")):
        parse_text(schema, path.read_text(), path.relative_to(folder.parent).as_posix())
    schema.apis.sort(key=lambda api: api.key)
    schema.metadata.sort(key=lambda message: message.key)
    names = [m.name for m in schema.messages()]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SchemaError(f"said twice: {', '.join(sorted(twice))}")
    return schema
