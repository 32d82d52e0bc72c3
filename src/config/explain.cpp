#include "config/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "config/tables.h"
#include "config/value.h"

namespace barnabas::config {
namespace {

struct Chapter {
  std::string_view title;
  std::string_view about;
  const KeyTable& table;
};

std::vector<Chapter> chapters() {
  return {
      {"Barnabas", "Keys of Barnabas itself, for server.properties and --override.", own_keys()},
      {"Broker", "Keys of server.properties, as in Kafka 4.3.", broker_keys()},
      {"Other node keys", "Keys that Kafka knows outside its broker table.", extra_keys()},
      {"Topic", "Keys that may be set on a topic; all may change at any time.", topic_keys()},
      {"Group", "Keys that may be set on a consumer, share or streams group; all may change at any time.",
       group_keys()},
      {"Client metrics", "Keys of a client metrics subscription.", client_metrics_keys()},
  };
}

std::vector<const KeyInfo*> sorted_rows(const KeyTable& table) {
  std::vector<const KeyInfo*> rows;
  for (const KeyInfo& row : table.rows()) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const KeyInfo* row) { return row->name; });
  return rows;
}

std::string default_text(const KeyInfo& key) {
  if (key.required) return "none, must be set";
  if (!key.default_value) return "not set";
  return key.default_value->empty() ? "empty" : std::string(*key.default_value);
}

std::string unit_text(const KeySynonym& synonym) {
  if (synonym.factor == 1) return std::string(synonym.name);
  return fmt::format("{} (times {})", synonym.name, synonym.factor);
}

std::string explain_row(const Chapter& chapter, const KeyInfo& key) {
  std::string text = fmt::format("{} ({})\n  {}\n", key.name, chapter.title, key.documentation);
  const auto line = [&](std::string_view label, std::string_view value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(text), "  {:<12}{}\n", label, value);
  };
  line("type", type_name(key.type));
  line("default", default_text(key));
  line("valid", valid_values(key));
  line("update", update_mode_name(key.update_mode));
  std::vector<std::string> synonyms;
  for (const KeySynonym& synonym : key.synonyms) synonyms.push_back(unit_text(synonym));
  line("falls to", fmt::format("{}", fmt::join(synonyms, ", then ")));
  line("effect", key.effect == Effect::kActs ? "acts" : "accepted without effect in this build");
  if (key.sensitive) line("secret", "its value is never shown");
  return text;
}

// A cell of a Markdown table: a bar would end it, an angle bracket would start HTML.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '<' ? "&lt;" : std::string(1, c);
  }
  return out;
}

void append_table(std::string& out, const Chapter& chapter, Effect effect) {
  for (const KeyInfo* row : sorted_rows(chapter.table)) {
    if (row->effect != effect) continue;
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} | {} | {} |\n", row->name, type_name(row->type),
                   cell(default_text(*row)), cell(valid_values(*row)), update_mode_name(row->update_mode),
                   cell(row->documentation));
  }
}

void append_chapter(std::string& out, const Chapter& chapter) {
  constexpr std::string_view kHead = "| key | type | default | valid | update | |\n|---|---|---|---|---|---|\n";
  fmt::format_to(std::back_inserter(out), "\n## {}\n\n{}\n", chapter.title, chapter.about);
  const auto has = [&](Effect effect) {
    return std::ranges::any_of(chapter.table.rows(), [&](const KeyInfo& row) { return row.effect == effect; });
  };
  if (has(Effect::kActs)) {
    fmt::format_to(std::back_inserter(out), "\n{}", kHead);
    append_table(out, chapter, Effect::kActs);
  }
  if (has(Effect::kAccepted)) {
    fmt::format_to(std::back_inserter(out), "\nAccepted without effect in this build:\n\n{}", kHead);
    append_table(out, chapter, Effect::kAccepted);
  }
}

}  // namespace

std::string explain(std::string_view name) {
  std::string text;
  for (const Chapter& chapter : chapters())
    if (const KeyInfo* key = chapter.table.find(name)) text += explain_row(chapter, *key);
  if (!text.empty()) return text;
  if (const std::string_view base = without_listener_prefix(name); base != name && find_node_key(name) != nullptr)
    return fmt::format("{}: {} for one listener only\n{}", name, base, explain(base));
  for (const Chapter& chapter : chapters())
    if (const std::string_view near = nearest_key(chapter.table, name); !near.empty())
      return fmt::format("{} is no configuration key; did you mean {}?\n", name, near);
  return fmt::format("{} is no configuration key.\n", name);
}

std::string list_accepted_without_effect() {
  std::string text;
  for (const Chapter& chapter : chapters()) {
    std::string lines;
    for (const KeyInfo* row : sorted_rows(chapter.table))
      if (row->effect == Effect::kAccepted) fmt::format_to(std::back_inserter(lines), "  {}\n", row->name);
    if (!lines.empty()) fmt::format_to(std::back_inserter(text), "{}:\n{}", chapter.title, lines);
  }
  return text;
}

std::string configuration_document() {
  std::string out =
      "# Configuration\n\n"
      "Barnabas reads Kafka's `server.properties` unchanged: `barnabas server server.properties --override "
      "key=value`.\n"
      "An unknown key is a warning with the nearest known name; a wrong value stops the start with its line and what\n"
      "would be right. Without a file one node is broker and controller, listens on 127.0.0.1:9092 (controller on "
      "9093)\n"
      "and keeps its data in `$XDG_DATA_HOME/barnabas`, else `~/.local/share/barnabas`, else `./barnabas-data`.\n\n"
      "`barnabas config explain KEY` says the same about one key. A value in a file may come from elsewhere through\n"
      "`config.providers` (`${env:NAME}`, `${file:path:key}`, `${dir:path:key}`). A key behind\n"
      "`listener.name.<listener>.` counts for that listener only; of the keys that act, `max.connections` and\n"
      "`max.connection.creation.rate` may stand so. *Update* says who may change a key of a running "
      "node:\n"
      "nobody (read-only), one broker at a time (per-broker), or one broker or all of them (cluster-wide).\n\n"
      "This file is generated from `schema/config/*.cfg`; change it there, then run `config_test` once with\n"
      "`BARNABAS_WRITE_DOCS=1`.\n";
  for (const Chapter& chapter : chapters()) append_chapter(out, chapter);
  return out;
}

}  // namespace barnabas::config
