#!/usr/bin/env python3
"""Streamed results: at once, however they are cut, slowed by their client."""
import concurrent.futures
import json
import re
import signal
import socket
import threading

from tap import *

MB = 1 << 20
IS_ASAN = "asan" in PROGRAM or "tsan" in PROGRAM

# A runtime client of this test that does what the path says.
CLIENT = r'''
import http.client, json, os, socket, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
BASE = "/2018-06-01/runtime/invocation/"
PRELUDE = json.dumps({"statusCode": 201, "headers": {
    "X-Kind": "stream", "Content-Type": "text/plain"},
    "cookies": ["a=b", "c=d"]}).encode() + bytes(8)
HTTP = "application/vnd.awslambda.http-integration-response"


class Post:
    """A streaming POST of a response, chunk by chunk."""

    def __init__(self, request_id, kind=HTTP, mode="streaming"):
        host, port = ADDRESS.split(":")
        self.sock = socket.create_connection((host, int(port)))
        head = "POST %s%s/response HTTP/1.1\r\nHost: a\r\n" % (
            BASE, request_id)
        if mode:
            head += "Lambda-Runtime-Function-Response-Mode: %s\r\n" % mode
        if kind:
            head += "Content-Type: %s\r\n" % kind
        self.sock.sendall((head + "Trailer: "
            "Lambda-Runtime-Function-Error-Type, "
            "Lambda-Runtime-Function-Error-Body\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode())

    def put(self, data):
        self.sock.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self, trailers=b""):
        self.sock.sendall(b"0\r\n" + trailers + b"\r\n")
        self.sock.settimeout(30)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self.sock.recv(65536)
            if not data:
                break
            answer += data
        self.sock.close()
        return answer


def note(name, text="x"):
    with open(os.path.join(HERE, name + ".new"), "w") as out:
        out.write(text)
    os.rename(os.path.join(HERE, name + ".new"), os.path.join(HERE, name))


def wait_for(name):
    while not os.path.exists(os.path.join(HERE, name)):
        time.sleep(0.01)


ERROR = (b"Lambda-Runtime-Function-Error-Type: Error\r\n"
         b"Lambda-Runtime-Function-Error-Body: "
         b"eyJlcnJvclR5cGUiOiJFcnJvciIsImVycm9yTWVzc2FnZSI6Im1pZCJ9\r\n")


def act(api, request_id, what, n):
    if what == "whole" and n:
        api.request("POST", BASE + request_id + "/response",
                    bytes(range(256)) * 4096 * n)
        api.getresponse().read()
        return
    if what == "whole":
        api.request("POST", BASE + request_id + "/response",
                    b'{"statusCode":404,"body":"x"}',
                    {"Content-Type": "application/json"})
        api.getresponse().read()
        return
    if what == "sized":
        api.request("POST", BASE + request_id + "/response",
                    PRELUDE + b"one two" + b"x" * n,
                    {"Lambda-Runtime-Function-Response-Mode": "streaming",
                     "Content-Type": HTTP})
        api.getresponse().read()
        return
    if what == "plain":
        post = Post(request_id, "text/html")
        post.put(b"<p>")
    elif what == "untyped":
        post = Post(request_id, None)
        post.put(PRELUDE)
    else:
        post = Post(request_id)
    if what == "bytes":
        for i in range(len(PRELUDE)):
            post.put(PRELUDE[i:i + 1])
        for c in b"one two":
            post.put(bytes([c]))
    elif what == "joined":
        post.put(PRELUDE + b"one two")
    elif what == "steps":
        post.put(PRELUDE + b"one ")
        wait_for("go")
        post.put(b"two")
    elif what == "big":
        post.put(PRELUDE)
        block = bytes(range(256)) * 4096
        for i in range(n):
            post.put(block)
    elif what == "flow":
        post.put(PRELUDE)
        for i in range(n * 16):
            post.put(b"x" * 65536)
            if i % 4 == 3:
                note("progress", str((i + 1) * 65536))
    elif what == "half":
        post.put(PRELUDE + b"one")
        time.sleep(0.1)
        post.end(ERROR)
        return
    elif what == "early":
        post.end(ERROR)
        return
    elif what == "array":
        post.put(b"[1,2]" + bytes(8) + b"body")
        wait_for("go")
    elif what == "unfinished":
        post.put(PRELUDE[:-3])
    elif what == "lost":
        post.put(PRELUDE + b"one")
        time.sleep(0.1)
        post.sock.close()
        os._exit(3)
    elif what == "sleep":
        post.put(PRELUDE + b"one")
        time.sleep(n)
    elif what == "sleepfirst":
        time.sleep(n)
        post.put(PRELUDE + b"one")
    elif what == "lives":
        post.put(PRELUDE)
        for i in range(10):
            post.put(b"x" * 100000)
            time.sleep(0.05)
        note("lived", post.end().split(b"\r\n")[0].decode())
        return
    elif what == "multi":
        post.put(json.dumps({"headers": {"X-One": "1"}, "cookies": ["k=v"],
                 "multiValueHeaders": {"X-Two": ["2", "3"]}}).encode() +
                 bytes(8) + b"rest")
    elif what not in ("plain", "untyped"):
        post.put(PRELUDE + b"one two")
    post.end()


def main():
    api = http.client.HTTPConnection(ADDRESS)
    while True:
        api.request("GET", BASE + "next")
        answer = api.getresponse()
        event = json.loads(answer.read())
        path = event.get("rawPath") or event["path"]
        query = event.get("queryStringParameters") or {}
        act(api, answer.headers["Lambda-Runtime-Aws-Request-Id"],
            path.rsplit("/", 1)[-1], int(query.get("n", "0")))


main()
'''
write("fn/client.py", CLIENT)
FN = os.path.join(folder, "fn")


