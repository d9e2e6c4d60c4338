#!/usr/bin/env python3
"""The fuzz targets, run: `./dev fuzz [NAME ...] [--minutes N] [--engine libfuzzer|afl] [--minimise] [--short]`.

    corpus/NAME ──▶ build/fuzz/tests/fuzz/fuzz-NAME ──▶ build/fuzz/NAME/corpus   inputs that reach something new
        ▲                                          └──▶ build/fuzz/NAME/         inputs that break something
        └── --minimise: the fewest of both that reach all that is reached

As many run at a time as there are cores. Each closes with one line: how long, how many executions, what was found; and for
what was found the command that shows it again. It ends with "N passed, M failed".
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORPORA = Path("tests/fuzz/corpus")
BUILDS = {"libfuzzer": Path("build/fuzz"), "afl": Path("build/fuzz-afl")}
SIZE_MAX, FILES_MAX = 48 * 1024, 150  # what the repository keeps of one corpus
FILES_MAXES = {"store": 40}  # each starts a store many times
INPUT_MAX = 4096  # libFuzzer's own choice too
INPUT_MAXES = {"request": 1200, "response": 1200, "chunked": 1200}  # each prefix is parsed too
SLOW = {"config": 20, "connection": 20, "store": 20}  # seconds after which one input hangs; for the others 5
SHORT_RUNS, SHORT_SECONDS = 200_000, 5  # for each target, whichever comes first: all in a minute, on two cores
REPLAY = "ASAN_OPTIONS=strict_string_checks=1"  # as here, but with names in the trace
HASHED = re.compile(r"[0-9a-f]{40}")


class Target:
    def __init__(self, build, name):
        self.name, self.program, self.corpus = name, build / f"tests/fuzz/fuzz-{name}", CORPORA / name
        self.folder = build / name
        self.found = self.folder / "corpus"
        self.found.mkdir(parents=True, exist_ok=True)
        words = Path(f"tests/fuzz/{name}.dict")
        self.words = words if words.exists() else None
        self.input_max, self.slow = INPUT_MAXES.get(name, INPUT_MAX), SLOW.get(name, 5)

    def breaking(self):
        return {path for path in self.folder.iterdir() if path.is_file() and path.suffix != ".log"}


class Result:
    def __init__(self, target, seconds, executions, breaking, status, log):
        self.target, self.seconds, self.executions = target, seconds, executions
        self.breaking, self.log = sorted(breaking), log
        self.failed = bool(breaking) or status != 0
        self.status = status

    def show(self):
        what = f"{len(self.breaking)} FOUND" if self.breaking else "nothing found"
        if self.failed and not self.breaking:
            what = f"ENDED with status {self.status}: see {self.log}"
        print(f"  {self.target.name:14} {self.seconds:5.0f} s {self.executions:12,} executions  {what}", flush=True)
        for path in self.breaking:
            print(f"      {path}\n      replay: {REPLAY} {self.target.program} {path}", flush=True)


def environment():
    """What breaks ends the process by a signal: AFL++ knows nothing else, and it cannot wait for names in a trace."""
    return {
        **os.environ,
        "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:strict_string_checks=1:symbolize=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:abort_on_error=1:symbolize=0",
        "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
    }


def run_logged(command, log, most):
    """Ends what neither ends by itself nor heeds its own limit: a hang of the engine is a failure, not a wait."""
    with log.open("wb") as out:
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  env=environment(), timeout=most, check=False).returncode
        except subprocess.TimeoutExpired:
            return -9


# ---- libFuzzer ----

def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz_libfuzzer(target, seconds, runs):
    before, start, log = target.breaking(), time.monotonic(), target.folder / "fuzz.log"
    command = [target.program, f"-max_total_time={seconds}", f"-runs={runs}", f"-max_len={target.input_max}",
               f"-timeout={target.slow}", f"-artifact_prefix={target.folder}/", "-print_final_stats=1",
               *([f"-dict={target.words}"] if target.words else []), target.found, target.corpus]
    status = run_logged(command, log, seconds + 120)
    text = log.read_text(errors="replace")
    executions = last_number(r"stat::number_of_executed_units: (\d+)", text) or last_number(r"^#(\d+)", text)
    return Result(target, time.monotonic() - start, executions, target.breaking() - before, status, log)


def reached_set(target, inputs):
    """The fewest of the inputs that together reach what all of them reach."""
    fewest = target.folder / "fewest"
    shutil.rmtree(fewest, ignore_errors=True)
    fewest.mkdir()
    command = [target.program, "-set_cover_merge=1", f"-max_len={target.input_max}", f"-timeout={target.slow}",
               f"-artifact_prefix={target.folder}/", fewest, *inputs]
    if run_logged(command, target.folder / "merge.log", 1800) != 0:
        sys.exit(f"fuzz: {target.name}: merging failed: see {target.folder}/merge.log")
    kept = [path.read_bytes() for path in fewest.iterdir()]
    shutil.rmtree(fewest)
    return sorted(kept, key=len)


def minimise(target):
    """What has a name given by a person stays; beside it, as much of the rest as the repository keeps."""
    found = [build / target.name / "corpus" for build in BUILDS.values()]
    kept = reached_set(target, [target.corpus, *(folder for folder in found if folder.is_dir())])
    named = [path for path in target.corpus.iterdir() if not HASHED.fullmatch(path.name)]
    have = {path.read_bytes() for path in named}
    size, files = sum(map(len, have)), len(have)
    for path in target.corpus.iterdir():
        if HASHED.fullmatch(path.name):
            path.unlink()
    kept = [data for data in kept if data not in have]
    each = -(-len(kept) // max(1, FILES_MAXES.get(target.name, FILES_MAX) - files))  # of all sizes, where there are too many
    for data in kept[::max(1, each)]:
        if size + len(data) > SIZE_MAX:
            break
        (target.corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
        size, files = size + len(data), files + 1
    print(f"  {target.name:14} {files} inputs, {size:,} bytes", flush=True)


# ---- AFL++ ----

def read_stats(path):
    if not path.exists():
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in path.open())}


def fuzz_afl(target, seconds, _runs):
    """What it finds is told in its own folders; all is copied to where libFuzzer would have put it."""
    before, start, log, out = target.breaking(), time.monotonic(), target.folder / "fuzz.log", target.folder / "afl"
    shutil.rmtree(out, ignore_errors=True)
    command = ["afl-fuzz", "-i", target.corpus, "-o", out, "-V", str(seconds), "-m", "none", "-G", str(target.input_max),
               "-t", str(target.slow * 1000), *(["-x", target.words] if target.words else []), "--", target.program]
    status = run_logged(command, log, seconds + 300)
    stats = read_stats(out / "default/fuzzer_stats")
    for kind in ("crashes", "hangs"):
        for path in (out / "default" / kind).glob("id:*"):
            shutil.copy(path, target.folder / f"{kind}-{hashlib.sha1(path.read_bytes()).hexdigest()}")
    for path in (out / "default/queue").glob("id:*"):
        shutil.copy(path, target.found / hashlib.sha1(path.read_bytes()).hexdigest())
    return Result(target, time.monotonic() - start, int(stats.get("execs_done", 0)), target.breaking() - before,
                  status if stats else status or 1, log)


# ---- all of them ----

def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Runs the fuzz targets, or those named.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--minutes", type=float, default=1, help="for each target (1)")
    parser.add_argument("--engine", choices=list(BUILDS), default="libfuzzer")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="targets at a time (one for each core)")
    parser.add_argument("--minimise", action="store_true", help="take what was found into the committed corpora")
    parser.add_argument("--short", action="store_true",
                        help=f"{SHORT_SECONDS} seconds or {SHORT_RUNS:,} runs for each, what comes first")
    return parser.parse_args()


def targets_of(build, names):
    have = sorted(path.name.removeprefix("fuzz-") for path in (build / "tests/fuzz").glob("fuzz-*") if path.is_file())
    for name in names:
        if name not in have:
            sys.exit(f"fuzz: there is no target \"{name}\"; there are: {', '.join(have)}")
    return [Target(build, name) for name in names or have]


def main():
    arguments = parse_arguments()
    afl = arguments.engine == "afl"
    targets = targets_of(BUILDS[arguments.engine], arguments.names)
    if arguments.minimise and afl:
        sys.exit("fuzz: --minimise is libFuzzer's; it takes what AFL++ has found as well")
    if arguments.minimise:
        for target in targets:
            minimise(target)
        return 0
    seconds = SHORT_SECONDS if arguments.short else max(1, round(arguments.minutes * 60))
    runs = SHORT_RUNS if arguments.short else -1
    failed = 0
    with ThreadPoolExecutor(max(1, arguments.jobs)) as pool:
        for result in pool.map(lambda target: (fuzz_afl if afl else fuzz_libfuzzer)(target, seconds, runs), targets):
            result.show()
            failed += result.failed
    print(f"{len(targets) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
