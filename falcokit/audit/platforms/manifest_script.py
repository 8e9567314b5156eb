"""The parts of the scripts that edit the manifest of a kube-apiserver; what stands between @ is filled in."""

from __future__ import annotations

from typing import Final

__all__ = ["EDIT", "PARTS", "SINK", "UNDO"]

# A script that edits YAML must know all of it that matters: lines of the shape that kubeadm writes, each value on its line
# without a comment behind it.  All else is refused, and falcokit itself, which reads YAML, is named instead.
PARTS: Final = r"""
manifest="$root@MANIFEST@"
folder=$(dirname -- "$(dirname -- "$manifest")")
# The values of our flags before enable.sh, one a line, and `volume` if the volume was there.
replaced="$folder/.kube-apiserver.yaml.falcokit-replaced"

# parts FILE: what a manifest has, in lines of words, or `no` and the reason why it is not understood.
parts() {
  awk '
    function no(why) { if (!bad) print "no " why; bad = 1; exit }
    function of(text) {
      sub(/^[^:]*: /, "", text)
      if (text ~ /^["\047]/) text = substr(text, 2, length(text) - 2)
      if (text == "" || text ~ / /) no("line " NR " has a value that is written in another way than kubeadm\047s")
      if (text != "/") sub(/\/$/, "", text)
      return text
    }
    function item() {
      if (kind != "") print kind, (name == "" ? "-" : name), (path == "" ? "-" : path), (more == "" ? "-" : more)
      kind = name = path = more = ""
    }
    # What is deeper than the line before has to follow a key without a value; a mapping has each key once.
    function nest(   i, at) {
      while (depth && level[depth] > indent) depth--
      if (depth && level[depth] == indent) {
        if (dashes ? !list[depth] && !(after_key && column == indent) : list[depth] == 2) no("line " NR " is indented in another way than kubeadm\047s")
        if (dashes || list[depth] != 2) list[depth] = dashes ? (list[depth] == 2 ? 2 : 1) : 0
      } else {
        if (lines && !(after_key && column < indent)) no("line " NR " is indented in another way than kubeadm\047s")
        level[++depth] = indent
        list[depth] = dashes ? 2 : 0
        id[depth] = ++ids
      }
      for (i = 1; i <= dashes; i++) {
        if (i == dashes && key == "") break
        level[++depth] = indent + 2 * i
        list[depth] = i < dashes ? 2 : 0
        id[depth] = ++ids
      }
      at = id[depth] " " key
      sub(/ +$/, "", at)
      if (key != "" && keys[at]++) no("line " NR " has a key that is there already")
      column = indent + 2 * dashes
      after_key = empty
      lines++
    }
    /^ *(#|$)/ { next }
    {
      text = $0
      sub(/^ */, "", text)
      indent = length($0) - length(text)
      for (dashes = 0; sub(/^- /, "", text); dashes++) { }
      runs_as = text ~ /^runAs/
      key = match(text, /^[A-Za-z0-9_.\/-]+:( |$)/) ? substr(text, 1, RLENGTH) : ""
      empty = key != "" && key == text
      if (key != "") text = substr(text, RLENGTH + 1)
      if ($0 ~ /[^ -~]/ || (key == "" && !dashes) || (!empty && (text ~ /:$/ || text !~ /^(\{\}|\[\]|"[^"\\]*"|\047[^\047]*\047|[A-Za-z0-9_.\/+~-][^ #"\047\\]*)$/)))
        no("line " NR " is written in another way than kubeadm\047s")
      nest()
      # The lines that a change goes by stand nowhere else.
      if ($0 == "  volumes:" && top != "spec:" || $0 ~ /^(    |  - )volumeMounts:$/ && (top != "spec:" || second != "containers:") || $0 ~ /^    - (--.*|([^ ]*\/)?kube-apiserver)$/ && (top != "spec:" || second != "containers:" || third != "command:"))
        no("line " NR " is written in another way than kubeadm\047s")
      if (runs_as) no("it does not run as root, and could not read the files")
    }
    indent == 0 {
      item()
      top = $1
      second = third = ""
      if (top == "kind:" && text != "Pod") no("it is no pod")
      if (tops[top]++ || /^-/ || (top == "spec:" && !empty)) no("line " NR " is written in another way than kubeadm\047s")
      next
    }
    top == "kind:" || top == "apiVersion:" { no("line " NR " is written in another way than kubeadm\047s") }
    top != "spec:" { next }
    indent == 2 && !/^  - / {
      item()
      second = $1
      third = ""
      if (seconds[second]++ || ((second == "containers:" || second == "volumes:") && !empty)) no("line " NR " is written in another way than kubeadm\047s")
      if (second == "initContainers:") no("it has init containers")
      next
    }
    second == "containers:" && (indent == 2 || (indent == 4 && !/^    - /)) {
      item()
      if (indent == 2 && containers++) no("it has more than one container")
      third = indent == 2 ? $2 : $1
      if (!containers || thirds[third]++ || third == "args:") no("line " NR " is written in another way than kubeadm\047s")
      if ((third == "command:" || third == "volumeMounts:") && !empty) no("its " third " is written in another way than kubeadm\047s")
      if (third == "image:") print "image", of($0)
      next
    }
    second == "containers:" && third == "command:" {
      if (indent != 4 || !/^    - /) no("line " NR " is written in another way than kubeadm\047s")
      if (!words++) {
        if ($0 !~ /^    - ([A-Za-z0-9_.\/-]*\/)?kube-apiserver$/) no("its command is another than kube-apiserver")
        print "program"
        next
      }
      if ($0 !~ /^    - --[A-Za-z0-9_-]+=/) no("line " NR " has a flag that is written in another way than kubeadm\047s")
      name = path = substr($0, 9)
      sub(/=.*/, "", name)
      sub(/^[^=]*=/, "", path)
      gsub(/_/, "-", name)
      print "flag", name, path
      name = path = ""
      next
    }
    second == "containers:" && third == "volumeMounts:" {
      if (empty || !(indent == 6 && !/^      - /) && !(indent == 4 && /^    - [A-Za-z]/)) no("line " NR " is written in another way than kubeadm\047s")
      if (indent == 4) { item(); kind = "mount" }
      key = indent == 4 ? $2 : $1
      if (key == "name:") name = of($0)
      else if (key == "mountPath:") path = of($0)
      else if (key == "readOnly:") more = more of($0)
      else more = more key
      next
    }
    second == "volumes:" {
      if (indent == 2) { item(); kind = "volume"; source = "" }
      if (indent == 2 || (indent == 4 && !/^    - /)) {
        source = indent == 2 ? $2 : $1
        if (source == "name:") name = of($0)
        else if (source == "hostPath:" && !empty) no("line " NR " is written in another way than kubeadm\047s")
      } else if (source == "hostPath:" && indent == 6 && $1 == "path:") path = of($0)
      else if (source == "hostPath:" && !(indent == 6 && $1 == "type:")) no("line " NR " is written in another way than kubeadm\047s")
      next
    }
    END {
      if (bad) exit
      item()
      if (!words || !tops["kind:"] || !thirds["image:"] || !thirds["volumeMounts:"] || !seconds["volumes:"]) print "no it has no command, image, volumeMounts or volumes as kubeadm writes them"
    }
  ' "$1"
}
"""
EDIT: Final = (
    PARTS
    + r"""
backup="$folder/.kube-apiserver.yaml.falcokit-backup"

# Why the manifest with these parts is not to be changed by a script, or nothing.
doubt() {
  awk -v place='@SEEN@' -v host='@PLACE@' -v read_only='@READONLY@' -v first=@FIRST@ -v last=@LAST@ -v flags='@FLAGS@' -v others='@KEPT@ @PAIRS@' '
    BEGIN {
      for (i = split(flags, list, " "); i; i--) { at = index(list[i], "="); ours[substr(list[i], 1, at - 1)] = substr(list[i], at + 1) }
      for (i = split(others, list, " "); i; i--) { at = index(list[i], "="); ours[substr(list[i], 1, at - 1)] = "" }
    }
    function no(why) { if (said == "") said = why }
    $1 == "no" { no(substr($0, 4)) }
    $1 == "image" {
      tag = $2
      sub(/@.*/, "", tag)
      if (tag !~ /:v?1\.[0-9]+(\.[0-9]+)?([-+_][A-Za-z0-9._+-]*)?$/) no("its image does not tell the version of Kubernetes")
      sub(/^.*:v?1\./, "", tag)
      minor = int(tag + 0)
      if (minor < first || (last && minor > last)) no("Kubernetes 1." minor " does not know all of the flags, and its API server would not start")
    }
    $1 == "flag" && ($2 in ours) {
      if (times[$2]++) no("--" $2 " stands in it twice")
      if (($2 == "audit-policy-file" || $2 == "audit-webhook-config-file") && $3 != ours[$2]) no("it has a --" $2 " of its own, " $3)
    }
    $1 == "mount" && ($2 == "-" || $3 == "-" || here[$3]++) || $1 == "volume" && ($2 == "-" || is[$2]++) { no("its volumes are not in order") }
    $1 == "mount" { used[$2] = 1 }
    $1 == "mount" && ($2 == "k8s-audit" || $3 == place || index($3, place "/") == 1) {
      mounts++
      if ($2 != "k8s-audit" || $3 != place || ($4 != "-" && $4 != "false" && !($4 == "true" && read_only == "true"))) no("it has another mount with the name k8s-audit or at " place)
    }
    $1 == "volume" && ($2 == "k8s-audit" || $3 == host) {
      volumes++
      if ($2 != "k8s-audit" || $3 != host) no("it has another volume with the name k8s-audit or of " host)
    }
    END {
      for (one in used) if (!(one in is)) no("its volumes are not in order")
      if (mounts != volumes || mounts > 1) no("it has another volume or mount k8s-audit")
      if (said != "") print said
    }
  '
}

# The manifest with the flags, and, unless it is there, the volume and its mount.
edited() {
  awk -v place='@SEEN@' -v host='@PLACE@' -v read_only='@READONLY@' -v flags='@FLAGS@' -v kept='@KEPT@' -v pairs='@PAIRS@' -v volume="$volume" '
    function put(text, kind,   i, at) {
      for (i = 1; i <= split(text, list, " "); i++) {
        at = index(list[i], "=")
        order[++count] = substr(list[i], 1, at - 1)
        value[order[count]] = substr(list[i], at + 1)
        how[order[count]] = kind
      }
    }
    function name_of(line) { sub(/^ *- --/, "", line); sub(/=.*/, "", line); gsub(/_/, "-", line); return line }
    function joined(before, pair,   i, n, key, new, found) {
      key = substr(pair, 1, index(pair, "="))
      n = split(before, list, ",")
      for (i = 1; i <= n; i++) {
        if (list[i] == "") continue
        if (index(list[i], key) == 1) { list[i] = pair; found = 1 }
        new = new (new == "" ? "" : ",") list[i]
      }
      return found ? new : new (new == "" ? "" : ",") pair
    }
    BEGIN { put(flags, "fixed"); put(kept, "kept"); put(pairs, "pair") }
    NR == FNR { if (/^    - --/) there[name_of($0)] = 1; next }
    /^    - --/ && (name_of($0) in how) {
      name = name_of($0)
      at = index($0, "=")
      if (how[name] == "fixed") $0 = substr($0, 1, at) value[name]
      if (how[name] == "pair") $0 = substr($0, 1, at) joined(substr($0, at + 1), value[name])
    }
    { print }
    /^    - ([^ ]*\/)?kube-apiserver$/ { for (i = 1; i <= count; i++) if (!(order[i] in there)) print "    - --" order[i] "=" value[order[i]] }
    /^    volumeMounts:$/ && !volume { print "    - mountPath: " place; print "      name: k8s-audit"; print "      readOnly: " read_only }
    /^  - volumeMounts:$/ && !volume { print "    - mountPath: " place; print "      name: k8s-audit"; print "      readOnly: " read_only }
    /^  volumes:$/ && !volume { print "  - hostPath:"; print "      path: " host; print "      type: DirectoryOrCreate"; print "    name: k8s-audit" }
  ' "$1" "$1"
}

volume=0
if [ -r "$manifest" ]; then
  had=$(parts "$manifest")
  why=$(printf '%s\n' "$had" | doubt)
  [ -z "$why" ] || die "$manifest is left as it is, for $why: look at it with falcokit audit init @NAME@ --kube-apiserver-manifest FILE"
  case $had in *"volume k8s-audit "*) volume=1 ;; esac
elif [ "$dry_run" = 0 ]; then
  die "$manifest is not there: is this a machine of the control plane?"
fi
@PUT@
if [ ! -r "$manifest" ]; then
  say "would change: $manifest"
else
  case $had in *"flag audit-webhook-mode blocking"*) say "warning: --audit-webhook-mode is a blocking one: requests wait for the receiver, or fail without it" ;; esac
  if edited "$manifest" | cmp -s - "$manifest"; then
    say "in place: $manifest"
    [ "$changed" = 0 ] || say "kube-apiserver reads its audit files when it starts: move $manifest away for half a minute and back"
  elif [ "$dry_run" = 1 ]; then
    say "would change: $manifest"
    edited "$manifest" | diff -u -- "$manifest" - || true
  else
    [ -e "$backup" ] || cp -p -- "$manifest" "$backup"
    # Made beside the directory of manifests: kubelet would start what it finds in there.
    new=$(mktemp "$folder/.falcokit-XXXXXX")
    trap 'rm -f -- "$new"' EXIT
    edited "$manifest" >"$new"
    why=$(parts "$new" | doubt)
    [ -z "$why" ] || die "$manifest is left as it is, for afterwards $why: look at it with falcokit audit init @NAME@ --kube-apiserver-manifest FILE"
    case $had in
      *"flag audit-policy-file "*) ;; # What was before that is told by the file, or by what falcokit kept.
      *) printf '%s\n' "$had" | awk -v names=' @NAMES@ ' '$1 == "flag" && index(names, " " $2 " ") { print "--" $2 "=" $3 } $1 == "volume" && $2 == "k8s-audit" { print "volume" }' >"$replaced" ;;
    esac
    chmod 0600 "$new"
    mv -f -- "$new" "$manifest"
    say "changed: $manifest (before: $backup)"
    say "kubelet starts kube-apiserver again within a minute"
  fi
fi
"""
)
SINK: Final = r"""
if [ -n "$root" ]; then
  say "apply audit-sink.yaml when the API server runs"
elif [ "$dry_run" = 1 ]; then
  say "would apply audit-sink.yaml when the API server serves auditregistration.k8s.io/v1alpha1"
elif ! command -v kubectl >/dev/null 2>&1; then
  say "kubectl is not here: apply audit-sink.yaml with ${address:-the address} in it from a machine that has it"
else
  for _ in $(seq 60); do
    if kubectl api-versions 2>/dev/null | grep '^auditregistration.k8s.io/v1alpha1$' >/dev/null; then break; fi
    sleep 5
  done
  render "$here/audit-sink.yaml" | kubectl apply -f -
fi
"""
UNDO: Final = (
    PARTS
    + r"""
backup="$folder/.kube-apiserver.yaml.falcokit-before-disable"
# What `falcokit audit init --write` keeps beside the manifest.
written="$(dirname -- "$manifest")/.kube-apiserver.yaml.falcokit-backup"

# The manifest as it was before: our flags go or have the values again that they had; values of later stay.
without() {
  awk -v place='@SEEN@' -v host='@PLACE@' -v flags='@FLAGS@' -v pairs='@PAIRS@' '
    BEGIN {
      for (i = split(flags, list, " "); i; i--) { at = index(list[i], "="); ours[substr(list[i], 1, at - 1)] = substr(list[i], at + 1) }
      for (i = split(pairs, list, " "); i; i--) { at = index(list[i], "="); pair[substr(list[i], 1, at - 1)] = substr(list[i], at + 1) }
    }
    function name_of(line) { sub(/^ *- --/, "", line); sub(/=.*/, "", line); gsub(/_/, "-", line); return line }
    function shown(path,   mount) { for (mount in mounts) if (index(path "/", mount "/") == 1) return 1; return 0 }
    # The list without our pair; with the one of its key that was there before.
    function apart(text, mine, before,   i, n, m, key, old, new) {
      key = substr(mine, 1, index(mine, "="))
      m = split(before, list, ",")
      for (i = 1; i <= m; i++) if (index(list[i], key) == 1) old = list[i]
      n = split(text, list, ",")
      for (i = 1; i <= n; i++) {
        if (list[i] == mine) list[i] = old
        if (list[i] != "") new = new (new == "" ? "" : ",") list[i]
      }
      return new
    }
    # A line of the command as it is to be; empty if it goes.
    function line_of(line,   name, at, now, had) {
      name = name_of(line)
      had = name in was
      at = index(line, "=")
      now = substr(line, at + 1)
      if (name in pair) {
        now = apart(now, pair[name], had ? was[name] : "")
        return now == "" && !had ? "" : substr(line, 1, at) now
      }
      if (!(name in ours) || now != ours[name]) return line
      if (!had || (was[name] != now && name ~ /^audit-(policy-file|webhook-config-file|log-path)$/ && !shown(was[name]))) return ""
      return substr(line, 1, at) was[name]
    }
    function flush() {
      if (item != "" && (stays || item !~ /name: k8s-audit(-[0-9]+)?\n/ || !index(item, (indent == 4 ? "mountPath: " place : "path: " host) "\n"))) printf "%s", item
      item = ""
    }
    FNR == 1 { pass++ }
    pass == 1 {
      if ($0 == "volume") stays = 1
      else if ($0 != "") { at = index($0, "="); was[substr($0, 3, at - 3)] = substr($0, at + 1) }
      next
    }
    pass == 2 { if ($1 == "mountPath:" || $2 == "mountPath:") if ($NF != place) { path = $NF; sub(/\/$/, "", path); mounts[path] = 1 } next }
    pass == 3 { if (/^    - --/ && index(line_of($0), "=" place "/")) stays = 1; next }
    /^    - --/ { flush(); indent = 0; line = line_of($0); if (line != "") print line; next }
    /^    volumeMounts:$/ || /^  - volumeMounts:$/ || /^  volumes:$/ { flush(); indent = /^  volumes/ ? 2 : 4; print; next }
    indent && index($0, sprintf("%" indent "s- ", "")) == 1 { flush(); item = $0 "\n"; next }
    indent && item != "" && index($0, sprintf("%" (indent + 1) "s", "")) == 1 { item = item $0 "\n"; next }
    { flush(); indent = 0; print }
    END { flush() }
  ' <(printf '%s\n' "$before") "$manifest" "$manifest" "$manifest"
}

before=
if [ -r "$replaced" ]; then
  before=$(cat -- "$replaced")
elif [ -r "$written" ]; then
  before=$(parts "$written" | awk -v names=' @NAMES@ ' '$1 == "flag" && index(names, " " $2 " ") { print "--" $2 "=" $3 } $1 == "volume" && $2 == "k8s-audit" && $3 == "@PLACE@" { print "volume" } $1 == "no" { print }')
fi
if [ ! -r "$manifest" ]; then
  [ "$dry_run" = 1 ] || die "$manifest is not there: is this a machine of the control plane?"
  say "would change: $manifest"
else
  why=$(printf '%s\n' "$before" "$(parts "$manifest")" | sed -n 's/^no //p')
  [ -z "$why" ] || die "$manifest and all files are left as they are, for ${why%%$'\n'*}: take the flags of the audit webhook out by hand"
  if without | cmp -s - "$manifest"; then
    say "not in it: $manifest"
  elif [ "$dry_run" = 1 ]; then
    say "would change: $manifest"
    without | diff -u -- "$manifest" - || true
  else
    cp -p -- "$manifest" "$backup"
    new=$(mktemp "$folder/.falcokit-XXXXXX")
    trap 'rm -f -- "$new"' EXIT
    without >"$new"
    why=$(parts "$new" | sed -n 's/^no //p')
    [ -z "$why" ] || die "$manifest and all files are left as they are, for afterwards $why: take the flags of the audit webhook out by hand"
    chmod 0600 "$new"
    mv -f -- "$new" "$manifest"
    say "changed: $manifest (before: $backup)"
    printf '%s\n' "$before" | while IFS= read -r flag; do
      case $flag in --*) grep -qxF -- "    - $flag" "$manifest" || say "not put back: $flag" ;; esac
    done
  fi
  # What was kept is told for this time only.
  if [ "$dry_run" = 0 ]; then
    rm -f -- "$replaced"
    [ ! -e "$written" ] || mv -f -- "$written" "$folder/.kube-apiserver.yaml.falcokit-restored"
  fi
fi
if grep -q -- '=@SEEN@/' "$manifest" 2>/dev/null; then
  say "kube-apiserver still names files of @PLACE@: they stay"
  exit 0
fi
"""
)