def config(dialect="url", limits="aws", loops=1, timeout="30s", attributes=None,
           listener=None, **front):
    if attributes is None:
        attributes = {"InvokeMode": "RESPONSE_STREAM"}
    if dialect == "url":
        front["function"] = "f"
    return {
        "loops": loops,
        "listeners": [{"address": "127.0.0.1:0", "front": "web",
                       **(listener or {})}],
        "fronts": {"web": {"dialect": dialect, "limits": limits,
                           "attributes": attributes, **front}},
        "functions": {"f": {
            "runtime": {"command": [sys.executable,
                                    os.path.join(FN, "client.py")]},
            "root": FN, "concurrency": 20, "timeout": timeout}}}


def url(server, target):
    return server.urls[0].rstrip("/") + target


def forget(*names):
    for name in names:
        if os.path.exists(os.path.join(FN, name)):
            os.remove(os.path.join(FN, name))


def read_note(name):
    try:
        with open(os.path.join(FN, name), encoding="utf-8") as text:
            return text.read()
    except OSError:
        return ""


def peak_kb(server):
    with open("/proc/%d/status" % server.process.pid,
              encoding="utf-8") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


@check
def shapes():
    with serve(config()) as server:
        for what in ("bytes", "joined"):
            got = get(server, "/" + what)
            same((got.status, got.body), (201, b"one two"), what)
            same(got.all("Set-Cookie"), ["a=b", "c=d"], what + ": cookies")
            same(got.first("X-Kind"), "stream", what + ": header")
            same(got.all("Transfer-Encoding"), ["chunked"],
                 what + ": chunked")
            same(got.all("Content-Length"), [], what + ": no length")
        for n in (0, 1000000):
            got = get(server, "/sized?n=%d" % n)
            same((got.status, len(got.body)), (201, 7 + n),
                 "a stream of known length")
        got = get(server, "/plain")
        same((got.status, got.first("Content-Type"), got.body),
             (200, "text/html", b"<p>"), "a stream of its own type")
        got = get(server, "/untyped")
        same((got.status, got.first("Content-Type"), got.body[:1]),
             (200, "application/octet-stream", b"{"), "a stream of no type")
        got = get(server, "/whole")
        same((got.status, got.first("Content-Type"), got.body),
             (200, "application/json", b'{"statusCode":404,"body":"x"}'),
             "a whole result is the body as it is")
        got = get(server, "/joined", method="HEAD")
        same((got.status, got.body), (201, b""), "HEAD: the head alone")
        got = rawhttp.exchange(
            server.address, b"GET /joined HTTP/1.0\r\nHost: a\r\n\r\n")
        same((got.status, got.body, got.all("Transfer-Encoding")),
             (201, b"one two", []), "HTTP/1.0: to the end of the connection")
        same(got.first("Connection"), "close", "which is told")
        got = curl("-w", "%{num_connects} ", url(server, "/joined"),
                   url(server, "/bytes"), "-o", "/dev/null",
                   "-o", "/dev/null")
        same(got.stdout, "1 0 ", "the connection is used again")


