#!/usr/bin/env python3
"""--explain: each response of our own says why."""
from tap import *

BROWSER = [("Accept", "text/html,application/xhtml+xml")]

write("app/app.py", '''
def handler(event, context):
    if event["path"] == "/raise": raise ValueError("<b>it broke</b>")
    return {"statusCode": 200, "headers": {"x-n": 5}}
''')


@check
def explained():
    with Server("app.handler", "--port", "0", "--explain",
                cwd=os.path.join(folder, "app")) as server:
        got = get(server, "/")
        same((got.status, got.first("x-albatross-rule")),
             (502, "alb/result/header-value"), "the rule in a header")
        got = get(server, "/", BROWSER)
        page = got.body.decode()
        same(got.status, 502, "the status stays")
        for piece in ("alb/result/header-value", "/headers/x-n", "alb.md"):
            has(page, piece, "the page shows " + piece)
        page = get(server, "/raise", BROWSER).body.decode()
        has(page, "ValueError", "and the function's own exception")
        ok("<b>it broke" not in page, "escaped", page)
        got = rawhttp.exchange(server.address, b"GET / HTTP/1.1\r\n\r\n")
        same((got.status, got.first("x-albatross-rule")),
             (400, "h1/host-missing"), "refusals of requests too")


@check
def not_asked_for():
    with Server("app.handler", "--port", "0",
                cwd=os.path.join(folder, "app")) as server:
        got = get(server, "/", BROWSER)
        same((got.first("x-albatross-rule"), len(got.body)), (None, 122),
             "without it ALB's page, byte for byte")
        server.wait_for("alb/result/header-value")
        ok(True, "but the log says why")


@check
def warning():
    config = mock(explain=True)
    config["listeners"][0]["address"] = "0.0.0.0:0"
    with serve(config) as server:
        server.wait_for("explain")
        ok(True, "a listener that others can reach is warned about")


finish()
