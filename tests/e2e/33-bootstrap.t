#!/usr/bin/env python3
"""CGI programs and web servers behind every door, through the bootstrap."""
import json
import shutil
import signal
import socket

from tap import *

STATIC = os.path.join(os.path.dirname(PROGRAM), "bootstrap")
# Sanitizers do not go into a static program.
SANITIZED = "asan" in PROGRAM or "tsan" in PROGRAM
BOOTSTRAP = [PROGRAM, "bootstrap"] if SANITIZED else [STATIC]
DOORS = {
    "alb": (), "alb lists": ("--multi-value-headers",), "rest": (), "http-1.0": (),
    "http-2.0": (), "url": (),
}
STAGES = {"rest": "/dev"}

# Tells what it was asked, and answers with it.
ECHO_CGI = write("cgi/echo", r'''#!/usr/bin/env python3
import json, os, sys
body = sys.stdin.buffer.read()
sys.stdout.write("Status: 201 Made\r\nContent-Type: application/json\r\n"
                 "X-Twice: a\r\nX-Twice: b\r\nSet-Cookie: c=d; Path=/\r\n"
                 "Set-Cookie: e=f\r\n\r\n")
json.dump({"env": dict(os.environ), "body": body.hex()}, sys.stdout)
''', 0o755)
write("cgi/bytes", r'''#!/usr/bin/env python3
import sys
sys.stdout.buffer.write(b"Content-Type: image/png\n\n" + bytes(range(256)))
''', 0o755)
write("cgi/redirect", "#!/bin/sh\nprintf 'Location: /bytes\\n\\n'\n", 0o755)
write("cgi/gone", "#!/bin/sh\nprintf 'Location: http://h/x\\n\\n'\n", 0o755)
write("cgi/silent", "#!/bin/sh\nexit 3\n", 0o755)
write("cgi/short", "#!/bin/sh\nprintf 'Content-Type: a/b\\nContent-Length: 9"
      "\\n\\nabc'\n", 0o755)
write("cgi/slow", "#!/bin/sh\nsleep 30\n", 0o755)
write("cgi/drip", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
      "for i in 1 2 3; do echo line $i; sleep 0.3; done\n", 0o755)
write("cgi/big", "#!/bin/sh\nprintf 'Content-Type: a/b\\n\\n'\n"
      "exec head -c 20000000 /dev/zero\n", 0o755)
CGI = os.path.join(folder, "cgi")

WEB = write("web.py", r'''
import http.server, json, os, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path == "/exit":
            os._exit(4)
        if self.path == "/bytes":
            answer, kind = bytes(range(256)), "image/png"
        else:
            kind = "application/json"
            answer = json.dumps({
                "method": self.command, "path": self.path,
                "headers": self.headers.items(), "body": body.hex(),
                "close": self.close_connection}).encode()
        self.send_response(201)
        self.send_header("Content-Type", kind)
        self.send_header("X-Twice", "a")
        self.send_header("X-Twice", "b")
        self.send_header("Set-Cookie", "c=d; Path=/")
        self.send_header("Set-Cookie", "e=f")
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in b"one", b"two", b"":
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
                time.sleep(0.3)
            return
        self.send_header("Content-Length", len(answer))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_GET

    def log_message(self, *_):
        pass

time.sleep(0.3)  # a server that is slow to start
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])),
                                Handler).serve_forever()
''')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def door(name, *command, more=()):
    dialect = name.split()[0]
    return Server("--port", "0", "--dialect", dialect, *DOORS.get(name, ()),
                  *more, "--", *command)


def cgi_door(name, *options, command=BOOTSTRAP, more=()):
    return door(name, *command, *options, "--cgi", CGI, more=more)


def web_door(name, *options, more=()):
    return door(name, *BOOTSTRAP, *options, "--http", str(free_port()), "--",
                sys.executable, WEB, more=more)


def cookies(answer):
    return sorted(value for name, value in answer.headers
                  if name.lower() == "set-cookie")


@check
def is_small_and_static():
    size = os.path.getsize(STATIC)
    ok(size < 1000000, "the bootstrap is smaller than 1 MB", size)
    got = run("readelf", "-d", "-l", STATIC)
    ok("NEEDED" not in got.stdout and "INTERP" not in got.stdout,
       "it needs no shared library", got.stdout)
    ok(run(STATIC, "--version").stdout.startswith("bootstrap of albatross"),
       "it starts")