@check
def at_once():
    forget("go")
    with serve(config()) as server:
        client = subprocess.Popen(
            ["curl", "-sN", "--max-time", "20", url(server, "/steps")],
            stdout=subprocess.PIPE)
        same(client.stdout.read(4), b"one ",
             "the first bytes are there before the function ends")
        write("fn/go", "")
        same((client.stdout.read(), client.wait()), (b"two", 0),
             "the others follow")
    forget("go")


@check
def https():
    with serve(config(listener={"tls": True})) as server:
        got = curl("-k", url(server, "/bytes"))
        same(got.stdout, "one two", "over TLS")
        got = run("sh", "-c", "curl -sk --max-time 60 '%s' | cksum" %
                  url(server, "/big?n=50"), timeout=90)
        block = bytes(range(256)) * 4096
        wanted = run("cksum", stdin=block * 50).stdout.decode()
        same(got.stdout, wanted, "50 MB over TLS, byte by byte")


def cut(got):
    return got.returncode in (18, 56)


@check
def failures_of_functions():
    forget("go")
    with serve(config(timeout="3s")) as server:
        got = curl("-i", url(server, "/early"))
        has(got.stdout, "502", "an error before the first byte: 502")
        has(got.stdout, "Internal Server Error", "in the front's own words")
        got = curl("-i", url(server, "/half"))
        ok(cut(got) and got.stdout.endswith("one"),
           "an error behind the first byte: the connection is cut", got)
        server.wait_for("201, cut after 3 bytes: function/error")
        got = curl("-i", url(server, "/lost"))
        ok(cut(got) and got.stdout.endswith("one"), "a crash, too", got)
        server.wait_for("cut after 3 bytes: function/truncated")
        got = curl("-i", url(server, "/sleep?n=60"))
        ok(cut(got) and got.stdout.endswith("one"), "a time-out, too", got)
        server.wait_for("cut after 3 bytes: function/timed-out")
        got = get(server, "/sleepfirst?n=60")
        same(got.status, 502, "a time-out before the first byte: 502")
        got = get(server, "/array", timeout=5)
        same(got.status, 502, "a bad prelude: 502 while the function writes")
        server.wait_for("api/stream/prelude")
        write("fn/go", "")
        got = get(server, "/unfinished")
        same(got.status, 502, "a prelude that does not end: 502")
        got = get(server, "/joined")
        same(got.body, b"one two", "and the next one works")
    forget("go")


