#!/usr/bin/env python3
"""Writes the C++ of the wire protocol from schema/.

    generate.py --schema DIR --out DIR     headers, sources and tables under DIR/wire, test support under DIR/wire_testing
    generate.py --schema DIR --docs FILE   the protocol document
    generate.py --schema DIR --docs FILE --check   fails if FILE is not what it would write

A file whose content stays the same is not touched, so nothing is built again for it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from emit_codec import emit_codec  # noqa: E402
from emit_docs import emit_docs  # noqa: E402
from emit_header import emit_header, header_name  # noqa: E402
from emit_samples import emit_catalog, emit_samples  # noqa: E402
from emit_shapes import emit_shapes  # noqa: E402
from emit_tables import table_files  # noqa: E402
from schema import Message, Schema, SchemaError, load  # noqa: E402

SOURCES = 24  # the codecs are spread over this many files: few enough to build fast, small enough to build in parallel
SAMPLES = 8


def _weight(message: Message) -> int:
    return 3 + sum(len(struct.fields) + 2 for struct in message.structs + [message.root])


def split(messages: list[Message], parts: int) -> list[list[Message]]:
    """Neighbours together, in about equal weights."""
    total = sum(map(_weight, messages))
    groups: list[list[Message]] = [[] for _ in range(parts)]
    before = 0
    for message in messages:
        groups[min(parts - 1, before * parts // total)].append(message)
        before += _weight(message)
    return groups


def _source(messages: list[Message]) -> str:
    out = ["// Generated from schema/; change that.", '#include "wire/codec.h"']
    out += [f'#include "{header_name(m)}"' for m in messages]
    out += ["", "namespace barnabas::wire {", ""]
    out += [emit_codec(m) for m in messages]
    out += ["}  // namespace barnabas::wire", ""]
    return "\n".join(out)


def all_files(schema: Schema) -> dict[str, str]:
    files = table_files(schema)
    messages = schema.messages()
    for message in messages:
        files[header_name(message)] = emit_header(message)
    files["wire/messages/shapes.cpp"] = emit_shapes(schema)
    for number, group in enumerate(split(messages, SOURCES)):
        files[f"wire/messages/codec_{number:02}.cpp"] = _source(group)
    for number, group in enumerate(split(messages, SAMPLES)):
        files[f"wire_testing/samples_{number}.cpp"] = emit_samples(group, number)
    files["wire_testing/catalog.cpp"] = emit_catalog(SAMPLES)
    return files


def write_changed(folder: Path, files: dict[str, str]):
    for name, text in files.items():
        path = folder / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for stale in [*(folder / "wire").rglob("*"), *(folder / "wire_testing").rglob("*")]:
        if stale.is_file() and stale.relative_to(folder).as_posix() not in files:
            stale.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        schema = load(arguments.schema)
    except SchemaError as error:
        print(f"schema: {error}", file=sys.stderr)
        return 1
    if arguments.out:
        write_changed(arguments.out, all_files(schema))
    if arguments.docs:
        text = emit_docs(schema)
        if arguments.check and (not arguments.docs.exists() or arguments.docs.read_text() != text):
            print(f"{arguments.docs} is not current: run tools/generator/generate.py --schema schema --docs {arguments.docs}",
                  file=sys.stderr)
            return 1
        if not arguments.check:
            arguments.docs.parent.mkdir(parents=True, exist_ok=True)
            arguments.docs.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
