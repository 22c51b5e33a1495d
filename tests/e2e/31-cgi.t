#!/usr/bin/env python3
"""CGI programs: both directions at once, limits, ends, attacks."""
import json
import re
import threading

from tap import *

PROGRAMS = os.path.join(folder, "cgi")
ENV = "#!/bin/sh\necho Content-Type: text/plain; echo; env\n"


def program(name, text, mode=0o755):
    return write("cgi/" + name, text, mode)


def cgi(**more):
    options = {"folder": PROGRAMS, **more.pop("cgi", {})}
    return one_function({"cgi": options, "timeout": "20s", **more})


def variables(answer):
    return dict(line.partition("=")[::2]
                for line in answer.body.decode().split("\n") if line)


def rss_peak(server):
    """VmHWM of the server (not of its guard) in KB."""
    with open("/proc/%d/status" % server.process.pid) as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def names(server):
    out = []
    for pid in descendants(server.process.pid):
        try:
            with open("/proc/%d/comm" % pid) as comm:
                if is_alive(pid):
                    out.append(comm.read().strip())
        except OSError:
            pass
    return out


def raw(server, data, method="GET", timeout=20):
    return rawhttp.exchange(server.address, data, method, timeout)


def echo(server, target, body):
    """POST |body| and read at the same time."""
    with rawhttp.connect(server.address) as sock:
        sender = threading.Thread(target=sock.sendall, args=(
            b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (
                target.encode(), len(body)) + body,))
        sender.start()
        got = rawhttp.read_response(rawhttp.Reader(sock, 60))
        sender.join()
    return got.body


program("env", ENV)
program("text", "no program", 0o644)
program("dir/inner", ENV)
program("cat", "#!/bin/sh\necho Content-Type: a/b; echo; exec cat\n")
os.symlink("/bin/sh", os.path.join(PROGRAMS, "shell"))
os.symlink("../outside", os.path.join(PROGRAMS, "out"))
os.symlink("dir/inner", os.path.join(PROGRAMS, "link"))
write("outside", ENV, 0o755)


@check
def paths():
    with serve(cgi()) as server:
        for target, status in (
                ("/env", 200), ("/env/a/b", 200), ("/dir/inner/x", 200),
                ("/link", 200), ("/dir%2finner", 200), ("/dir/../env", 200),
                ("/text", 403), ("/dir", 403), ("/", 403), ("/nothing", 404),
                ("/shell", 403), ("/out", 403), ("/..;/outside", 404),
                ("/../outside", 400), ("/%2e%2e/outside", 400),
                ("/dir/..%2f..%2foutside", 400), ("/env%00.txt", 400),
                ("/%252e%252e/outside", 404), ("/..\\outside", 404),
                ("/dir/%2e%2e/%2e%2e/outside", 400)):
            same(get(server, target).status, status,
                 "GET %s is %d" % (target, status))
        env = variables(get(server, "/dir%2Finner/a%20b//c?q=%20&r"))
        same(env["SCRIPT_NAME"], "/dir/inner", "SCRIPT_NAME is decoded")
        same(env["PATH_INFO"], "/a b/c", "PATH_INFO too, its slashes merged")
        same(env["PATH_TRANSLATED"], PROGRAMS + "/a b/c", "PATH_TRANSLATED")
        same(env["QUERY_STRING"], "q=%20&r", "QUERY_STRING is raw")
        same(env["SCRIPT_FILENAME"], PROGRAMS + "/dir/inner",
             "SCRIPT_FILENAME")
        same(env["PWD"], PROGRAMS + "/dir", "it runs in its own folder")


