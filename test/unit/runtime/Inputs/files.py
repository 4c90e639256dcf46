"""Interrupts, watches and checks a program that writes and maps files (files.cpp): `files.py PROGRAM FOLDER`."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv[1])
FOLDER = Path(sys.argv[2]).absolute()
BYTES = 100_000
# A mount of its own in place of what a program takes for granted.
WITHOUT_PROC = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


def check(holds, *what):
    if not holds:
        sys.exit(f"does not hold: {what}")


def take_signals():
    """Whoever runs the tests in the background may have them ignored."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)


def start(*arguments, under=(), **options):
    return subprocess.Popen([*under, PROGRAM, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=take_signals, **options)


def run(*arguments, between=lambda: None, **options):
    """Lets the program work to its end: its status, output and errors."""
    process = start(*arguments, **options)
    ready = process.stdout.readline()
    between()
    output, errors = process.communicate(b"\n", timeout=60)
    return process.returncode, ready + output, errors.decode()


def refused(message, *arguments, **options):
    status, _, errors = run(*arguments, **options)
    check(status == 1 and message in errors, arguments, status, errors, message)


def listing():
    return {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}


def interrupt(signals, under=()):
    for existing in False, True:
        target = FOLDER / "out"
        if existing:
            target.write_text("before")
        before = listing()
        for number in signals:
            process = start("write", target, BYTES, under=under)
            check(process.stdout.readline() == b"ready\n", "it begins", process.stderr)
            process.send_signal(number)
            process.communicate(timeout=60)
            check(process.returncode == -number, number, process.returncode)
            check(listing() == before, number, list(FOLDER.iterdir()))
        target.unlink(missing_ok=True)


def works(under):
    return subprocess.run([*under, "true"], capture_output=True).returncode == 0


def test_interrupts():
    interrupt([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    print("interrupted: nothing is left")
    # Without /proc a file needs a name from the start.
    if not works(WITHOUT_PROC):
        return print("without a name: skipped, nothing can be mounted")
    interrupt([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], WITHOUT_PROC)
    check(run("write", FOLDER / "out", BYTES, under=WITHOUT_PROC)[0] == 0, "written without /proc")
    check(list(listing()) == ["out"] and (FOLDER / "out").stat().st_size == BYTES, listing())
    (FOLDER / "out").unlink()
    print("without a name: nothing is left")


def test_replacing():
    target, link = FOLDER / "out", FOLDER / "link"
    status, _, errors = run("write", target, BYTES, umask=0o027)
    check(status == 0 and target.read_bytes() == b"x" * BYTES, status, errors)
    check(stat.S_IMODE(target.stat().st_mode) == 0o640, oct(target.stat().st_mode))
    link.symlink_to("out")
    target.write_text("before")
    target.chmod(0o600)
    check(run("replace", link, 10)[0] == 0 and target.read_bytes() == b"x" * 10, "a link is followed")
    check(link.is_symlink() and stat.S_IMODE(target.stat().st_mode) == 0o600, oct(target.stat().st_mode))
    # A link that leads nowhere yet.
    target.unlink()
    check(run("write", link, 10)[0] == 0 and link.is_symlink() and target.read_bytes() == b"x" * 10, "a new file")
    link.unlink()
    check(sorted(os.listdir(FOLDER)) == ["out"], os.listdir(FOLDER))
    print("replaced: permissions and links stay")


def test_refusals():
    given, pipe = FOLDER / "in", FOLDER / "pipe"
    given.write_text("an input")
    os.link(given, FOLDER / "hard")
    (FOLDER / "soft").symlink_to("in")
    for name in "in", "hard", "soft", "../" + FOLDER.name + "/in":
        refused("it is an input of this command, `", "write", FOLDER / name, 10, given)
    with given.open() as text:
        process = subprocess.run([PROGRAM, "write", str(FOLDER / "hard"), "10"], stdin=text, capture_output=True)
    check(process.returncode == 1 and b"this command, the standard input" in process.stderr, process)
    check(given.read_text() == "an input", "it stays")
    os.mkfifo(pipe)
    refused("it is a pipe that nobody reads", "write", pipe, 10)
    refused("it is a directory", "write", FOLDER, 10)
    refused("it names a directory", "write", f"{FOLDER}/absent/", 10)
    refused("No such file or directory", "write", FOLDER / "absent" / "out", 10)
    loop = FOLDER / "loop"
    loop.symlink_to("loop")
    refused("Too many levels of symbolic links", "write", loop, 10)
    refused("File name too long", "write", FOLDER / ("n" * 300), 10)
    for name in "in", "hard", "soft", "pipe", "loop":
        (FOLDER / name).unlink()
    print("refused: inputs, folders, pipes that nobody reads")


def test_in_place():
    refused("could not write `/dev/full`: No space left on device", "write", "/dev/full", 10)
    check(run("write", "/dev/null", BYTES)[0] == 0 and stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null")
    pipe = FOLDER / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check(run("write", pipe, 1000)[0] == 0 and os.read(reader, 2000) == b"x" * 1000, "a pipe")
    os.close(reader)
    pipe.unlink()
    check(sorted(run("write", "/dev/stdout", 10)[1]) == sorted(b"ready\n" + b"x" * 10), "the standard output")
    with (FOLDER / "fd").open("wb") as file:
        name = f"/dev/fd/{file.fileno()}"
        check(run("write", name, 10, pass_fds=[file.fileno()])[0] == 0, name)
    check((FOLDER / "fd").read_bytes() == b"x" * 10, "a descriptor")
    (FOLDER / "fd").unlink()
    # Nobody reads any more: an error of the write, no signal.
    reading, writing = os.pipe()
    os.close(reading)
    name = f"/dev/fd/{writing}"
    refused("Broken pipe", "write", name, 10, pass_fds=[writing])
    print("in place: devices, pipes and descriptors")


def test_full_disk():
    small = FOLDER / "small"
    small.mkdir()
    script = f'mount -t tmpfs -o size=64k none "{small}" && "$@"; status=$?; ls -A "{small}" && exit $status'
    under = ["unshare", "-rm", "sh", "-c", script, "sh"]
    if works(under):
        status, output, errors = run("write", small / "out", 1_000_000, under=under)
        check(status == 1 and "No space left on device" in errors and not output, status, output, errors)
        print("full: nothing is left")
    else:
        print("full: skipped, nothing can be mounted")
    small.rmdir()


def test_mappings():
    path = FOLDER / "mapped"
    path.write_bytes(b"a" * BYTES)
    check(run("map", path)[1] == b"ready\n%d\n" % (97 * BYTES), "it is read")
    refused(f"files: error: `{path}` could not be read to its end", "map", path, between=lambda: os.truncate(path, 0))
    path.unlink()
    print("mapped: the file is named")


def test_reading():
    pipe, server = FOLDER / "pipe", FOLDER / "socket"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(FOLDER)
        listener.bind("socket")
        for path, what in (pipe, "a pipe"), (server, "a socket"), (FOLDER, "a directory"), ("/dev/zero", "a device"):
            refused(f"could not open `{path}`: it is {what}, expected a regular file", "map", path)
    print("read: regular files alone")


for test in (test_interrupts, test_replacing, test_refusals, test_in_place, test_full_disk, test_mappings, test_reading):
    test()