@check
def cgi_behind_every_door():
    for name in DOORS:
        stage = STAGES.get(name, "")
        with cgi_door(name) as server:
            body = bytes(range(256))
            got = get(server, stage + "/echo/a%20b?x=1&y=a%26b",
                      method="POST", body=body,
                      headers=[("Content-Type", "image/x"),
                               ("X-Mine", "1"), ("Cookie", "k=v"),
                               ("X-Forwarded-For", "203.0.113.9")])
            same(got.status, 201, name + ": CGI answers")
            told = json.loads(got.body)
            env = told["env"]
            same({key: env.get(key) for key in (
                "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE",
                "CONTENT_LENGTH", "HTTP_X_MINE", "HTTP_COOKIE",
                "REMOTE_ADDR", "GATEWAY_INTERFACE",
                "HTTP_X_FORWARDED_FOR")}, {
                "REQUEST_METHOD": "POST", "PATH_INFO": "/a b",
                "QUERY_STRING": "x=1&y=a%26b", "CONTENT_TYPE": "image/x",
                "CONTENT_LENGTH": str(len(told["body"]) // 2), "HTTP_X_MINE": "1",
                "HTTP_COOKIE": "k=v", "REMOTE_ADDR": "127.0.0.1",
                "GATEWAY_INTERFACE": "CGI/1.1",
                "HTTP_X_FORWARDED_FOR": "203.0.113.9, 127.0.0.1"},
                name + ": its variables")
            # Binary bodies come as base64 everywhere but from a REST API
            # without binary media types, which turns them into text.
            if name != "rest":
                same(bytes.fromhex(told["body"]), body, name + ": its body")
            if name != "alb":  # where the last one of a name wins
                same(cookies(got), ["c=d; Path=/", "e=f"],
                     name + ": two cookies")
            if name != "rest":
                same(get(server, stage + "/bytes").body, body,
                     name + ": binary answers")
                same(get(server, stage + "/redirect").body, body,
                     name + ": local redirects")
            got = get(server, stage + "/gone")
            same((got.status, got.first("Location")), (302, "http://h/x"),
                 name + ": redirects of the client")
            for path, status in ("/none", 404), ("/../x", 400):
                if path != "/../x" or name.startswith("alb"):
                    same(get(server, stage + path).status, status,
                         name + ": " + path)
            failed = 500 if name in ("http-1.0", "http-2.0") else 502
            for path in "/silent", "/short":
                same(get(server, stage + path).status, failed,
                     name + ": " + path)
            server.wait_for("ended without an answer")


@check
def the_web_behind_every_door():
    for name in DOORS:
        stage = STAGES.get(name, "")
        with web_door(name) as server:
            for method in "GET", "POST", "PUT", "DELETE", "PATCH":
                got = get(server, stage + "/a%20b/c?x=1&y=a%26b",
                          method=method, headers=[("X-Mine", "1")],
                          body=b"hello" if method != "GET" else b"")
                told = json.loads(got.body)
                headers = {k.lower(): v for k, v in told["headers"]}
                same((got.status, told["method"],
                      told["path"],
                      bytes.fromhex(told["body"]), headers.get("x-mine"),
                      headers.get("host", "").split(":")[0],
                      headers.get("x-forwarded-prefix", "")),
                     (201, method, "/a%20b/c?x=1&y=a%26b",
                      b"hello" if method != "GET" else b"", "1",
                      "example.com", stage), name + ": " + method)
                same(told["close"], False, name + ": its connection is kept")
            if name != "alb":
                same(cookies(got), ["c=d; Path=/", "e=f"],
                     name + ": two cookies")
            same(get(server, stage + "/chunks").body, b"onetwo",
                 name + ": chunks")
            if name != "rest":
                same(get(server, stage + "/bytes").body, bytes(range(256)),
                     name + ": binary answers")
            got = get(server, stage + "/x", method="HEAD")
            same((got.status, got.body), (201, b""), name + ": HEAD")


@check
def streamed():
    more = ("--invoke-mode", "RESPONSE_STREAM", "--timeout", "60")
    for make, target, whole in (
            (cgi_door, "/drip", b"line 1\nline 2\nline 3\n"),
            (web_door, "/chunks", b"onetwo")):
        with make("url", "--stream", more=more) as server:
            with rawhttp.connect(server.address) as sock:
                sock.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\n"
                             b"Connection: close\r\n\r\n" % target.encode())
                seen, times = b"", []
                while True:
                    data = sock.recv(65536)
                    if not data:
                        break
                    times.append(time.monotonic())
                    seen += data
            ok(times[-1] - times[0] > 0.25, target + " comes in pieces",
               times)
            same(get(server, target).body, whole, target + " comes whole")
            same(get(server, "/bytes").body, bytes(range(256)),
                 target + ": a whole answer goes as a stream too")
    with cgi_door("url", "--stream", more=more) as server:
        got = get(server, "/big", timeout=60)
        same(len(got.body), 20000000, "20 MB, more than a result may have")
        same(got.body.strip(b"\0"), b"", "and nothing else")
        try:
            got = get(server, "/short")
            cut = len(got.body) < 9
        except Exception as error:  # the connection is cut
            cut = str(error)
        ok(cut, "what is too short is cut")
        same(get(server, "/bytes").status, 200, "and the next one is served")
    with cgi_door("rest", "--stream", more=(
            "--response-transfer-mode", "STREAM", "--timeout", "60")) as server:
        got = get(server, "/dev/drip")
        same((got.status, got.body, got.first("Transfer-Encoding")),
             (200, b"line 1\nline 2\nline 3\n", "chunked"),
             "a REST API streams")
        same(get(server, "/dev/bytes").body, bytes(range(256)),
             "bytes as they are")
    with cgi_door("alb", "--stream") as server:
        same(get(server, "/bytes").body, bytes(range(256)),
             "an ALB gets whole results all the same")
    with cgi_door("alb") as server:
        same(get(server, "/big").status, 502, "as a whole it is too large")
        same(get(server, "/bytes").status, 200, "and the next one is served")