@check
def headers_in():
    with serve(cgi()) as server:
        env = variables(get(server, "/env", [
            ("Proxy", "http://evil.example"), ("X-A", "1"), ("x-a", "2"),
            ("X_A", "3"), ("Content_Length", "9"), ("Authorization", "Basic x"),
            ("X.B", "4"), ("Cookie", "a=1"), ("Cookie", "b=2"),
            ("X-Forwarded-For", "203.0.113.9"), ("HTTPS", "on"),
            ("Path", "/evil"), ("Ld-Preload", "x.so")]))
        ok("HTTP_PROXY" not in env, "Proxy is not passed (httpoxy)")
        same(env["HTTP_X_A"], "1, 2", "names that collide are told apart")
        ok("HTTP_CONTENT_LENGTH" not in env, "Content_Length is nothing")
        ok("HTTP_AUTHORIZATION" not in env, "Authorization is not passed")
        ok("HTTP_X_B" not in env and "HTTP_X.B" not in env, "X.B is dropped")
        same(env["HTTP_COOKIE"], "a=1; b=2", "cookies are joined")
        same(env["HTTP_X_FORWARDED_FOR"], "203.0.113.9, 127.0.0.1",
             "the front adds the client's address")
        ok("HTTPS" not in env and "LD_PRELOAD" not in env and
           "evil" not in env["PATH"], "a header is only ever HTTP_*")
        many = get(server, "/env",
                   [("X-H%d" % n, "v") for n in range(900)])
        same(len([1 for name in variables(many) if
                  name.startswith("HTTP_X_H")]), 900, "900 headers arrive")
        got = raw(server, b"GET /env HTTP/1.1\r\nHost: h\r\nX-A: a\0b\r\n\r\n")
        same(got.status, 400, "NUL in a header: 400")
    with serve(cgi(cgi={"authorization": True},
                   environment={"HTTP_X_A": "mine", "REMOTE_USER": "me"},
                   )) as server:
        env = variables(get(server, "/env", [
            ("Authorization", "Basic x"), ("X-A", "theirs")]))
        same(env["HTTP_AUTHORIZATION"], "Basic x", "Authorization if allowed")
        same((env["HTTP_X_A"], env["REMOTE_USER"]), ("mine", "me"),
             "what is configured wins")
    with serve(cgi(), env={"PATH": os.environ["PATH"],
                           "SECRET": "x"}) as server:
        ok("SECRET" not in variables(get(server, "/env")),
           "our own environment is not theirs")


@check
def heads_out():
    for name, text, status in (
            ("cr", r"A: b\rX: y\n\nz", 502), ("nul", r"A: b\0c\n\nz", 502),
            ("two", r"A: b\r\nC: d\n\r\nz", 200), ("none", r"\nz", 502),
            ("short", r"A: b\n", 502), ("word", r"hello\n\n", 502),
            ("te", r"Transfer-Encoding: chunked\n\n", 502),
            ("s99", r"Status: 99\n\n", 502), ("s2", r"Status: 299 A\n\n", 299),
            ("loc", r"Location: http://x/\n\n", 302), ("empty", "", 502),
            ("local", r"Location: /two?x\n\n", 200),
            ("loop", r"Location: /loop\n\n", 500),
            ("nph-x", r"HTTP/1.0 299 Odd\nA: b\n\nz", 299)):
        program(name, "#!/bin/sh\nprintf '%s'\n" % text)
    program("h1000", "#!/bin/sh\ni=0\nwhile [ $i -lt 1000 ]; do echo X: $i;"
                     " i=$((i+1)); done; echo\n")
    program("h60k", "#!/bin/sh\nprintf 'X: %061440d\\n\\nz' 1\n")
    program("h70k", "#!/bin/sh\nprintf 'X: %070000d\\n\\nz' 1\n")
    program("s204", "#!/bin/sh\nprintf 'Status: 204\\n\\nbody'\n")
    program("cut", "#!/bin/sh\nprintf 'Content-Length: 2\\n\\nbody'\n")
    program("lacks", "#!/bin/sh\nprintf 'Content-Length: 9\\n\\nbody'\n")
    with serve(cgi()) as server:
        for name, status in (
                ("cr", 502), ("nul", 502), ("two", 200), ("none", 502),
                ("short", 502), ("word", 502), ("te", 502), ("s99", 502),
                ("s2", 299), ("loc", 302), ("empty", 502), ("local", 200),
                ("loop", 500), ("nph-x", 299), ("h1000", 502),
                ("h60k", 200), ("h70k", 502), ("s204", 204)):
            same(get(server, "/" + name).status, status,
                 "%s: %d" % (name, status))
        same(len(get(server, "/h60k").first("X")), 61440,
             "a header of 60 KB comes whole")
        same(get(server, "/s204").body, b"", "204 has no body")
        same(get(server, "/cut").body, b"bo", "cut to its Content-Length")
        try:
            get(server, "/lacks")
            ok(False, "less than Content-Length: the connection is cut")
        except EOFError:
            ok(True, "less than Content-Length: the connection is cut")
        same(get(server, "/two", method="HEAD").body, b"", "HEAD: no body")
        same(get(server, "/cut", method="HEAD").first("Content-Length"), "2",
             "HEAD: the program's Content-Length")
        got = get(server, "/loop")
        same(got.status, 500, "sent on for ever: 500")


