#!/usr/bin/env python3
"""The access log: ALB's fields, JSON, the terminal's line."""
import json
import pty
import re
import shlex

from tap import *

LOG = os.path.join(folder, "access.log")
FIELDS = [
    r"http", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r"app/[^/]+/\S+",
    r"127\.0\.0\.1:\d+", r"-", r"-?\d+(\.\d{3})?", r"-?\d+(\.\d{3})?",
    r"-?\d+(\.\d{3})?", r"\d{3}", r"\d{3}|-", r"\d+", r"\d+",
    r".*", r".*", r"-", r"-", r"arn:aws:elasticloadbalancing:.*|-",
    r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}|-", r"-", r"-", r"-?\d+|-",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", r"[a-z,-]+", r".*", r".*",
    r"-", r"-", r"-|Acceptable|Ambiguous|Severe", r".*", r"TID_[0-9a-f]+",
    r"-", r"-", r"-"]


def lines(n):
    def there():
        return os.path.exists(LOG) and \
            open(LOG, encoding="utf-8").read().count("\n") >= n
    eventually(there)
    return open(LOG, encoding="utf-8").read().splitlines() \
        if os.path.exists(LOG) else []


@check
def alb_format():
    config = mock(access_log=LOG, loops=1)  # one loop: lines in order
    with serve(config) as server:
        get(server, "/a?b=c", [("User-Agent", 'test "quoted" ü')])
        rawhttp.exchange(server.address, b"GET / HTTP/1.1\r\n\r\n")
        rawhttp.exchange(server.address, b"get / HTTP/1.1\r\nHost: a\r\n\r\n")
        rawhttp.exchange(server.address, b"POST / HTTP/1.1\r\nHost: a\r\n"
                         b"Transfer-Encoding: chunked\r\nContent-Length: 5"
                         b"\r\n\r\n0\r\n\r\n")
        port = server.address[1]
    got = lines(4)
    same(len(got), 4, "one line for each request")
    for number, text in enumerate(got):
        fields = shlex.split(text.replace("\\x22", "~"))
        ok(len(fields) >= 33, "line %d has its fields" % number, text)
        wrong = [(n + 1, f) for n, (p, f) in enumerate(zip(FIELDS, fields))
                 if not re.fullmatch(p, f)]
        same(wrong, [], "line %d: each of its form" % number)
    first = shlex.split(got[0].replace("\\x22", "~"))
    same(first[12], "GET http://example.com:%d/a?b=c HTTP/1.1" % port,
         "the request field")
    has(got[0], "test \\x22quoted\\x22", "quotes are escaped")
    same((first[8], first[9]), ("200", "200"), "both statuses")
    same(first[20], "0", "the default rule")
    second = shlex.split(got[1])
    same((second[8], second[9]), ("400", "-"), "a refusal has one status")
    fourth = shlex.split(got[3])
    same(fourth[27:29], ["Ambiguous", "BothTeClPresent"],
         "class and reason of a deviation")


@check
def error_reasons():
    os.path.exists(LOG) and os.unlink(LOG)
    config = mock('{"statusCode":1}', access_log=LOG, loops=1)
    config["functions"]["dead"] = {"command": ["false"]}
    config["functions"]["none"] = {"mock": "x"}
    config["fronts"]["web"] = {"dialect": "alb", "rules": [
        {"path": ["/dead"], "function": "dead"}, {"function": "hello"}]}
    with serve(config) as server:
        get(server)
        get(server, "/dead")
        rawhttp.exchange(server.address, b"POST / HTTP/1.1\r\nHost: a\r\n"
                         b"Content-Length: 2000000\r\n\r\n")
    reasons = [shlex.split(text)[24] for text in lines(3)]
    same(reasons, ["LambdaInvalidResponse", "LambdaUnhandled",
                   "LambdaRequestTooLarge"], "error_reason")


@check
def json_format():
    os.path.exists(LOG) and os.unlink(LOG)
    config = mock(access_log=LOG, access_log_format="json")
    with serve(config) as server:
        get(server, '/j?x="y"')
    got = [json.loads(text) for text in lines(1)]
    ok(got and isinstance(got[0], dict), "each line is an object", got)
    has(json.dumps(got), "/j", "with the path")


@check
def secrets():
    os.path.exists(LOG) and os.unlink(LOG)
    with serve(mock(access_log=LOG)) as server:
        get(server, "/", [("Authorization", "Bearer s3cret"),
                          ("Cookie", "session=s3cret"),
                          ("X-Api-Key", "s3cret")], "POST", b"s3cret")
        lines(1)
        ok("s3cret" not in server.stderr() + open(LOG).read(),
           "no credentials, no bodies in any log")


@check
def terminal():
    """On a terminal, one short line a request on stderr."""
    import threading
    leader, follower = pty.openpty()
    seen = bytearray()

    def read():
        try:
            while True:
                seen.extend(os.read(leader, 4096))
        except OSError:
            pass
    threading.Thread(target=read, daemon=True).start()
    path = write_config(folder, mock())
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "80"}
    import subprocess
    process = subprocess.Popen([PROGRAM, "serve", "-c", path],
                               stdout=subprocess.PIPE, stderr=follower,
                               stdin=follower, env=env)
    url = process.stdout.readline().decode().split()[1]
    process.stdout.readline()
    curl(url + "/on-a-terminal")
    ok(eventually(lambda: re.search(
        rb"200 GET +/on-a-terminal +[0-9.]+ ms", seen)), "method, path, status, ms",
       seen)
    ok(b"\x1b[" not in seen, "no colour with NO_COLOR", seen)
    process.terminate()
    process.wait(10)
    os.close(follower)


finish()
