"""Runs a case's commands in bounded time and memory, and holds what happens against docs/limits.md's rule."""

import hashlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile

# The rule's bounds for what a small input causes. Kernels that were never compiled before take longer, so what is accepted may.
CPU_SECONDS = 10
ACCEPTED_CPU_SECONDS = 60
PEAK_BYTES = 1 << 30
# Where the machine is protected: a process that gets here has broken a bound long before.
ADDRESS_BYTES = 16 << 30
FILE_BYTES = 1 << 30
WALL_SECONDS = 300
STDERR_BYTES = 1 << 16

# The program's name or a place, which must be there, then what is wrong, with a place if it was not said before.
ERROR = re.compile(r"^(?P<who>\S.*?): error: (?P<what>.+)$")
PLACE = re.compile(r"`|\bline \d+|\bbyte \d+|\btoken \d+|\bthe prompt\b|\bthe standard input\b|\.\w+(:\d+)*$")
# What no message to a user may hold.
OURS = re.compile(r"internal error|bug in quern|mistake of Quern|panicked at|terminate called|LLVM ERROR|Assertion|Traceback|"
                  r"PLEASE submit|AddressSanitizer|runtime error:|std::|(?<!`)``(?!`)|\bnullptr\b|basic_string")


class Verdict(Exception):
    """A broken rule: what it is, and the message that goes with it."""

    def __init__(self, rule, detail=""):
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail


def shape(text):
    """A message without what differs from one input to the next."""
    text = re.sub(r"/\S+/", "", text)
    text = re.sub(r"`[^`]*`", "`…`", text)
    text = re.sub(r"0x[0-9a-f]+|-?\d+(\.\d+)?(e[-+]?\d+)?", "N", text)
    return re.sub(r"[^\x20-\x7e…]+", "?", text)[:160]


def snapshot(folder):
    """The files of a folder by their contents, its folders and links by their kind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def limit():
    """In the child: bounds, and no core files."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * ACCEPTED_CPU_SECONDS, 2 * ACCEPTED_CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    if not ASAN:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))


# AddressSanitizer reserves terabytes of addresses and keeps what was freed.
ASAN = False


class Outcome:
    """How a process ended."""

    def __init__(self, words, stdin, environment, folder):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
            given.write(stdin.encode("latin-1"))
            given.seek(0)
            process = subprocess.Popen(words, stdin=given, stdout=out, stderr=err, cwd=folder, env=environment, preexec_fn=limit)
            previous = signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
            signal.alarm(WALL_SECONDS)
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            finally:
                signal.alarm(0)
                signal.signal(signal.SIGALRM, previous)
            process.returncode = self.status = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            self.output = out.read()
            self.errors = err.read(STDERR_BYTES + 1)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024


def check_status(outcome, step):
    text = outcome.errors.decode("utf-8", "replace")
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "no message")
    ours = next((line for line in lines if OURS.search(line)), None)
    if outcome.status < 0:
        name = signal.Signals(-outcome.status).name
        raise Verdict(f"signal {name}", ours or first)
    if outcome.status not in (0, 1, 2):
        raise Verdict(f"status {outcome.status}", ours or first)
    if ours:
        raise Verdict("words of ours", ours)
    if outcome.status == 0:
        return
    if outcome.status == 2 and 2 not in step.statuses:
        raise Verdict("status 2 for an input", first)
    if len(outcome.errors) > STDERR_BYTES:
        raise Verdict("more than 64 KiB of messages", first)
    errors = [line for line in lines if ERROR.match(line)]
    if not errors:
        raise Verdict("status 1 without a message", first)
    what = ERROR.match(errors[0])
    if not PLACE.search(what["what"]) and not PLACE.search(what["who"]):
        raise Verdict("a message without file or place", errors[0])
    if outcome.status not in step.statuses:
        raise Verdict("refused what must be accepted", errors[0])


def check_bounds(outcome, mapped):
    seconds = ACCEPTED_CPU_SECONDS if outcome.status == 0 else CPU_SECONDS
    if outcome.cpu > seconds:
        raise Verdict(f"more than {seconds} s", outcome.errors.decode("utf-8", "replace").strip().partition("\n")[0])
    if not ASAN and outcome.peak > PEAK_BYTES + mapped:
        raise Verdict(f"more than {PEAK_BYTES >> 30} GiB", outcome.errors.decode("utf-8", "replace").strip().partition("\n")[0])


def check_output(outcome, step, printed):
    """`printed`: the output that the first `same` step had, or an empty list."""
    if outcome.status != 0:
        return
    if step.prints == "json":
        try:
            json.loads(outcome.output)
        except ValueError as error:
            raise Verdict("the output is no JSON", str(error)) from None
    if step.prints == "same":
        printed.append(outcome.output)
        if outcome.output != printed[0]:
            raise Verdict("another output than before the change", outcome.output[:80].decode("latin-1"))


def run(case, places, environment, program=None):
    """Runs the steps of a case in a new folder until one is refused; the number that ran. Raises the first Verdict."""
    with tempfile.TemporaryDirectory(prefix="quern-fuzz-", dir=places.get("scratch")) as name:
        folder = pathlib.Path(name)
        for part in ("in", "out", "work", "tmp"):
            (folder / part).mkdir()
        case.write(folder)
        inputs = snapshot(folder / "in")
        mapped = sum(len(data) for data in case.files.values()) + (64 << 20)
        environment = {**environment, "TMPDIR": str(folder / "tmp")}
        made, printed = set(), []
        for index, step in enumerate(case.steps):
            words = [word.format_map({**places, "in": folder / "in", "out": folder / "out"}) for word in step.words]
            outcome = Outcome(words, step.stdin, environment, folder / "work")
            check_status(outcome, step)
            check_bounds(outcome, mapped)
            made.update(step.makes if outcome.status == 0 else ())
            check_folders(folder, inputs, made)
            check_output(outcome, step, printed)
            if outcome.status != 0:
                return index + 1
        return len(case.steps)


def check_folders(folder, inputs, made):
    if snapshot(folder / "in") != inputs:
        raise Verdict("changed an input")
    for part in ("work", "tmp"):
        left = sorted(snapshot(folder / part))
        if left:
            raise Verdict(f"left a file in {'TMPDIR' if part == 'tmp' else 'the working folder'}", left[0])
    found = set(snapshot(folder / "out"))
    if found - made:
        raise Verdict("left a file beside the output", sorted(found - made)[0])
    if made - found:
        raise Verdict("status 0 without its output", sorted(made - found)[0])