@check
def both_ways_at_once():
    program("slow", "#!/bin/sh\necho Content-Type: a/b; echo; echo one;"
                    " sleep 1; echo two\n")
    program("full", "#!/bin/sh\necho Content-Type: a/b; echo\n"
                    "head -c 3000000 /dev/zero; exec cat\n")
    with serve(cgi()) as server:
        with rawhttp.connect(server.address) as sock:
            sock.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            begin = time.monotonic()
            reader = rawhttp.Reader(sock, 10)
            reader.until(b"one\n")
            ok(time.monotonic() - begin < 0.8, "output goes out as it comes")
            reader.until(b"0\r\n\r\n")
        with rawhttp.connect(server.address) as sock:
            sock.sendall(b"POST /cat HTTP/1.1\r\nHost: h\r\n"
                         b"Content-Length: 6\r\n\r\nabc")
            reader = rawhttp.Reader(sock, 10)
            reader.until(b"abc")
            ok(True, "the body is read as it comes, and answered at once")
            sock.sendall(b"def")
            reader.until(b"def")
        body = os.urandom(20 << 20)
        ok(echo(server, "/cat", body) == body, "20 MB and back")
        ok(echo(server, "/full", body)[3000000:] == body,
           "a program that writes while it still reads")
        got = curl("-H", "Transfer-Encoding: chunked", "-d", "hello",
                   server.urls[0] + "/env").stdout
        has(got, "CONTENT_LENGTH=5", "a chunked body has its length")
        got = curl("-H", "Transfer-Encoding: chunked", "--data-binary",
                   "@" + PROGRAM, server.urls[0] + "/cat", "-o",
                   os.path.join(folder, "back"))
        ok(open(PROGRAM, "rb").read() ==
           open(os.path.join(folder, "back"), "rb").read(),
           "a large chunked body and back")


