"""Start and end the program under test."""
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(ROOT, os.environ.get("E2E_PROGRAM", "build/albatross"))


class Server:
    """`albatross serve ...` with what it says on stdout and stderr."""

    def __init__(self, *arguments, program=None, env=None, cwd=None, wait=20,
                 stdin=subprocess.DEVNULL, prefix=()):
        self.lines = []
        self.ready = threading.Event()
        self.errors = tempfile.NamedTemporaryFile(
            prefix="albatross-stderr-", mode="w+b", delete=False)
        self.process = subprocess.Popen(
            [*prefix, program or PROGRAM, "serve", *arguments], env=env,
            cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait and not self._wait_ready(wait):
            text = self.stderr()
            self.kill()
            raise RuntimeError("the server is not ready: %s" % text[-3000:])

    def _wait_ready(self, seconds):
        end = time.monotonic() + seconds
        while not self.ready.wait(0.05):
            if self.process.poll() is not None or time.monotonic() > end:
                return self.ready.wait(0.1)
        return True

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            if self.lines[-1] == "ready":
                self.ready.set()

    @property
    def urls(self):
        return [line[10:] for line in self.lines
                if line.startswith("listening ")]

    @property
    def address(self):
        """Host and port of the first address."""
        match = re.match(r"https?://\[?([^/]*?)\]?:(\d+)/?$", self.urls[0])
        return match.group(1), int(match.group(2))

    def stderr(self):
        with open(self.errors.name, "rb") as text:
            return text.read().decode("utf-8", "replace")

    def wait_for(self, pattern, seconds=10):
        """Wait until stderr matches |pattern|."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            match = re.search(pattern, self.stderr(), re.S | re.M)
            if match:
                return match
            time.sleep(0.02)
        raise AssertionError("%r does not come: %s" % (
            pattern, self.stderr()[-2000:]))

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, seconds=40):
        """SIGTERM, and what the exit status is."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        finally:
            self.kill()
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        try:
            os.unlink(self.errors.name)
        except OSError:
            pass
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.end()
        finally:
            self.kill()


def write_config(folder, config, name="albatross.json"):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(config, out, indent=1)
    return path
