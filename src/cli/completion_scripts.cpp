// The scripts that shells load. They only carry words to `barnabas complete` and its answers back.
#include "cli/help.h"

namespace barnabas::cli {

namespace {

// Bash splits words at = and : too; the line is split at blanks instead, and what stands before the last of these
// signs is taken off the candidates again.
constexpr std::string_view kBash = R"(# bash completion for barnabas
_barnabas() {
  local -a words
  local line text what before=""
  line="${COMP_LINE:0:COMP_POINT}"
  read -ra words <<< "$line"
  [[ "$line" == *" " ]] && words+=("")
  local current="${words[${#words[@]}-1]}"
  [[ "$current" == *[=:]* ]] && before="${current%"${current##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\t' read -r text what; do
    if [[ "$text" == ":file" ]]; then
      compopt -o default
    else
      COMPREPLY+=("${text#"$before"}")
    fi
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=/] ]] && compopt -o nospace
  return 0
}
complete -F _barnabas barnabas
)";

constexpr std::string_view kZsh = R"(#compdef barnabas
_barnabas() {
  local -a found plain
  local line text
  while IFS= read -r line; do
    if [[ "$line" == ":file" ]]; then
      _files
      continue
    fi
    text="${line%%$'\t'*}"
    if [[ "$text" == *[=/] ]]; then
      plain+=("$text")
    elif [[ "$line" == *$'\t'* ]]; then
      found+=("${text//:/\\:}:${line#*$'\t'}")
    else
      found+=("${text//:/\\:}")
    fi
  done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#found} )) && _describe barnabas found
  (( ${#plain} )) && compadd -S "" -a plain
  return 0
}
if [[ "${funcstack[1]}" == "_barnabas" ]]; then
  _barnabas "$@"
else
  compdef _barnabas barnabas
fi
)";

constexpr std::string_view kFish = R"(# fish completion for barnabas
function __barnabas_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
    for line in $found
        if test "$line" = ":file"
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end
complete -c barnabas -f -a '(__barnabas_complete)'
)";

}  // namespace

std::string completion_script(std::string_view shell) {
  return std::string(shell == "zsh" ? kZsh : shell == "fish" ? kFish : kBash);
}

}  // namespace barnabas::cli