@check
def slow_client():
    """What we take from the function is what the sockets hold, and a window."""
    forget("progress")
    with serve(config(limits="off")) as server:
        before = peak_kb(server)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.connect(server.address)
        sock.settimeout(60)
        sock.sendall(b"GET /flow?n=64 HTTP/1.1\r\nHost: a\r\n"
                     b"Connection: close\r\n\r\n")
        first = sock.recv(10000)
        ok(first.startswith(b"HTTP/1.1 201"), "the head is there", first)
        eventually(lambda: read_note("progress"))
        taken = -1
        while taken != int(read_note("progress") or 0):
            taken = int(read_note("progress") or 0)
            time.sleep(0.5)
        ok(taken <= 14 * MB, "a client that does not read stops the function",
           "%d bytes were taken" % taken)
        total = len(first)
        while True:
            data = sock.recv(1 << 20)
            if not data:
                break
            total += len(data)
        ok(total > 64 * MB, "and gets all when it reads", total)
        grown = peak_kb(server) - before
        ok(grown < (200000 if IS_ASAN else 4000),
           "the server's memory does not grow", "%d KB more" % grown)


def big(loops, times, megabytes):
    with serve(config(limits="off", loops=loops)) as server:
        get(server, "/joined")
        before = peak_kb(server)
        for _ in range(times):
            got = run("sh", "-c", "curl -s --max-time 100 '%s' | wc -c" % url(
                server, "/big?n=%d" % megabytes), timeout=120)
            same(int(got.stdout), megabytes * MB, "%d MB, %d loop%s" % (
                megabytes, loops, "s" if loops > 1 else ""))
        grown = peak_kb(server) - before
        ok(grown < (600000 if IS_ASAN else 12000),
           "%d loop(s): the server's memory stays" % loops,
           "%d KB more" % grown)


@check
def one_gigabyte():
    big(1, 1, 1024)
    big(2, 4, 256)  # some of them go from loop to loop


@check
def slow_and_whole():
    """Clients that are slower than the function, on both loops."""
    wanted = run("cksum", stdin=bytes(range(256)) * 4096 * 24).stdout.decode()
    for listener in ({}, {"tls": True}):
        with serve(config(loops=2, listener=listener)) as server:
            def one(_):
                return run("sh", "-c", "curl -sk --limit-rate 30M "
                           "--max-time 60 '%s' | cksum" %
                           url(server, "/big?n=24"), timeout=90).stdout
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                got = set(pool.map(one, range(6)))
            same(got, {wanted}, "slow clients get every byte %s" % listener)
            got = run("sh", "-c", "curl -sk --limit-rate 9M '%s' | cksum" %
                      url(server, "/whole?n=5"), timeout=60).stdout
            same(got, run("cksum", stdin=bytes(range(256)) * 4096 * 5
                          ).stdout.decode(), "of a whole result, too")


def copies(loops, rate, times):
    """How often each byte of |times| streams of 24 MB was copied."""
    library = os.path.join(folder, "counting_memcpy.so")
    built = run("gcc", "-shared", "-fPIC", "-O2", "-fno-builtin",
                "-fno-tree-loop-distribute-patterns", "-o", library,
                os.path.join(ROOT, "tests/live/counting_memcpy.c"))
    if built.returncode != 0:
        return built.stderr
    env = {**os.environ, "LD_PRELOAD": library,
           "COPIED": os.path.join(folder, "copied")}
    with Server("-c", write_config(folder, config(loops=loops)),
                env=env) as server:
        for _ in range(times):
            run("sh", "-c", "curl -s --limit-rate %s '%s' >/dev/null" % (
                rate, url(server, "/big?n=24")), timeout=60)
        server.end()
    with open(env["COPIED"], encoding="utf-8") as text:
        return int(text.read()) / (times * 24 * MB)


@check
def copied_at_most_once():
    if IS_ASAN:  # their memcpy is another one
        return
    got = copies(1, "1G", 3)
    ok(got < 0.1, "one loop: hardly a byte is copied", got)
    got = copies(1, "40M", 2)
    ok(got <= 1.02, "one loop, slow clients: once at most", got)
    got = copies(2, "40M", 6)
    ok(got <= 1.02, "two loops, slow clients: once at most", got)


