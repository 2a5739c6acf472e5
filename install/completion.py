"""bash completion made from `sekisho help --json`: no second list of the commands."""

import json

HEAD = r"""# sekisho's commands in bash; made by ./bootstrap install from `sekisho help --json`
_sekisho() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
    COMPREPLY=()
    if [ "$prev" = -c ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="@FIRST@"
    else
        case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
"""
TAIL = r"""        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _sekisho sekisho
"""


def _row(pattern, words):
    return f"        {pattern}) words=\"{' '.join(words)}\" ;;\n"


def bash(help_json):
    """The script, for the lines that `sekisho help --json` printed."""
    commands = [json.loads(line) for line in help_json.splitlines()]
    first = list(dict.fromkeys(command["words"].split()[0] for command in commands))
    groups = {}
    rows = []
    for command in commands:
        group, _, verb = command["words"].partition(" ")
        options = ["-c", "--help", *(f"--{option['name']}" for option in command["options"])]
        if verb:
            groups.setdefault(group, []).append(verb)
            rows.append(_row(f'"{group} {verb}"', options))
        else:
            rows.append(_row(f'"{group} "*', options))
    rows += [_row(f'"{group} "*', verbs) for group, verbs in groups.items()]
    return HEAD.replace("@FIRST@", " ".join(first)) + "".join(rows) + TAIL
