#!/usr/bin/env python3
"""REST APIs, HTTP APIs and function URLs: real functions behind each door."""
import json

from tap import *

write("app/app.py", '''
import json, time

def handler(event, context):
    path = event.get("rawPath") or event["path"]
    if path.endswith("/raise"): raise ValueError("no")
    if path.endswith("/slow"): time.sleep(1.5)
    if path.endswith("/bad"): return {"statusCode": "many"}
    if path.endswith("/text"): return "plain"
    return {"statusCode": 200, "headers": {"x-path": path},
            "body": json.dumps(event)}
''')
APP = os.path.join(folder, "app")
STAGES = {"rest": "/dev", "http-1.0": "", "http-2.0": "", "url": ""}


def door(dialect, *more):
    return Server("app.handler", "--port", "0", "--dialect", dialect, *more,
                  cwd=APP)


@check
def every_door():
    errors = {"rest": 502, "http-1.0": 500, "http-2.0": 500, "url": 502}
    ids = {"rest": "x-amz-apigw-id", "url": "x-amzn-RequestId",
           "http-1.0": "Apigw-Requestid", "http-2.0": "Apigw-Requestid"}
    for dialect, stage in STAGES.items():
        with door(dialect) as server:
            got = get(server, stage + "/a%20b?x=1&x=2", method="POST",
                      body=b"hi", headers=[("Content-Type", "text/plain")])
            event = json.loads(got.body)
            same((got.status, event.get("version"), event["body"]),
                 (200, {"rest": None, "http-1.0": "1.0"}.get(dialect, "2.0"),
                  "hi"), dialect + ": the event, and its answer")
            ok(got.first(ids[dialect]), dialect + ": its request id",
               got.headers)
            for path in "/raise", "/bad":
                same(get(server, stage + path).status, errors[dialect],
                     dialect + ": " + path)
            server.wait_for("result/status-code" if dialect != "rest"
                            else "rest/result/")
            ok(True, dialect + ": the log names the rule")


@check
def inferred():
    with door("http-2.0") as server:
        got = get(server, "/text")
        same((got.status, got.body, got.first("Content-Type")),
             (200, b"plain", "application/json"), "2.0 infers a response")
    with door("http-1.0") as server:
        same(get(server, "/text").status, 500, "1.0 does not")


@check
def routes():
    with door("http-2.0", "--route", "GET /pets/{id}", "--route",
              "POST /jobs/{proxy+}") as server:
        event = json.loads(get(server, "/pets/7").body)
        same((event["routeKey"], event["pathParameters"]),
             ("GET /pets/{id}", {"id": "7"}), "--route")
        event = json.loads(get(server, "/jobs/a/b", method="POST").body)
        same(event["pathParameters"], {"proxy": "a/b"}, "--route, repeated")
        got = get(server, "/pets")
        same((got.status, got.body), (404, b'{"message":"Not Found"}'),
             "what no route serves")
    with door("rest", "--route", "GET /pets/{id}", "--stage", "v1") as server:
        event = json.loads(get(server, "/v1/pets/a%2Fb").body)
        same((event["resource"], event["pathParameters"],
              event["requestContext"]["stage"]),
             ("/pets/{id}", {"id": "a%2Fb"}, "v1"), "a REST API's stage")
        got = get(server, "/v1/nothing")
        same((got.status, got.body),
             (403, b'{"message":"Missing Authentication Token"}'),
             "and its answer to what no method serves")
        same(get(server, "/pets/1").status, 403, "no stage, no entry")
        server.wait_for("begin with its stage: /v1/")
        ok(True, "which was told at the start")


@check
def cors():
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"]}
    config = mock(front={"dialect": "http-2.0", "attributes": {"cors": cors}})
    with serve(config) as server:
        origin = [("Origin", "https://a.example")]
        got = get(server, "/x", [*origin, (
            "Access-Control-Request-Method", "GET")], "OPTIONS")
        same((got.status, got.first("access-control-allow-origin"),
              got.first("access-control-allow-methods")),
             (204, "https://a.example", "GET"), "a preflight")
        got = get(server, "/x", origin)
        same((got.status, got.first("access-control-allow-origin"),
              got.first("vary")), (200, "https://a.example", "origin"),
             "and the request after it")


