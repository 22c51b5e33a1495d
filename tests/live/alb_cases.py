#!/usr/bin/env python3
"""ALB cases over sockets, through the released program.

One server for each set of attributes, started as `albatross serve -c FILE`.
The client's and the listener's address come through the PROXY protocol, its
versions in turn; the function is probe.py.  Prints the ids that fail with what
was expected and what came, then "N passed, N failed".
"""
import argparse
import base64
import concurrent.futures
import json
import os
import socket
import sys
import tempfile
import threading

import casefile
import pcre
import rawhttp
from casefile import Unsound, differs
from frames import receive, send
from server import Server, write_config

TARGET_GROUP = ("arn:aws:elasticloadbalancing:us-east-1:123456789012:"
                "targetgroup/fn/0123456789abcdef")
DNS_NAME = "my-alb-123456.us-east-1.elb.amazonaws.com"
CASE_KEYS = {
    "id", "mode", "certainty", "rule", "request", "request_b64", "fill",
    "attrs", "listener_attrs", "listener_port", "client_ip", "client_port",
    "expect_event", "expect_exact", "expect_absent", "expect_regex",
    "expect_status", "expect_status_alt", "response", "function_error",
    "method", "expect"}
EXPECT_KEYS = {"status", "reason", "headers", "headers_absent",
               "header_multiset", "body", "body_base64"}
OTHERS = {"runtime-api", "cgi", "rest", "http1", "http2", "url"}
ANY_RESULT = b'{"statusCode":200,"body":"seen"}'


