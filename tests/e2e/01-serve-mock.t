#!/usr/bin/env python3
"""A fixed function behind a front: what the client reads, byte for byte."""
import re

from tap import *


@check
def the_response():
    config = mock('{"statusCode":200,"statusDescription":"200 Fine",'
                  '"headers":{"Content-Type":"text/plain","X-One":"1"},'
                  '"body":"hello"}')
    with serve(config) as server:
        same(server.lines, ["listening http://127.0.0.1:%d" %
                            server.address[1], "ready"],
             "stdout carries the address and ready, nothing else")
        got = get(server)
        same((got.status, got.reason, got.body), (200, "Fine", b"hello"),
             "status, reason and body")
        names = [name for name, _ in got.headers]
        same(names, ["Server", "Date", "Content-Type", "Content-Length",
                     "Connection", "X-One"], "order of the headers on the wire")
        same(got.first("Server"), "awselb/2.0", "Server")
        ok(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
                        got.first("Date", "")), "Date is an IMF date")
        out = curl("-i", server.urls[0] + "/x?y=1")
        has(out.stdout, "HTTP/1.1 200 Fine\n", "curl reads it too")
        same(server.end(), 0, "SIGTERM ends it with status 0")


@check
def several_addresses():
    config = mock()
    config["listeners"] = [
        {"address": "127.0.0.1:0", "front": "web"},
        {"address": "[::1]:0", "front": "web"}]
    with serve(config) as server:
        same(len(server.urls), 2, "one line for each address")
        has(server.urls[1], "http://[::1]:", "IPv6 in brackets")
        same(curl("-g", server.urls[1]).stdout, "hello", "served over IPv6")


@check
def rules():
    config = mock()
    config["fronts"]["web"] = {"dialect": "alb", "rules": [
        {"path": ["/fixed*"], "fixed_response": {
            "status": 404, "content_type": "text/plain", "body": "nothing"}},
        {"path": ["/old/*"], "redirect": {"path": "/new/#{path}",
                                          "status": 301}},
        {"host": ["*.example.org"], "function": "other"},
        {"path": ["/gone"], "function": None},
        {"function": "hello"}]}
    config["functions"]["other"] = {
        "mock": '{"statusCode":200,"body":"other"}'}
    with serve(config) as server:
        got = get(server, "/fixed/1")
        same((got.status, got.body, got.first("Content-Type")),
             (404, b"nothing", "text/plain; charset=utf-8"), "fixed-response")
        got = get(server, "/old/a?b=c")
        same((got.status, got.first("Location")),
             (301, "http://example.com:%d/new/old/a?b=c" % server.address[1]),
             "redirect with keywords")
        same(get(server, "/other").body, b"hello", "the default rule")
        same(curl("-H", "Host: a.example.org", server.urls[0]).stdout,
             "other", "a host condition")
        got = get(server, "/gone")
        same((got.status, len(got.body)), (503, 162),
             "a rule without a function is 503")


@check
def multi_value_headers():
    config = mock('{"statusCode":200,"multiValueHeaders":'
                  '{"Set-Cookie":["a=1","b=2"]},"body":""}',
                  {"attributes": {"lambda.multi_value_headers.enabled": True}})
    with serve(config) as server:
        got = get(server)
        same(sorted(got.all("Set-Cookie")), ["a=1", "b=2"],
             "one line for each value")


@check
def broken_result():
    with serve(mock('{"statusCode":"200"}')) as server:
        got = get(server)
        same((got.status, got.first("Content-Type"), len(got.body)),
             (502, "text/html", 122), "ALB's own page for a broken result")
        server.wait_for("alb/result/status-code")
        ok(True, "the log names the rule")


finish()
