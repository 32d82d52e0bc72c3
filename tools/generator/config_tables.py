#!/usr/bin/env python3
"""Writes the C++ tables of configuration keys out of schema/config/*.cfg.

usage: config_tables.py SCHEMA_FOLDER OUTPUT.cpp

The form of the rows is described at the head of each .cfg file. A row that does not fit it stops the build with its
file and line.
"""
import os
import re
import sys

TABLES = ["broker", "topic", "group", "client_metrics", "own", "extra", "client", "producer", "consumer", "admin"]
FILES = {"own": "barnabas"}
TYPES = {t.lower(): "KeyType::k" + t for t in
         ["Boolean", "String", "Int", "Short", "Long", "Double", "List", "Class", "Password"]}
IMPORTANCE = {"high": "kHigh", "medium": "kMedium", "low": "kLow"}
UPDATE = {"read-only": "kReadOnly", "per-broker": "kPerBroker", "cluster-wide": "kClusterWide"}
EFFECT = {"acts": "kActs", "accepted": "kAccepted"}
FLAGS = {"internal", "sensitive", "hidden"}
PLAIN_VALIDATORS = {"-": "kAny", "non-empty": "kNonEmpty", "throttled-replicas": "kThrottledReplicas",
                    "offset-reset": "kOffsetReset", "offset-reset-or-none": "kOffsetResetOrNone",
                    "voters": "kVoters", "host-ports": "kHostPorts", "host-counts": "kHostCounts"}
WORD_VALIDATORS = {"": "kOneOf", "any-case": "kOneOfAnyCase", "list": "kListOf"}


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Row:
    def __init__(self, where, columns):
        self.where = where
        if len(columns) != 8:
            self.wrong(f"8 columns expected, {len(columns)} found")
        self.name, kind, default, valid, importance, update, flags, effect = columns
        self.type = self.pick(TYPES, kind)
        self.required = default == "required"
        self.default = None if default in ("null", "required") else "" if default == '""' else default
        self.validator, self.words = self.parse_valid(valid)
        self.importance = self.pick(IMPORTANCE, importance)
        self.update = self.pick(UPDATE, update)
        self.flags = set() if flags == "-" else set(re.split(r",\s*", flags))
        if self.flags - FLAGS:
            self.wrong(f"unknown flags {self.flags - FLAGS}")
        self.effect = self.pick(EFFECT, effect)
        self.synonyms = []
        self.documentation = ""

    def wrong(self, what):
        sys.exit(f"{self.where}: {what}")

    def pick(self, table, word):
        if word not in table:
            self.wrong(f"'{word}' is none of {', '.join(table)}")
        return table[word]

    def parse_valid(self, text):
        if text in PLAIN_VALIDATORS:
            return "Validator::Kind::" + PLAIN_VALIDATORS[text], []
        words = re.fullmatch(r"(any-case|list|)\s*\{(.*)\}", text)
        if words:
            return "Validator::Kind::" + WORD_VALIDATORS[words[1]], re.split(r",\s*", words[2])
        span = re.fullmatch(r"\[(-?[\d.]+?),\.\.\.(?:,(-?[\d.]+))?\](?: or (-?\d+))?", text)
        if not span:
            self.wrong(f"valid values '{text}' not understood")
        parts = ["Validator::Kind::kRange", f".min = {span[1]}"]
        if span[2]:
            parts.append(f".max = {span[2]}")
        if span[3]:
            parts.append(f".also = {span[3]}")
        return ", ".join(parts), []

    def add_synonyms(self, text):
        for part in re.split(r",\s*", text):
            name, _, factor = part.partition(" * ")
            self.synonyms.append((name, factor or "1"))


def read_rows(path):
    rows = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        where = f"{path}:{number}"
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if rows and not rows[-1].documentation:
                rows[-1].wrong("the sentence is missing")
            rows.append(Row(where, [column.strip() for column in line.split(" | ")]))
        elif not rows:
            sys.exit(f"{where}: a row must come first")
        elif line.strip().startswith("= "):
            rows[-1].add_synonyms(line.strip()[2:])
        else:
            rows[-1].documentation = line.strip()
    names = [row.name for row in rows]
    for row in rows:
        if names.count(row.name) > 1:
            row.wrong(f"{row.name} stands twice")
    return rows


def write_table(out, table, rows):
    camel = "".join(part.capitalize() for part in table.split("_"))
    for index, row in enumerate(rows):
        if row.words:
            out.append(f"constexpr std::string_view k{camel}Words{index}[] = {{{', '.join(map(quoted, row.words))}}};")
        if row.synonyms:
            items = ", ".join(f"{{{quoted(name)}, {factor}}}" for name, factor in row.synonyms)
            out.append(f"constexpr KeySynonym k{camel}Synonyms{index}[] = {{{items}}};")
    out.append(f"constexpr KeyInfo k{camel}Rows[] = {{")
    for index, row in enumerate(rows):
        validator = ".kind = " + row.validator + (f", .words = k{camel}Words{index}" if row.words else "")
        fields = [f".name = {quoted(row.name)}", f".type = {row.type}"]
        if row.required:
            fields.append(".required = true")
        if row.default is not None:
            fields.append(f".default_value = {quoted(row.default)}")
        fields += [f".validator = {{{validator}}}", f".importance = Importance::{row.importance}",
                   f".update_mode = UpdateMode::{row.update}"]
        if "internal" in row.flags:
            fields.append(".internal = true")
        if "sensitive" in row.flags:
            fields.append(".sensitive = true")
        if "hidden" in row.flags:
            fields.append(".described = false")
        if row.synonyms:
            fields.append(f".synonyms = k{camel}Synonyms{index}")
        fields += [f".documentation = {quoted(row.documentation)}", f".effect = Effect::{row.effect}"]
        out.append("    {" + ", ".join(fields) + "},")
    out.append("};")
    by_name = sorted(range(len(rows)), key=lambda index: rows[index].name)
    out.append(f"constexpr uint16_t k{camel}ByName[] = {{{', '.join(map(str, by_name))}}};")
    return f"const KeyTable& {table}_keys() {{\n  static constexpr KeyTable table(k{camel}Rows, k{camel}ByName);\n" \
           "  return table;\n}"


def main():
    folder, output = sys.argv[1:]
    out = ["// Generated by tools/generator/config_tables.py out of schema/config/*.cfg.", '#include "config/client_tables.h"',
           '#include "config/tables.h"', "",
           "namespace barnabas::config {", "namespace {", ""]
    tables = {table: read_rows(os.path.join(folder, FILES.get(table, table) + ".cfg")) for table in TABLES}
    functions = [write_table(out, table, rows) for table, rows in tables.items()]
    out += ["", "}  // namespace", ""] + functions + ["", "}  // namespace barnabas::config", ""]
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(out))


main()