class Probe:
    """The runner's end of probe.py: events come in, orders go out."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "probe.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.events = []
        self.order = b"R" + ANY_RESULT
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            while True:
                self.events.append(receive(sock))
                send(sock, self.order)
        except (EOFError, OSError):
            sock.close()

    def close(self):
        self.listener.close()


def check_sound(case):
    casefile.check_keys("the case", case, CASE_KEYS)
    if sum(k in case for k in
           ("expect", "expect_event", "expect_status")) != 1:
        raise Unsound("a case has one of expect_event, expect_status, expect")
    if ("expect" in case) != ("response" in case):
        raise Unsound("response and expect go together")
    if "expect" in case:
        casefile.check_keys("expect", case["expect"], EXPECT_KEYS)
    elif "request" not in case and "request_b64" not in case:
        raise Unsound("there is no request")
    if "fill" in case:
        casefile.check_keys("fill", case["fill"], {"char", "count"})
    if case.get("mode", "single") not in ("single", "multi"):
        raise Unsound("mode is neither single nor multi")


def attributes_of(case):
    return {
        "lambda.multi_value_headers.enabled":
            "true" if case.get("mode") == "multi" else "false",
        **case.get("attrs", {}), **case.get("listener_attrs", {})}


def filled(case, text):
    fill = case.get("fill")
    if fill:
        text = text.replace("{{FILL}}", fill["char"] * fill["count"])
    return text.encode("utf-8")


def request_of(case):
    if "request_b64" in case:
        return base64.b64decode(case["request_b64"])
    if "request" in case:
        return filled(case, case["request"])
    return ("%s / HTTP/1.1\r\nHost: example.com\r\n\r\n" %
            case.get("method", "GET")).encode()


def at_path(value, path):
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def check_event(case, events):
    if len(events) != 1:
        yield "the function was called %d times, not once" % len(events)
        return
    try:
        event = casefile.strict_json(events[0])
    except ValueError as error:
        yield differs("the event is no JSON: %s" % error, "", events[0])
        return
    expected = case["expect_event"]
    for path, want, got in casefile.differences(expected, event):
        yield differs(path, want, got)
    for key in case.get("expect_exact", []):
        if not casefile.same(expected.get(key), event.get(key)):
            yield differs("/%s exactly" % key, expected.get(key),
                          event.get(key))
    for path in case.get("expect_absent", []):
        if at_path(event, path) is not None or (
                isinstance(at_path(event, path[:-1]), dict)
                and path[-1] in at_path(event, path[:-1])):
            yield differs("%s must be absent" % path, "(nothing)",
                          at_path(event, path))
    for path, pattern in case.get("expect_regex", []):
        got = at_path(event, path)
        if not isinstance(got, str) or not pcre.finds(pattern, got):
            yield differs("%s by pattern" % path, pattern, got)


def check_response(expect, got):
    if "status" in expect and got.status != expect["status"]:
        yield differs("status", expect["status"], got.status)
    if "reason" in expect and got.reason != expect["reason"]:
        yield differs("reason", expect["reason"], got.reason)
    values = lambda name: [
        v.encode("latin-1").decode("utf-8", "replace") for v in got.all(name)]
    for name, value in expect.get("headers", []):
        if value not in values(name):
            yield differs("header %s" % name, value, got.headers)
    for name in expect.get("headers_absent", []):
        if got.all(name):
            yield differs("header %s" % name, "(nothing)", got.all(name))
    for name, wanted in expect.get("header_multiset", {}).items():
        if sorted(wanted) != sorted(values(name)):
            yield differs("headers %s" % name, wanted, values(name))
    if "body" in expect and got.body != expect["body"].encode("utf-8"):
        yield differs("body", expect["body"], got.body)
    if "body_base64" in expect and got.body != base64.b64decode(
            expect["body_base64"]):
        yield differs("body_base64", expect["body_base64"],
                      base64.b64encode(got.body).decode())


def run_case(case, number, server, probe):
    """What is wrong with |case|, as texts."""
    result = filled(case, case["response"]) if "response" in case \
        else ANY_RESULT
    probe.order = (b"E" if case.get("function_error") else b"R") + result
    probe.events.clear()
    line = rawhttp.proxy_line(
        1 + number % 2, case.get("client_ip", "203.0.113.10"),
        case.get("client_port", 50000), case.get("listener_port", 80))
    got = rawhttp.exchange(server.address, line + request_of(case),
                           case.get("method", "GET"))
    if "expect" in case:
        return list(check_response(case["expect"], got))
    if "expect_event" in case:
        texts = list(check_event(case, probe.events))
        if texts:
            texts.append("the client got %d" % got.status)
        return texts
    texts = []
    if got.status not in [case["expect_status"],
                          *case.get("expect_status_alt", [])]:
        texts.append(differs("status", case["expect_status"], got.status))
    if probe.events:
        texts.append(differs("the function was called", "(nothing)",
                             probe.events[0]))
    return texts


def config_of(attributes, probe):
    return {
        "listeners": [{"address": "127.0.0.1:0", "front": "cases",
                       "proxy_protocol": ["127.0.0.0/8"]}],
        "fronts": {"cases": {
            "dialect": "alb", "attributes": attributes, "dns_name": DNS_NAME,
            "region": "us-east-1", "account": "123456789012",
            "target_group_arn": TARGET_GROUP, "function": "probe"}},
        "functions": {"probe": {
            "runtime": {"command": [
                sys.executable,
                os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "probe.py")]},
            "concurrency": 1, "timeout": "30s",
            "environment": {"PROBE_SOCKET": probe.path}}}}


def run_group(program, attributes, cases):
    """All cases of one set of attributes: (place, case, texts) triples."""
    with tempfile.TemporaryDirectory(prefix="albatross-live-") as folder:
        probe = Probe(folder)
        config = write_config(folder, config_of(attributes, probe))
        try:
            server = Server("-c", config, program=program)
        except RuntimeError as error:
            probe.close()
            return [(place, case, [str(error)]) for place, case in cases]
        results = []
        with server:
            for number, (place, case) in enumerate(cases):
                try:
                    texts = run_case(case, number, server, probe)
                except (OSError, EOFError, ValueError) as error:
                    texts = ["%s: %s" % (type(error).__name__, error)]
                if server.process.poll() is not None:
                    texts.append("the server died: status %d" %
                                 server.process.returncode)
                if texts:
                    texts.append("log: " + server.stderr()[-300:].strip()
                                 .replace("\n", "\n       "))
                results.append((place, case, texts))
        probe.close()
        return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=None)
    parser.add_argument("--areas", default="")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    program = os.path.abspath(options.program) if options.program else None
    complaints, groups, passed = [], {}, 0
    for place, case in casefile.read(options.files, options.areas, complaints):
        area = casefile.area_of(case)
        if area in OTHERS:
            continue  # runtime_cases.py and api_cases.py have them
        try:
            if area != "alb":
                raise Unsound("cases of area %s are not built" % area)
            check_sound(case)
            key = json.dumps(attributes_of(case), sort_keys=True)
            groups.setdefault(key, []).append((place, case))
        except Unsound as error:
            complaints.append((case.get("id", "?"), place, [str(error)]))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for results in pool.map(
                lambda item: run_group(program, json.loads(item[0]), item[1]),
                groups.items()):
            for place, case, texts in results:
                if texts:
                    complaints.append((case.get("id", "?"), place, texts))
                else:
                    passed += 1
    return casefile.close(passed, complaints)


if __name__ == "__main__":
    sys.exit(main())