def push(server, size, chunked):
    """A body of |size| bytes to /count, paced by the program."""
    piece = b"x" * 65536
    with rawhttp.connect(server.address, 120) as sock:
        sock.sendall(b"POST /count HTTP/1.1\r\nHost: h\r\n" + (
            b"Transfer-Encoding: chunked\r\n\r\n" if chunked else
            b"Content-Length: %d\r\n\r\n" % size))
        framed = b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
        for _ in range(size // len(piece)):
            sock.sendall(framed)
        if chunked:
            sock.sendall(b"0\r\n\r\n")
        return rawhttp.read_response(rawhttp.Reader(sock, 120)).body


@check
def memory():
    size = int(os.environ.get("ABT_CGI_PUSH", "209715200"))
    program("count", "#!/bin/sh\necho Content-Type: a/b; echo; wc -c\n")
    with serve(cgi(cgi={"body_max": "3GB"}, timeout="300s")) as server:
        get(server, "/env")
        before = rss_peak(server)
        for chunked in False, True:
            same(int(push(server, size, chunked)), size,
                 "%d MB %s" % (size >> 20, "chunked" if chunked else
                               "with a length"))
        grown = rss_peak(server) - before
        ok(grown < 16384, "and memory grows by %d KB" % grown)
        same(push(server, 65536, False).strip(), b"65536", "and then less")
    with serve(cgi(cgi={"body_max": "100KB"})) as server:
        same(get(server, "/cat", method="POST", body=b"x" * 102401).status,
             413, "over body_max: 413")
        got = raw(server, b"POST /cat HTTP/1.1\r\nHost: h\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n" +
                  b"fffff\r\n" + b"x" * 0xfffff)
        same(got.status, 413, "chunked over body_max: 413")


@check
def a_reader_that_is_slow():
    program("endless", "#!/bin/sh\necho Content-Type: a/b; echo; exec cat "
                       "/dev/zero\n")
    with serve(cgi()) as server:
        get(server, "/env")
        before = rss_peak(server)
        with rawhttp.connect(server.address) as sock:
            sock.sendall(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
            time.sleep(1.5)
            ok(rss_peak(server) - before < 8192,
               "a client that does not read stops the program, too")
        ok(eventually(lambda: "cat" not in names(server)),
           "a client that leaves ends it", names(server))
    with serve(cgi(cgi={"output_max": "10MB"})) as server:
        try:
            get(server, "/endless")
            ok(False, "output that never ends is cut")
        except EOFError:
            ok(True, "output that never ends is cut")
        server.wait_for("cgi/output-large")
        ok(eventually(lambda: "cat" not in names(server)),
           "and the program ended")


@check
def ends():
    program("sleeps", "#!/bin/sh\nsleep 61 &\nsleep 62\n")
    program("stays", "#!/bin/sh\ntrap '' TERM\nsleep 63 & wait\nsleep 64\n")
    program("late", "#!/bin/sh\necho Content-Type: a/b; echo; echo x\n"
                    "exec sleep 65\n")
    program("child", "#!/bin/sh\necho Content-Type: a/b; echo\n"
                     "(sleep 0.5; echo after) &\n")
    program("left", "#!/bin/sh\necho Content-Type: a/b; echo\n"
                    "sleep 66 >/dev/null 2>&1 </dev/null &\n")
    program("fails", "#!/bin/sh\necho oops >&2; exit 3\n")
    program("dies", "#!/bin/sh\necho Content-Type: a/b; echo; echo x; "
                    "kill -9 $$\n")
    program("bad", "#!/nonexistent/sh\n")
    program("early", "#!/bin/sh\necho Content-Type: a/b; echo; echo early\n")
    with serve(cgi(timeout="1s")) as server:
        begin = time.monotonic()
        same(get(server, "/sleeps").status, 504, "past its time: 504")
        ok(time.monotonic() - begin < 2, "at once")
        same(get(server, "/stays").status, 504, "one that ignores TERM: 504")
        ok(eventually(lambda: "sleep" not in names(server)),
           "all of the group is gone", names(server))
        try:
            get(server, "/late")
            ok(False, "past its time in the middle: cut")
        except EOFError:
            ok(True, "past its time in the middle: cut")
    with serve(cgi()) as server:
        same(get(server, "/child").body, b"after\n",
             "a child that keeps stdout goes on")
        same(get(server, "/left").body, b"", "what it leaves behind ...")
        ok("sleep" in names(server), "... may go on")
        same(get(server, "/fails").status, 502, "no output, exit 3: 502")
        server.wait_for("oops")
        server.wait_for("exit status 3")
        ok(True, "its stderr and its status are in the log")
        same(get(server, "/dies").body, b"x\n",
             "killed behind its output: the output counts")
        same(get(server, "/bad").status, 502, "no interpreter: 502")
        got = get(server, "/early", method="POST", body=b"z" * 900000)
        same(got.body, b"early\n", "a body may stay unread")
        pid = server.process.pid
        with rawhttp.connect(server.address) as sock:
            sock.sendall(b"POST /cat HTTP/1.1\r\nHost: h\r\n"
                         b"Content-Length: 10\r\n\r\nab")
            ok(eventually(lambda: "cat" in names(server)), "it has begun")
        ok(eventually(lambda: "cat" not in names(server)),
           "a client that leaves in its body ends it")
        got = raw(server, b"POST /cat HTTP/1.1\r\nHost: h\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        same(got.status, 400, "a broken chunk: 400, nothing is run")
        below = descendants(pid)
    ok(eventually(lambda: not any(is_alive(p) for p in below)),
       "with the server all of them end")


@check
def concurrency():
    program("half", "#!/bin/sh\nsleep 0.5\necho Content-Type: a/b; echo\n")
    with serve(cgi(concurrency=2)) as server:
        begin = time.monotonic()
        threads = [threading.Thread(target=get, args=(server, "/half"))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begin
        ok(0.95 < took < 2, "4 at 2 at a time take 2 turns", took)
    with serve(cgi(concurrency=1, queue={"length": 0})) as server:
        threads = threading.Thread(target=get, args=(server, "/half"))
        threads.start()
        time.sleep(0.2)
        same(get(server, "/env").status, 502, "no queue: refused")
        threads.join()


@check
def fronts():
    for dialect, target in (("alb", "/env/x"), ("http-2.0", "/env/x"),
                            ("http-1.0", "/env/x"), ("url", "/env/x"),
                            ("rest", "/dev/env/x")):
        with Server("--port", "0", "--dialect", dialect, "--cgi", PROGRAMS,
                    *(["--stage", "dev"] if dialect == "rest" else [])
                    ) as server:
            got = get(server, target)
            env = variables(got)
            same((got.status, env.get("PATH_INFO")), (200, "/x"),
                 "behind %s" % dialect)
            same(env.get("SCRIPT_NAME"), target[:-2],
                 "%s: SCRIPT_NAME" % dialect)


@check
def to_a_function():
    program("go", "#!/bin/sh\nprintf 'Location: /event?a=1\\n\\n'\n")
    config = cgi()
    config["functions"]["event"] = {"command": [
        "sh", "-c", "cat >%s/event.json; echo "
        "'{\"statusCode\":201,\"body\":\"from an event\"}'" % folder]}
    config["fronts"]["web"].pop("function")
    config["fronts"]["web"]["rules"] = [
        {"path": ["/event"], "function": "event"}, {"function": "hello"}]
    for body in b"", b"x" * 300000:
        with serve(config) as server:
            got = get(server, "/go", [("Content-Type", "text/plain")],
                      "POST", body)
            same((got.status, got.body), (201, b"from an event"),
                 "a local redirect to a function, %d bytes" % len(body))
            with open(os.path.join(folder, "event.json")) as text:
                event = json.load(text)
            same((event["httpMethod"], event["path"], event["body"],
                  event["queryStringParameters"]),
                 ("GET", "/event", "", {"a": "1"}), "as a GET without body")
            ok("content-length" not in event["headers"] and
               "content-type" not in event["headers"],
               "nor its headers", event["headers"])


@check
def forwarded():
    for mode, expected in (("append", "203.0.113.9, 127.0.0.1"),
                           ("preserve", "203.0.113.9"), ("remove", None)):
        config = cgi()
        config["fronts"]["web"]["attributes"] = {
            "routing.http.xff_header_processing.mode": mode}
        with serve(config) as server:
            env = variables(get(server, "/env", [
                ("X-Forwarded-For", "203.0.113.9")]))
            same(env.get("HTTP_X_FORWARDED_FOR"), expected,
                 "X-Forwarded-For: " + mode)


@check
def command_line():
    with Server("--port", "0", "--cgi", os.path.join(PROGRAMS, "env"),
                "--env", "X=1", "--cgi-prefix", "/app") as server:
        env = variables(get(server, "/app/a"))
        same((env["SCRIPT_NAME"], env["PATH_INFO"], env["X"]),
             ("/app", "/a", "1"), "serve --cgi PROGRAM --env --cgi-prefix")
        same(get(server, "/apple").status, 404, "/apple is not /app")
    for arguments, text in (
            (("--cgi", "/nothing"), "No such file"),
            (("--cgi", os.path.join(PROGRAMS, "text")), "chmod"),
            (("--cgi", PROGRAMS, "app.handler"), "two functions")):
        done = albatross("serve", "--check", *arguments)
        ok(done.returncode == 2 and text in done.stderr,
           "%s: told before anything starts" % arguments[1], done.stderr)


@check
def tls():
    with Server("--port", "0", "--tls", "--cgi", PROGRAMS) as server:
        out = curl("-k", server.urls[0] + "/env").stdout
        for line in ("HTTPS=on", "REQUEST_SCHEME=https",
                     "SSL_PROTOCOL=TLSv1.3", "HTTP_X_FORWARDED_PROTO=https"):
            has(out, line, "over TLS: " + line)


finish()
