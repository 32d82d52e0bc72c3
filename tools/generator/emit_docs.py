"""docs/protocol.md: the table of all APIs and the list of all records."""

from __future__ import annotations

from schema import Message, Range, Schema


def _versions(versions: Range | None) -> str:
    return str(versions) if versions else "none"


def _flexible(message: Message) -> str:
    return f"{message.flexible_from}+" if message.flexible else "none"


def emit_docs(schema: Schema) -> str:
    out = [
        "# The protocol", "",
        "Generated from `schema/` by `tools/generator`; change that. A test checks that this page is current.", "",
        "## APIs", "",
        "*Known* are the versions the codecs read and write, *served* those of release 4.3; *told* is what ApiVersions says",
        "on a listener where the API is served. Flexible versions carry compact lengths and tagged fields.", "",
        "| key | API | known | flexible | served | told | listeners | |", "|--:|---|---|---|---|---|---|---|",
    ]
    for api in schema.apis:
        if not api.request:
            out.append(f"| {api.key} | {api.name} | none | | none | none | | Removed. {api.doc} |")
            continue
        release = api.release
        out.append(f"| {api.key} | {api.name} | {api.request.versions} | {_flexible(api.request)} | {_versions(release.versions)} | "
                   f"{_versions(release.advertised)} | {', '.join(api.listeners)} | {api.doc} |")
    out += ["", "## Records of the metadata log", "", "| key | record | versions | |", "|--:|---|---|---|"]
    out += [f"| {m.key} | {m.name} | {m.versions} | {m.doc} |" for m in schema.metadata]
    out += ["", "## Records of the coordinators", "",
            "In `__consumer_offsets` (group), `__share_group_state` (share) and `__transaction_state` (transaction).", "",
            "| log | type | record | versions of the value | flexible | |", "|---|--:|---|---|---|---|"]
    for record in schema.coordinators:
        out.append(f"| {record.log} | {record.type} | {record.name} | {record.value.versions} | {_flexible(record.value)} | {record.key.doc} |")
    out += ["", "## Other data", "", "| name | versions | flexible | |", "|---|---|---|---|"]
    out += [f"| {m.name} | {m.versions} | {_flexible(m)} | {m.doc} |" for m in schema.headers + schema.data]
    out += ["", "## Error codes", "", "| code | name | a client may | |", "|--:|---|---|---|"]
    for error in schema.errors:
        may = "refresh its metadata and retry" if error.refresh_metadata else "retry" if error.retriable else ""
        out.append(f"| {error.code} | {error.name} | {may} | {error.message} |")
    return "\n".join(out) + "\n"
