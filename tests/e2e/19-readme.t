#!/usr/bin/env python3
"""README.md: its console blocks, run in order in one shell, show what it says.

The shell runs in a folder that looks like a clone (links to this one), with a
home of its own and, where the kernel allows it, a network of its own, so that
port 8080 is free.  Ids, times and dates are compared by their form.  A command
without output below it is only run.
"""
import re
import select

from tap import *

PROMPT, MORE = "$ ", "> "
LOOPBACK_UP = """
import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 0x49))
"""
FORMS = [
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "DATE"),
    (r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", "TRACE"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
]


def steps(text):
    """(command, expected output) of every console block, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for line in block.splitlines():
            if line.startswith(PROMPT):
                found.append([line[len(PROMPT):], ""])
            elif line.startswith(MORE.rstrip()) and "<<" in found[-1][0] \
                    and not found[-1][1]:
                found[-1][0] += "\n" + line[len(MORE):]
            else:
                found[-1][1] += line + "\n"
    return found


def form(text):
    text = text.replace("\r", "")
    for pattern, name in FORMS:
        text = re.sub(pattern, name, text)
    return text.strip()


class Shell:
    def __init__(self, place):
        os.makedirs(os.path.join(folder, "home"))
        environment = dict(os.environ, HOME=os.path.join(folder, "home"))
        environment.pop("XDG_STATE_HOME", None)
        command = ["bash", "--norc", "--noprofile"]
        if run("unshare", "-n", "true").returncode == 0:
            command = ["unshare", "-n", "sh", "-c",
                       'python3 -c "$1" && exec bash --norc --noprofile',
                       "sh", LOOPBACK_UP]
        self.process = subprocess.Popen(
            command, cwd=place, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def send(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def read(self, done, seconds):
        """What it writes until done(text) or the time is up."""
        text, end = "", time.time() + seconds
        out = self.process.stdout.fileno()
        while not done(text) and time.time() < end:
            if select.select([out], [], [], 0.1)[0]:
                piece = os.read(out, 65536).decode("utf-8", "replace")
                if not piece:
                    break
                text += piece
        return text

    def do(self, command, expected):
        mark = "-- %d --" % id(command)
        if command.endswith("&"):  # a server: its log is not shown
            self.send(command[:-1] + "2>>server.log &")
            return self.read(lambda t: form(t) == form(expected), 15)
        self.send(command + "\necho; echo '%s'" % mark)
        text = self.read(lambda t: mark in t, 300)
        return text.split("\n" + mark)[0]


def clone():
    """A folder with links to everything that git tracks here, and our build."""
    place = os.path.join(folder, "clone")
    os.makedirs(place)
    for name in os.listdir(ROOT):
        if not name.startswith((".git", "build", "try")):
            os.symlink(os.path.join(ROOT, name), os.path.join(place, name))
    os.symlink(os.path.dirname(PROGRAM), os.path.join(place, "build"))
    return place


@check
def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = steps(file.read())
    ok(len(found) > 10, "README.md has console blocks", found)
    shell = Shell(clone())
    for command, expected in found:
        got = shell.do(command, expected)
        name = command.splitlines()[0]
        if expected:
            same(form(got), form(expected), name)
        else:
            ok(shell.process.poll() is None, name)
    shell.send("kill $(jobs -p) 2>/dev/null; exit")
    shell.process.wait(20)


finish()
