"""The frame of enable.sh and disable.sh: options, dry run, putting files in place with a backup, and taking them back.

The scripts are bash, ask nothing, and do nothing twice: what is in place already is left alone.  ``--root DIR`` acts
below another directory than ``/``, for images and for trying.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from falcokit.audit.platforms.manifests import CA, CERT, KEY
from falcokit.audit.platforms.platform import ADDRESS, Platform, Receiver

__all__ = ["Option", "have_tls", "put_tls", "script", "take_tls", "tls_files"]

Option = tuple[str, str, str]
"""An option of a script: its name without dashes, the word for its value, what it is."""

_FRAME: Final = r"""
say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Run a command, or in a dry run say it.
run() {
  if [ "$dry_run" = 1 ]; then
    printf 'would run:'
    printf ' %q' "$@"
    printf '\n'
  else
    "$@"
  fi
}
"""
_NEED: Final = r"""
# A program that is needed; a dry run goes on without.
need() {
  command -v "$1" >/dev/null 2>&1 || [ "$dry_run" = 1 ] || die "$1 is not installed"
}
"""
_ADDRESS: Final = r"""
# The receiver's address: the one given, else the cluster IP of its service.
find_address() {
  if [ -z "$address" ]; then
    if command -v kubectl >/dev/null 2>&1 && [ "$dry_run" = 0 ]; then
      address=$(kubectl get service @SERVICE@ -n @NAMESPACE@ -o 'jsonpath={.spec.clusterIP}') \
        || die "service @SERVICE@ in namespace @NAMESPACE@ cannot be read: give --address"
    elif [ "$dry_run" = 0 ]; then
      die "kubectl is not installed: give --address with the cluster IP of service @SERVICE@ in namespace @NAMESPACE@"
    else
      say "would look up the cluster IP of service @SERVICE@ in namespace @NAMESPACE@"
      return 0
    fi
  fi
  case $address in
    '' | None | *[!A-Za-z0-9.:-]*) die "'$address' is no address: give --address" ;;
    *:*) address="[$address]" ;;
  esac
}
"""
_RENDER: Final = r"""
# A file of this folder with the address in it.
render() { sed "s/@PLACEHOLDER@/${address:-@PLACEHOLDER@}/g" "$1"; }
"""
_PLAIN_RENDER: Final = r"""
render() { cat -- "$1"; }
"""
_HAVE: Final = r"""
# have OPTION FILE: stop before anything is done if a file is not on this machine.
have() {
  [ -f "$2" ] && [ -r "$2" ] || die "$2 cannot be read, and nothing is changed: give --$1 FILE"
}
"""
_PUT: Final = r"""
changed=0

# put SOURCE DESTINATION MODE: put a file in place; a different one there is kept beside it, once.
put() {
  local source=$1 destination=$2 mode=$3 backup new
  backup=$(dirname -- "$destination")/.$(basename -- "$destination").falcokit-backup
  [ "$dry_run" = 1 ] || [ -r "$source" ] || die "$source cannot be read"
  if [ "$dry_run" = 1 ]; then
    if [ -r "$source" ] && [ -r "$destination" ] && render "$source" | cmp -s - "$destination"; then
      say "in place: $destination"
    else
      say "would write: $destination"
    fi
    return 0
  fi
  if [ -f "$destination" ] && render "$source" | cmp -s - "$destination"; then
    say "in place: $destination"
    return 0
  fi
  mkdir -p -- "$(dirname -- "$destination")"
  if [ -f "$destination" ] && [ ! -e "$backup" ]; then
    cp -p -- "$destination" "$backup"
    say "kept: $backup"
  fi
  new=$(mktemp "$(dirname -- "$destination")/.falcokit-XXXXXX")
  render "$source" >"$new"
  chmod "$mode" "$new"
  mv -f -- "$new" "$destination"
  changed=1
  say "written: $destination"
}
"""
_TAKE: Final = r"""
changed=0

