"""Time falcokit against bare Python, and print medians and ratios.

Usage: python benchmarks/run.py FILE... [--runs N]

FILE... are rules files in load order, such as the published default rules.  Each figure is the CPU time (user and
system) of whole processes, except where it says otherwise; ratios are to ``python -c pass`` of the same interpreter,
taken in turn with it, so that they hold when the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ALERT = """{"rule": "Terminal shell in container", "output": "o", "priority": "Notice", "time": "2026-01-02T03:04:05Z",
"output_fields": {"container.id": "4f2e1d9a0b1c", "container.image.repository": "registry.example.com/web", "proc.name": "sh"}}"""
BARE = [sys.executable, "-c", "pass"]


def cpu(command: list[str], env: dict[str, str]) -> float:
    """Milliseconds of CPU that one run of *command* takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def compare(name: str, command: list[str], env: dict[str, str], runs: int) -> None:
    """Run *command* and bare Python in turn and print the medians and the median ratio."""
    cpu(command, env)
    pairs = [(cpu(BARE, env), cpu(command, env)) for _ in range(runs)]
    bare, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:34} {own:8.1f} ms  bare {bare:5.1f} ms  ratio {ratio:6.2f}", flush=True)


def peak_memory(command: list[str], env: dict[str, str]) -> float:
    """The largest resident size of *command* in MB."""
    code = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    return float(subprocess.run([sys.executable, "-c", code, *command], env=env, capture_output=True, text=True).stdout)


def enlarged(path: Path, times: int) -> str:
    """The file *times* over, each copy with all its lists, macros and rules renamed."""
    text = path.read_text(encoding="utf-8")
    from falcokit.catalogue import Catalogue

    # A macro called like an event type or a plugin cannot be renamed by its word.
    known = Catalogue.bundled().events.is_known
    names = {n for n in re.findall(r"^- (?:list|macro): *(\S+)", text, re.MULTILINE) if not known(n)} - {"container"}
    word = re.compile(
        r"(?<![\w.\-])(" + "|".join(sorted(map(re.escape, names), key=len, reverse=True)) + r")(?![\w.\-])"
    )
    copies = []
    for number in range(times):
        copy = word.sub(lambda m, n=number: f"{m[1]}_{n}", text)
        copies.append(re.sub(r"^(- rule: *.*?)\s*$", rf"\1 {number}", copy, flags=re.MULTILINE))
    return "\n".join(copies)


def hot(paths: list[Path], runs: int) -> None:
    """Lint again in a process that has linted before, with one file changed each time."""
    from falcokit.catalogue import Catalogue
    from falcokit.lint import lint
    from falcokit.ruleset.loader import Memo
    from falcokit.source import Origin, SourceFile

    custom = "- macro: hot_custom\n  condition: (proc.name = x{0})\n- rule: Hot custom\n  desc: d\n"
    custom += "  condition: evt.type = execve and hot_custom\n  output: o %proc.name\n  priority: INFO\n"
    for which in ("a custom file", paths[0].name):
        memo, catalogue = Memo(), Catalogue.bundled()
        files = [SourceFile(str(p), p.read_text(encoding="utf-8"), Origin.DEFAULT) for p in paths]
        files.append(SourceFile("custom.yaml", custom.format(0)))
        lint(files, catalogue, memo=memo)
        times = []
        for number in range(1, runs + 3):
            if which == "a custom file":
                files[-1] = SourceFile("custom.yaml", custom.format(number))
            else:
                files[0] = SourceFile(str(paths[0]), files[0].text.replace("evt.type", "evt.type ", 1), Origin.DEFAULT)
            start = time.perf_counter()
            lint(files, catalogue, memo=memo)
            times.append(1000 * (time.perf_counter() - start))
        print(f"{'hot, changed: ' + which:34} {statistics.median(times):8.1f} ms")


def checks(paths: list[Path], runs: int) -> None:
    """What all checks together add to the bare load of the files, without and with those of --pedantic, in CPU time."""
    for name, pedantic in (("all checks, beside the load", False), ("and those of --pedantic", True)):
        pairs = [_load_and_check(paths, pedantic) for _ in range(3 * runs)]
        load, added = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(added / load for load, added in pairs)
        print(f"{name:34} {added:8.1f} ms  load {load:5.1f} ms  ratio {ratio:6.2f}")


def _load_and_check(paths: list[Path], pedantic: bool) -> tuple[float, float]:
    """Milliseconds of CPU for loading *paths* and for all checks; nothing of it lives on."""
    from falcokit.catalogue import Catalogue
    from falcokit.checks import all_checks, run_checks
    from falcokit.ruleset.loader import Memo, load_all
    from falcokit.ruleset.ruleset import Ruleset
    from falcokit.source import SourceFile

    files = [SourceFile(str(p), p.read_text(encoding="utf-8")) for p in paths]
    catalogue, every = Catalogue.bundled(), [check for check in all_checks() if pedantic or not check.pedantic]
    # As in the command line, which collects no garbage.
    gc.collect()
    gc.disable()
    start = time.process_time()
    loaded = load_all(files, catalogue, Memo(lasting=False))
    middle = time.process_time()
    ruleset = Ruleset(loaded)
    run_checks(ruleset, every)
    end = time.process_time()
    gc.enable()
    return 1000 * (middle - start), 1000 * (end - middle)


def main() -> None:
    """Parse the arguments and print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    if missing := [str(path) for path in args.files if not path.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "XDG_CACHE_HOME": folder, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        run = [sys.executable, "-c", "from falcokit.cli import main; main()", "lint", "--include-defaults"]
        defaults = [part for path in args.files for part in ("--defaults", str(path))]
        compare("import falcokit", [sys.executable, "-c", "import falcokit"], env, args.runs)
        compare("import typer, ruamel.yaml", [sys.executable, "-c", "import typer, ruamel.yaml"], env, args.runs)
        compare("lint, cold", [*run, "--no-cache", *defaults], env, args.runs)
        compare("lint, from the cache", [*run, *defaults], env, args.runs)
        alert = Path(folder) / "alert.json"
        alert.write_text(ALERT, encoding="utf-8")
        whitelist = [*run[:-2], "whitelist", "--event", str(alert), *defaults]
        compare("from an event to a proposal, cold", whitelist, env, args.runs)
        upgrade = [*run[:-2], "upgrade", "--from", str(args.files[0]), "--to", "bundled"]
        compare("upgrade to the bundled rules, cold", upgrade, env, args.runs)
        big = Path(folder) / "big_rules.yaml"
        big.write_text(enlarged(args.files[0], 50), encoding="utf-8")
        command = [*run, "--no-cache", "--defaults", str(big)]
        compare(f"lint of {big.stat().st_size / 1e6:.1f} MB, cold", command, env, max(3, args.runs // 5))
        print(f"{'peak memory of it':34} {peak_memory(command, env):8.1f} MB")
    hot(args.files, args.runs)
    checks(args.files, args.runs)


if __name__ == "__main__":
    main()