@check
def time_outs():
    with door("http-2.0", "--integration-timeout", "300ms") as server:
        get(server, "/")
        got = get(server, "/slow")
        same((got.status, got.body), (503, b'{"message":"Service Unavailable"}'),
             "an HTTP API gives up")
        got = get(server, "/")
        same(got.status, 200, "and goes on meanwhile")
        server.wait_for("REPORT.*REPORT.*REPORT", 10)
        ok(True, "the function ends in its own time")
    with door("rest", "--integration-timeout", "300ms") as server:
        get(server, "/dev/")
        got = get(server, "/dev/slow")
        same((got.status, got.body),
             (504, b'{"message": "Endpoint request timed out"}'),
             "a REST API too")
        same(server.end(), 0, "the end waits for the function")


@check
def several_at_once():
    config = mock()
    config["fronts"].update({
        "api": {"dialect": "http-2.0", "routes": {"GET /a": "hello"}},
        "url": {"dialect": "url", "function": "hello"}})
    config["listeners"] += [{"address": "127.0.0.1:0", "front": "api"},
                            {"address": "127.0.0.1:0", "front": "url"}]
    with serve(config) as server:
        got = [curl("-o", "/dev/null", "-w", "%{http_code}", url + "/a").stdout
               for url in server.urls]
        same(got, ["200"] * 3, "an ALB, an HTTP API and a URL side by side")
        got = curl("-w", "%{http_code}", server.urls[1] + "/b").stdout
        same(got, '{"message":"Not Found"}404', "each with its own answers")


@check
def told_apart_by_host():
    config = mock()
    config["fronts"].update({
        "api": {"dialect": "http-2.0", "routes": {"GET /a": "hello"}},
        "url": {"dialect": "url", "function": "hello"}})
    config["listeners"][0]["hosts"] = {"api.localhost": "api",
                                       "*.url.example": "url"}

    def ask(server, host, target):
        return rawhttp.exchange(server.address, (
            "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, host)).encode())
    with serve(config) as server:
        same(ask(server, "other", "/b").first("Server"), "awselb/2.0",
             "one listener: the ALB for what is not named")
        got = ask(server, "API.localhost:80", "/b")
        same((got.status, got.first("Server")), (404, None),
             "the HTTP API for its host")
        ok(ask(server, "x.url.example", "/%zz").first("x-amzn-RequestId"),
           "the URL for a pattern, with what only it takes")
    config["listeners"][0]["hosts"]["c"] = "apo"
    got = albatross("serve", "-c", write_config(folder, config))
    same(got.returncode, 2, "a host without a front")
    has(got.stderr, 'did you mean "api"', "is told")


@check
def command_line():
    raw = "GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: h\r\nCookie: c=1\r\n\r\n"
    got = albatross("event", "--all", stdin=raw)
    same(got.returncode, 0, "event --all")
    has(got.stdout, "http-2.0 url: \"/a b\"", "doors that agree share a line")
    has(got.stdout, "differ (*)", "and what differs is marked")
    got = albatross("event", "--all", "--route", "GET /b", stdin=raw)
    same(got.returncode, 1, "a door that refuses")
    has(got.stdout, "http-2.0 refuses: the client gets 404", "is named")
    got = albatross("check", "--dialect", "http-1.0", stdin='{"a": 1}')
    same(got.returncode, 1, "check --dialect http-1.0")
    has(got.stdout, "api/result/object", "names the rule")
    got = albatross("check", "--dialect", "http-2.0", stdin='{"a": 1}')
    same(got.returncode, 0, "2.0 takes it")
    has(got.stdout, "api/note/inferred", "and says what it makes of it")
    got = albatross("serve", "app.handler", "--dialect", "url", "--route",
                    "GET /", "--check", cwd=APP)
    same(got.returncode, 2, "a function URL has no routes")
    got = albatross("serve", "app.handler", "--dialect", "url",
                    "--invoke-mode", "RESPONSE_STREAM", "--check", cwd=APP)
    same(got.returncode, 0, "but streams (28-streaming.t)")


finish()