# take DESTINATION: put back what was there before enable.sh, or remove the file.
take() {
  local destination=$1 backup
  backup=$(dirname -- "$destination")/.$(basename -- "$destination").falcokit-backup
  if [ ! -e "$destination" ] && [ ! -e "$backup" ]; then
    say "not there: $destination"
  elif [ "$dry_run" = 1 ]; then
    say "would take away: $destination"
  elif [ -e "$backup" ]; then
    mv -f -- "$backup" "$destination"
    changed=1
    say "put back: $destination"
  else
    rm -f -- "$destination"
    changed=1
    say "removed: $destination"
  fi
}
"""


def script(
    platform: Platform,
    receiver: Receiver,
    what: str,
    body: str,
    *,
    options: tuple[Option, ...] = (),
    undo: bool = False,
) -> str:
    """A script that does *body*; *what* says in a sentence what that is.  *undo* is for disable.sh.

    Only the functions that the body uses are put in.
    """
    looks_up = not undo and not receiver.address and ("find_address" in body)
    known = [("dry-run", "", "say what would be done, change nothing")]
    if "$root" in body:
        known.append(("root", "DIR", "act below DIR instead of /"))
    if looks_up:
        known.append(("address", "ADDRESS", "the receiver's IP; without it the cluster IP of its service"))
    ours = {name: (path, what) for name, path, what in _tls(receiver) if f"have {name} " in body}
    known += [(name, "FILE", f"{what} on this machine") for name, (_, what) in ours.items()]
    known += options
    name = "disable.sh" if undo else "enable.sh"
    usage = [f"Usage: {name} [options]", "", what, ""]
    usage += [f"  --{option + (' ' + value if value else ''):<22} {said}" for option, value, said in known]
    names = {option: option.replace("-", "_") for option, _, _ in known}
    preset = {name: shlex.quote(path) for name, (path, _) in ours.items()}
    lines = [
        "#!/usr/bin/env bash",
        platform.header().rstrip("\n"),
        "set -euo pipefail",
        "",
        *(['here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)'] if "$here" in body else []),
        "dry_run=0",
        *[f"{names[option]}={preset.get(option, '')}" if value else "" for option, value, _ in known if value],
        "usage() {",
        "  cat <<'EOF'",
        *usage,
        "EOF",
        "}",
        "while [ $# -gt 0 ]; do",
        "  case $1 in",
        "    --dry-run) dry_run=1 ;;",
    ]
    for option, value, _ in known:
        if value:
            lines += [
                f"    --{option})",
                f'      [ $# -gt 1 ] || {{ echo "{name}: --{option} needs a value" >&2; exit 2; }}',
                f"      {names[option]}=$2",
                "      shift",
                "      ;;",
            ]
    lines += [
        "    -h | --help)",
        "      usage",
        "      exit 0",
        "      ;;",
        "    *)",
        "      usage >&2",
        "      exit 2",
        "      ;;",
        "  esac",
        "  shift",
        "done",
    ]
    frame = _FRAME
    if not _uses(body, "die") and not _uses(body, "need", "find_address", "have", "put"):
        frame = frame.replace(next(line for line in frame.split("\n") if line.startswith("die()")) + "\n", "")
    if not _uses(body, "run"):
        frame = frame[: frame.index("\n# Run a command")]
    text = "\n".join(lines) + "\n" + frame
    if _uses(body, "need"):
        text += _NEED
    if looks_up:
        text += _ADDRESS.replace("@SERVICE@", receiver.service).replace("@NAMESPACE@", receiver.namespace)
    if _uses(body, "put", "render"):
        text += _RENDER.replace("@PLACEHOLDER@", ADDRESS) if looks_up else _PLAIN_RENDER
    if _uses(body, "have"):
        text += _HAVE
    if _uses(body, "put"):
        text += _PUT
    if _uses(body, "take"):
        text += _TAKE
    if not looks_up:
        body = "\n".join([line for line in body.split("\n") if line.strip() != "find_address"])
    if "$changed" not in body:
        text = text.replace("\nchanged=0\n", "", 1).replace("  changed=1\n", "").replace("    changed=1\n", "")
    return text.rstrip("\n") + "\n\n" + body.strip("\n") + "\n"


def _uses(body: str, *functions: str) -> bool:
    """Whether *body* calls one of the *functions*: a word where a command can begin."""
    begin = r"(?:^[ ]*(?:(?:el)?if |! )?|(?:\|\|?|&&|;|then|else|\$\() )"
    return any(re.search(rf"{begin}{name}(?:\s|$)", body, re.MULTILINE) for name in functions)


def _tls(receiver: Receiver) -> list[tuple[str, str, str]]:
    """The options for the files of TLS: name, path where falcokit ran, what it is."""
    given = (
        ("ca", receiver.ca_file, "what signed the receiver's certificate,"),
        ("cert", receiver.cert_file, "the client certificate"),
        ("key", receiver.key_file, "its key"),
    )
    return [one for one in given if one[1] and receiver.tls]


def tls_files(receiver: Receiver) -> list[tuple[str, str, str]]:
    """The files of TLS: the option that names one, its name in place, its mode.  The key is for root alone."""
    modes = {"ca": (CA, "0644"), "cert": (CERT, "0644"), "key": (KEY, "0600")}
    return [(name, *modes[name]) for name, _, _ in _tls(receiver)]


def have_tls(receiver: Receiver) -> str:
    """The lines that stop a script, dry run or not, before it does anything if these files are not on its machine."""
    return "".join([f'have {name} "${name}"\n' for name, _, _ in _tls(receiver)])


def put_tls(receiver: Receiver, place: str) -> str:
    """The lines that put these files into the directory *place*."""
    return "".join([f'put "${option}" {place}/{name} {mode}\n' for option, name, mode in tls_files(receiver)])


def take_tls(receiver: Receiver, place: str) -> str:
    """The lines that take them away."""
    return "".join([f"take {place}/{name}\n" for _, name, _ in tls_files(receiver)])
