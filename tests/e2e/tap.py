"""What the end-to-end tests share: checks as TAP lines, servers, curl.

A test file imports this, calls ok() and same() and ends with finish().  An
exception anywhere is a "not ok" with its trace.
"""
import os
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))

import rawhttp  # noqa: E402  (found through the path above)
from server import PROGRAM, ROOT, Server, write_config  # noqa: E402,F401

failures = 0
folder = tempfile.mkdtemp(prefix="albatross-e2e-")


def ok(good, name, detail=""):
    global failures
    if good:
        print("ok " + name)
    else:
        failures += 1
        print("not ok " + name)
        for line in str(detail).splitlines()[:40]:
            print("  " + line)
    sys.stdout.flush()
    return bool(good)


def same(got, expected, name):
    return ok(got == expected, name,
              "expected: %r\ngot:      %r" % (expected, got))


def has(text, piece, name):
    return ok(piece in text, name, "%r is not in:\n%s" % (piece, text))


def check(function):
    """Decorator: run it now, an exception is a failure of its name."""
    try:
        function()
    except Exception:  # whatever it is, it is shown
        ok(False, function.__name__, traceback.format_exc())


def write(name, text, mode=0o644):
    """A file below the test's folder; its path."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)
    return path


def run(*command, stdin=None, timeout=30, **more):
    """The finished process; output as text."""
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=timeout,
        text=not isinstance(stdin, bytes), **more)


def albatross(*arguments, **more):
    return run(PROGRAM, *arguments, **more)


def curl(*arguments, **more):
    return run("curl", "-sS", "--max-time", "20", *arguments, **more)


def get(server, target="/", headers=(), method="GET", body=b"", timeout=20):
    """One request on a connection of its own."""
    head = "%s %s HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n" % (
        method, target)
    head += "".join("%s: %s\r\n" % item for item in headers)
    if body or method in ("POST", "PUT"):
        head += "Content-Length: %d\r\n" % len(body)
    return rawhttp.exchange(server.address, head.encode() + b"\r\n" + body,
                            method, timeout)


def mock(result='{"statusCode":200,"body":"hello"}', front=None, **more):
    """A configuration with one mock function."""
    return {
        "listeners": [{"address": "127.0.0.1:0", "front": "web"}],
        "fronts": {"web": {"dialect": "alb", "function": "hello",
                           **(front or {})}},
        "functions": {"hello": {"mock": result}}, **more}


def one_function(function, front=None, **more):
    """A configuration with one function."""
    config = mock(front=front, **more)
    config["functions"] = {"hello": function}
    return config


def serve(config, *arguments, **more):
    return Server("-c", write_config(folder, config), *arguments, **more)


def descendants(pid):
    """All processes below |pid|, by /proc."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as stat:
                    parent = stat.read().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue
            children.setdefault(int(parent), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def finish():
    import shutil
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failures else 0)