@check
def twenty_at_once():
    with serve(config(loops=2)) as server:
        def one(n):
            if n % 2:
                return get(server, "/bytes").body
            got = get(server, "/big?n=20", timeout=60)
            return len(got.body)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            got = list(pool.map(one, range(20)))
        same(got, [20 * MB, b"one two"] * 10, "20 streams at once")


@check
def limit():
    with serve(config()) as server:
        got = curl("-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                   url(server, "/big?n=210"), "--max-time", "60", timeout=90)
        ok(cut(got), "more than 200 MB: the connection is cut", got)
        same(got.stdout, "201 %d" % (200 * MB), "behind 200 MB")
        server.wait_for("cut after 209715200 bytes: function/stream-too-large")


@check
def client_leaves():
    forget("lived")
    for loops in (1, 2):
        with serve(config(loops=loops)) as server:
            for _ in range(loops * 2):
                sock = rawhttp.connect(server.address)
                sock.sendall(b"GET /lives HTTP/1.1\r\nHost: a\r\n\r\n")
                sock.recv(1000)
                sock.close()
            ok(eventually(lambda: read_note("lived"), 15),
               "the function goes on without its client")
            same(read_note("lived"), "HTTP/1.1 202 Accepted",
                 "and its response is taken")
            forget("lived")
            same(get(server, "/bytes").body, b"one two", "the next one works")
            same(server.end(), 0, "and the server ends well")


@check
def memory():
    """Memory that runs out: a stream is lost, never the process."""
    library = os.path.join(folder, "failing_malloc.so")
    built = run("gcc", "-shared", "-fPIC", "-O2", "-o", library,
                os.path.join(ROOT, "tests/live/failing_malloc.c"))
    if IS_ASAN or not ok(built.returncode == 0, "the failing malloc",
                         built.stderr):
        return
    targets = ["/joined", "/bytes", "/big?n=3", "/early", "/plain", "/whole"]

    def one(server, target):
        try:
            return get(server, target).status
        except (OSError, EOFError, ValueError):
            return 0
    for every in (5, 17, 53):
        env = {**os.environ, "LD_PRELOAD": library, "FAIL_EVERY": str(every)}
        with Server("-c", write_config(folder, config(loops=2, timeout="5s")),
                    env=env) as server:
            one(server, "/joined")
            server.signal(40)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                seen = list(pool.map(
                    lambda n: one(server, targets[n % len(targets)]),
                    range(200)))
            ok(server.process.poll() is None,
               "every %dth allocation fails: it lives" % every,
               server.stderr()[-1500:])
            server.signal(40)
            ok(set(seen) <= {0, 200, 201, 502, 503} and
               (every == 5 or {200, 201} & set(seen)),  # 5: luck
               "each is answered, refused or cut",
               {n: seen.count(n) for n in set(seen)})
            time.sleep(0.3)
            same({one(server, "/joined") for _ in range(12)}, {201},
                 "with memory again everything is served")
            same(server.end(), 0, "and it ends well")


@check
def drain():
    forget("go")
    with serve(config()) as server:
        client = subprocess.Popen(
            ["curl", "-sN", "--max-time", "20", url(server, "/steps")],
            stdout=subprocess.PIPE)
        client.stdout.read(4)
        server.signal(signal.SIGTERM)
        time.sleep(0.3)
        ok(server.process.poll() is None, "a stream under way is waited for")
        write("fn/go", "")
        same((client.stdout.read(), client.wait()), (b"two", 0),
             "and finishes")
        same(server.process.wait(10), 0, "then the server ends")
    forget("go")


@check
def forced():
    forget("go")
    with serve(config()) as server:
        client = subprocess.Popen(
            ["curl", "-sN", "--max-time", "20", url(server, "/steps")],
            stdout=subprocess.PIPE)
        client.stdout.read(4)
        server.signal(signal.SIGTERM)
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        ok(client.wait(10) in (18, 56), "a second signal cuts a stream")
        ok(server.process.wait(10) in (0, 1), "and ends the server",
           server.stderr()[-800:])


@check
def without_streaming():
    """A front that does not stream gets what was streamed as one payload."""
    with serve(config(attributes={})) as server:
        got = get(server, "/bytes")
        same(got.status, 200, "BUFFERED: the prelude is not read")
        has(got.body, b"\0" * 8 + b"one two", "all of it is the body")
        got = get(server, "/big?n=7")
        same(got.status, 502, "more than 6 MB: 502")


@check
def rest():
    routes = {"GET /s/{what}": {"function": "f",
                                "responseTransferMode": "STREAM"},
              "GET /b/{what}": {"function": "f"}}
    with serve(config("rest", attributes={}, routes=routes,
                      stage_in_path=False)) as server:
        got = get(server, "/s/multi")
        same((got.status, got.body), (200, b"rest"), "REST: a stream")
        same((got.all("X-One"), got.all("X-Two"), got.all("Set-Cookie")),
             (["1"], ["2", "3"], ["k=v"]), "its prelude has lists and cookies")
        same(got.all("Transfer-Encoding"), ["chunked"], "in chunks")
        same(get(server, "/s/whole").status, 502, "no prelude: 502")
        same(get(server, "/s/plain").status, 502, "of no type: 502")
        same(get(server, "/b/whole").status, 404, "another route buffers")
    with serve(config("rest", attributes={"responseTransferMode": "STREAM"},
                      routes=routes, stage_in_path=False,
                      integration_timeout="500ms")) as server:
        get(server, "/b/multi")
        got = curl("-i", url(server, "/b/sleep?n=2"))
        ok(cut(got) and got.stdout.endswith("one"),
           "the API's time-out cuts a stream", got)
        server.wait_for("cut after 3 bytes: api/integration-timeout")
        got = get(server, "/s/sleepfirst?n=2")
        same(got.status, 504, "before the first byte: 504")
        got = albatross("serve", "--dialect", "rest", "--check",
                        "--response-transfer-mode", "SOME", "app.handler")
        same(got.returncode, 2, "an unknown mode is refused")
    # a stream that pauses: cut by default after 5 minutes, here at once
    paused = config("rest", attributes={"responseTransferMode": "STREAM"},
                    routes=routes, stage_in_path=False, timeout="3s",
                    stream_idle_timeout="400ms")
    with serve(paused) as server:
        got = curl("-i", url(server, "/b/sleep?n=2"))
        ok(cut(got) and got.stdout.endswith("one"),
           "a pause that is too long cuts a stream", got)
        server.wait_for("it wrote nothing for too long")
        same(get(server, "/b/sleepfirst?n=2").status, 504,
             "before the first byte: 504, too")
        got = get(server, "/b/multi")
        same((got.status, got.body), (200, b"rest"), "others go on")
    log = os.path.join(folder, "stream.log")
    logged = config("url", stream_idle_timeout="400ms",
                    log_format="$context.status $context.responseLength")
    with serve({**logged, "access_log": log}) as server:
        ok(cut(curl("-i", url(server, "/sleep?n=2"))),
           "a function URL can be told a limit for pauses", server)
        get(server, "/bytes")
    with open(log, encoding="ascii") as lines:
        same(sorted(lines.read().splitlines()), ["201 3", "201 7"],
             "the access log tells the length of streams")
    # what is set counts, though it is what it would be for whole results
    told = config("rest", attributes={"responseTransferMode": "STREAM"},
                  routes=routes, stage_in_path=False, timeout="2m",
                  integration_timeout="29s", stream_idle_timeout="7m")
    path = write("told.json", json.dumps(told))
    got = albatross("serve", "--print-config", "-c", path)
    front = json.loads(got.stdout)["fronts"]["web"]
    same((front.get("integration_timeout"), front.get("stream_idle_timeout")),
         ("29000ms", "420000ms"), "both are in the printed configuration")
    got = albatross("serve", "--dialect", "http-2.0", "--check",
                    "--stream-idle-timeout", "1s", "app.handler")
    same(got.returncode, 2, "no such limit where nothing streams")


# ---- handlers in JavaScript, by AWS's client and by ours ----

HANDLER = r'''
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");
const sleep = (ms) => new Promise((then) => setTimeout(then, ms));
exports.handler = awslambda.streamifyResponse(async (event, out, context) => {
  const what = event.rawPath.slice(1);
  if (what === "early") throw new TypeError("before");
  if (what === "plain") {
    out.setContentType("text/html");
    out.write("<p>");
    out.write({ a: 1 });
    out.write(Buffer.from("\u00e9"));
    out.end();
    return;
  }
  if (what === "none") { out.end(); return; }
  if (what === "value") { out.write("x"); out.end(); return 5; }
  if (what === "pipe") {
    await pipeline(Readable.from(["a", "b", "c"]), out);
    return;
  }
  out = awslambda.HttpResponseStream.from(out, { statusCode: 202,
    headers: { "X-A": "b", "content-type": "text/plain" },
    cookies: ["k=v", "l=w"] });
  if (what === "head") { out.write(""); out.end(); return; }
  if (what === "piped") {
    await pipeline(Readable.from(["a", "b", "c"]), out);
    return;
  }
  if (what === "big") {
    const block = Buffer.alloc(1 << 20, "x");
    for (let i = 0; i < 50; i++)
      if (!out.write(block)) await new Promise((go) => out.once("drain", go));
    out.end();
    return;
  }
  out.write("one ");
  await sleep(50);
  if (what === "half") throw new RangeError("half-way");
  if (what === "late")
    try { out.setContentType("x/y"); } catch (e) { out.write(String(e)); }
  if (what === "id") out.write(String(typeof context.awsRequestId));
  out.write("two");
  out.end();
});
exports.sync = awslambda.streamifyResponse((event, out) => { out.end("x"); });
'''
write("js/app.js", HANDLER)


def visible(got):
    """What must not depend on the client."""
    head, _, body = got.stdout.partition("\n\n")  # as text: LF
    lines = [line for line in head.split("\n") if not re.match(
        r"(?i)(date|x-amzn-requestid|x-amzn-trace-id):", line)]
    return got.returncode in (18, 56), lines, len(body), body[:100]


@check
def handlers():
    tree = run(os.path.join(ROOT, "tests/npm"), timeout=900)
    if not ok(tree.returncode == 0, "aws-lambda-ric from npm", tree.stderr):
        return
    clients = {
        "ours": os.path.join(ROOT, "share/runtime/node/albatross-runtime.mjs"),
        "aws": os.path.join(tree.stdout.strip(),
                            "node_modules/aws-lambda-ric/bin/index.mjs")}
    names = ["early", "plain", "none", "value", "pipe", "head", "piped", "big",
             "half", "late", "id", "one"]
    seen = {}
    for name, client in clients.items():
        for handler in ("handler", "sync"):
            whole = config()
            whole["functions"]["f"] = {
                "runtime": {"command": ["node", client, "app." + handler]},
                "root": os.path.join(folder, "js"), "timeout": "10s"}
            with serve(whole) as server:
                for what in names if handler == "handler" else ["sync"]:
                    seen[name, what] = visible(
                        curl("-i", url(server, "/" + what)))
    for what in names + ["sync"]:
        same(seen["ours", what], seen["aws", what],
             "our client and AWS's: " + what)
    same(seen["aws", "half"][0], True, "an error half-way cuts the connection")
    has(str(seen["aws", "early"]), "502", "an early one is a 502")
    same(seen["aws", "big"][2], 50 * MB, "50 MB from a handler")
    has(str(seen["aws", "one"]), "one two", "streamifyResponse streams")


finish()
