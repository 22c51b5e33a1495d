#!/usr/bin/env python3
"""What breaks in a function: the client's status, the log's reason, and the
server goes on."""
from tap import *

write("app/app.py", '''
import os, time
def handler(event, context):
    what = event["path"][1:]
    if what == "raise": raise KeyError("lost")
    if what == "number": return {"statusCode": 200, "headers": {"x-n": 5}}
    if what == "nothing": return None
    if what == "sleep": time.sleep(30)
    if what == "exit": os._exit(1)
    if what == "exit0": os._exit(0)
    if what == "abort": os.abort()
    if what == "string": return "text"
    if what == "badheader": return {"statusCode": 200, "headers": {"a b": "c"}}
    if what == "newline": return {"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}
    if what == "base64": return {"statusCode": 200, "body": "%%%", "isBase64Encoded": True}
    if what == "large": return {"statusCode": 200, "body": "x" * 1048576}
    if what == "huge": return {"statusCode": 200, "body": "x" * 7000000}
    if what == "surrogate": return {"statusCode": 200, "body": chr(0xd800)}
    return {"statusCode": 200, "body": "fine"}
''')
write("app/half.py", r'''
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
sock = socket.create_connection((host, int(port)))
sock.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: a\r\n\r\n")
data = b""
while b"\r\n\r\n" not in data:
    data += sock.recv(65536)
name = b"lambda-runtime-aws-request-id: "
at = data.lower().index(name) + len(name)
id = data[at:at + 36].decode()
sock.sendall(("POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\n"
              "Host: a\r\nContent-Length: 1000\r\n\r\n{\"statusCode\":" % id).encode())
os._exit(0)
''')
HOME = os.path.join(folder, "app")

EXPECTED = [  # path, status, what the log says
    ("raise", 502, "KeyError"), ("number", 502, "alb/result/header-value"),
    ("nothing", 502, "alb/result/object"), ("sleep", 502, "timed out"),
    ("exit", 502, "exit status 1"), ("exit0", 502, "without providing"),
    ("abort", 502, "aborted"), ("string", 502, "alb/result/object"),
    ("badheader", 502, "alb/result/header-invalid"),
    ("newline", 502, "alb/result/header-invalid"),
    ("base64", 502, "alb/result/base64"),
    ("large", 502, "alb/result/too-large"),
    ("huge", 502, "function/result-too-large")]


@check
def each():
    with Server("app.handler", "--port", "0", "--timeout", "2",
                cwd=HOME) as server:
        for what, status, text in EXPECTED:
            begin = time.monotonic()
            got = get(server, "/" + what)
            same((got.status, got.first("Content-Type")),
                 (status, "text/html"), "%s: %d" % (what, status))
            ok(time.monotonic() - begin < 6, what + ": in time")
            try:
                server.wait_for(text, 3)
                ok(True, "%s: the log says %s" % (what, text))
            except AssertionError as error:
                ok(False, "%s: the log says %s" % (what, text), error)
            same(get(server, "/fine").body, b"fine", what + ": and goes on")
        ok("large" not in server.stderr() or
           "xxxxxxxxxxxxxxxx" not in server.stderr(), "no body in the log")
        same(server.end(), 0, "and ends well")


@check
def half_a_response():
    with Server("--port", "0", "--", "python3", "half.py",
                cwd=HOME) as server:
        same(get(server).status, 502, "dead after half a response: 502")
        server.wait_for("function/truncated|TruncatedResponse|truncated")
        ok(True, "the log says that it was cut")
        same(get(server).status, 502, "once more")


finish()