@check
def deadlines():
    function = {"runtime": {"command": [*BOOTSTRAP, "--cgi", CGI]},
                "timeout": "1s"}
    with serve(one_function(function)) as server:
        begin = time.monotonic()
        ok(get(server, "/slow").status in (502, 504), "a slow program")
        ok(time.monotonic() - begin < 5, "ends at the deadline")
        same(get(server, "/bytes").status, 200, "and the next one is served")
        ok(eventually(lambda: not [
            pid for pid in descendants(server.process.pid) if is_alive(pid) and
            open("/proc/%d/comm" % pid).read().strip() == "sleep"]),
           "nothing is left of it")


@check
def servers_that_end():
    with web_door("alb") as server:
        same(get(server, "/exit").status, 502, "a server that ends")
        server.wait_for("has ended: exit status 4")
        same(get(server, "/x").status, 201, "is started anew")
    for command, why in (
            (("/nowhere/at/all",), "cannot start /nowhere/at/all"),
            (("false",), "false has ended: exit status 1")):
        with door("alb", *BOOTSTRAP, "--http", str(free_port()), "--",
                  *command) as server:
            same(get(server, "/").status, 502, why)
            server.wait_for(why)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with door("alb", *BOOTSTRAP, "--http", str(taken.getsockname()[1]), "--",
                  "sleep", "9") as server:
            same(get(server, "/").status, 502, "a port that is taken")
            server.wait_for("another program listens on port")


@check
def by_handler():
    task = os.path.join(folder, "task")
    os.makedirs(task)
    shutil.copy(STATIC, os.path.join(task, "bootstrap"))
    for handler in CGI, "--stream --cgi " + CGI, "--http 0", "--nonsense":
        function = {"runtime": {"command": ["./bootstrap"]}, "root": task,
                    "handler": handler}
        with serve(one_function(function)) as server:
            good = handler == CGI
            if handler.startswith("--stream"):
                continue  # an ALB does not take streams
            same(get(server, "/bytes").status, 200 if good else 502,
                 "_HANDLER " + handler.replace(folder, ""))
            if not good:
                server.wait_for("usage: bootstrap")


@check
def in_an_empty_root():
    """Nothing but itself and one static program: an older system."""
    root = os.path.join(folder, "root")
    os.makedirs(root)
    shutil.copy(STATIC, os.path.join(root, "bootstrap"))
    enter = ["chroot"] if os.getuid() == 0 else ["unshare", "-r", "chroot"]
    got = run(*enter, root, "/bootstrap", "--version")
    if not ok(got.returncode == 0, "it runs there", got.stderr):
        return
    # The bootstrap itself is the CGI program: it says its usage, which is no
    # answer, so the front sees a failure that the log explains.
    with Server("--port", "0", "--", *enter, root, "/bootstrap", "--cgi",
                "/bootstrap") as server:
        same(get(server, "/").status, 502, "it serves in an empty root")
        server.wait_for("ended without an answer")
    source = write("answer.c", r'''
#include <unistd.h>
int main(void) {
	static const char text[] = "Content-Type: text/plain\n\nfrom nowhere\n";
	return write(1, text, sizeof(text) - 1) < 0;
}
''')
    built = run("cc", "-static", "-o", os.path.join(root, "answer"), source)
    if not ok(built.returncode == 0, "a static program is built",
              built.stderr):
        return
    with Server("--port", "0", "--", *enter, root, "/bootstrap", "--cgi",
                "/answer") as server:
        same(get(server, "/").body, b"from nowhere\n",
             "and a program answers there")


@check
def as_a_command():
    with cgi_door("alb", command=[PROGRAM, "bootstrap"]) as server:
        same(get(server, "/bytes").body, bytes(range(256)),
             "albatross bootstrap")
    for arguments, why in (
            ((), "give either"), (("--cgi", CGI, "--http", "1"), "give either"),
            (("--cgi", CGI), "AWS_LAMBDA_RUNTIME_API is not set"),
            (("--cgi", CGI, "--", "x"), "is for --http")):
        got = albatross("bootstrap", *arguments)
        same(got.returncode, 2, " ".join(("bootstrap",) + arguments[:1]))
        has(got.stderr, why, why)
    environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}
    for command in ([PROGRAM, "bootstrap"], [STATIC]):
        got = run(*command, "--cgi", CGI, env=environment)
        same(got.returncode, 1, "a Runtime API that is not there")
        has(got.stderr, "cannot connect", "is told")


@check
def ends_when_told():
    with web_door("alb") as server:
        same(get(server, "/x").status, 201, "it serves")
        below = descendants(server.process.pid)
        os.kill(server.process.pid, signal.SIGTERM)
        server.process.wait(20)
        ok(eventually(lambda: not any(map(is_alive, below))),
           "its server ends with it", below)


finish()
