#!/usr/bin/env python3
"""At a terminal: Ctrl-C while requests run, the terminal closed."""
import pty
import re
import signal
import subprocess
import threading

from tap import *

write("app/app.py", '''
import time
def handler(event, context):
    if event["path"] == "/slow": time.sleep(1)
    if event["path"] == "/raise": raise ValueError("it broke")
    return {"statusCode": 200, "body": "done"}
''')


class Terminal:
    """The program as the foreground job of a terminal of its own."""

    def __init__(self, *arguments, env=None):
        self.leader, follower = pty.openpty()
        self.seen = bytearray()
        out, into = os.pipe()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *arguments], stdin=follower, stdout=into,
            stderr=follower, cwd=os.path.join(folder, "app"), env=env,
            start_new_session=True, preexec_fn=lambda: self.take(follower))
        os.close(follower)
        os.close(into)
        self.lines = []
        with os.fdopen(out) as stdout:
            for line in stdout:
                self.lines.append(line.rstrip())
                if self.lines[-1] == "ready":
                    break
        self.address = ("127.0.0.1",
                        int(re.search(r":(\d+)$", self.lines[0]).group(1)))
        threading.Thread(target=self.read, daemon=True).start()

    @staticmethod
    def take(follower):
        import fcntl
        import termios
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)

    def read(self):
        try:
            while True:
                piece = os.read(self.leader, 65536)
                if not piece:
                    return
                self.seen += piece
        except OSError:
            pass

    def text(self):
        return self.seen.decode("utf-8", "replace").replace("\r\n", "\n")


@check
def interrupt():
    terminal = Terminal("app.handler", "--port", "0")
    get(terminal)
    slow = []
    thread = threading.Thread(target=lambda: slow.append(
        get(terminal, "/slow")))
    thread.start()
    time.sleep(0.4)
    below = descendants(terminal.process.pid)
    os.write(terminal.leader, b"\x03")  # to the whole foreground group
    thread.join()
    same([g.body for g in slow], [b"done"],
         "Ctrl-C: the request that runs is answered")
    same(terminal.process.wait(10), 0, "then it ends with 0")
    ok(eventually(lambda: not any(map(is_alive, below)), 3),
       "nothing is left", below)
    ok("Traceback" not in terminal.text() and
       "KeyboardInterrupt" not in terminal.text(),
       "the function did not see it", terminal.text())
    os.close(terminal.leader)


def get_quietly(terminal):
    try:
        get(terminal, "/slow")
    except (OSError, EOFError):
        pass


@check
def twice():
    terminal = Terminal("app.handler", "--port", "0")
    threading.Thread(target=lambda: get_quietly(terminal), daemon=True).start()
    time.sleep(0.5)
    os.write(terminal.leader, b"\x03")
    time.sleep(0.2)
    begin = time.monotonic()
    os.write(terminal.leader, b"\x03")
    terminal.process.wait(10)
    ok(time.monotonic() - begin < 0.7, "Ctrl-C twice ends at once",
       time.monotonic() - begin)
    os.close(terminal.leader)


@check
def hang_up():
    terminal = Terminal("app.handler", "--port", "0")
    get(terminal)
    below = descendants(terminal.process.pid)
    os.close(terminal.leader)  # the window is closed
    ok(eventually(lambda: terminal.process.poll() is not None, 8),
       "the terminal is closed: it ends")
    ok(eventually(lambda: not any(map(is_alive, below)), 3),
       "nothing is left", below)


@check
def what_is_read():
    terminal = Terminal("app.handler", "--port", "0",
                        env={**os.environ, "NO_COLOR": "1"})
    get(terminal, "/" + "long/" * 40)
    get(terminal, "/raise")
    eventually(lambda: re.search(r"^502 ", terminal.text(), re.M), 5)
    ok("it broke" in terminal.text(), "the function's error is shown",
       terminal.text())
    text = terminal.text()
    has(text, "ValueError: it broke", "with type and message")
    has(text, "app.py", "and where")
    ok(all(len(line) <= 80 for line in text.split("\n")
           if "/long/" in line or "502" in line), "lines of 80 columns", text)
    ok("\x1b[" not in text, "no colour with NO_COLOR")
    ok(re.search(r"^502 GET +/raise.*function/error$", text, re.M),
       "status, method, path and rule in one line", text)
    same(text.count("ValueError: it broke"), 1, "it is told once")
    terminal.process.send_signal(signal.SIGTERM)
    terminal.process.wait(10)
    terminal = Terminal("app.handler", "--port", "0",
                        env={**{k: v for k, v in os.environ.items()
                                if k != "NO_COLOR"}, "TERM": "xterm"})
    get(terminal)
    ok(eventually(lambda: b"\x1b[" in terminal.seen, 5), "colour without it",
       terminal.text())
    terminal.process.send_signal(signal.SIGTERM)
    terminal.process.wait(10)


write("app/node.mjs", """
export const handler = async (event) => {
  console.log("before");
  throw new RangeError("no such pet");
};
""")
# A runtime client that prints something, but nothing of its error.
write("app/silent.py", """
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
base = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", base + "next")
    answer = api.getresponse()
    answer.read()
    print("before", flush=True)
    api.request("POST", base + answer.headers["Lambda-Runtime-Aws-Request-Id"]
                + "/error", json.dumps({
                    "errorType": "Broken", "errorMessage": "in two",
                    "stackTrace": ["at here (pet.rb:7)"]}))
    api.getresponse().read()
""")


@check
def errors_of_others():
    for name, arguments, what in [
            ("Node", ["node.handler"],
             r"^node: .*before$\n^node: \[ERROR\] RangeError: no such pet$\n"
             r"^node:  +at .*node\.mjs:4.*$\n^502 "),
            ("a runtime that does not print it", ["--", "python3", "silent.py"],
             r": before$\n^\S+: Broken: in two$\n"
             r"^\S+: at here \(pet\.rb:7\)$\n^502 ")]:
        terminal = Terminal("--port", "0", *arguments,
                            env={**os.environ, "NO_COLOR": "1"})
        get(terminal)
        eventually(lambda: re.search(r"^502 ", terminal.text(), re.M), 5)
        ok(re.search(what, terminal.text(), re.M),
           "the error of %s: type, message, frames" % name, terminal.text())
        terminal.process.send_signal(signal.SIGTERM)
        terminal.process.wait(10)


finish()
