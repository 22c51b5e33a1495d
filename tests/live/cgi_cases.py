#!/usr/bin/env python3
"""Cases of CGI programs (lambda.md 12, area cgi) over sockets.

One server for each case.  The program is a shell script that keeps its
environment, its arguments and its stdin in files, and prints what the case
says.  Addresses and ports come through the PROXY protocol.  A case of kind
"command" goes through tests/host as those of the Runtime API do.
"""
import argparse
import concurrent.futures
import os
import re
import sys
import tempfile
import time

import casefile
import rawhttp
import runtime_cases
from casefile import Unsound, differs
from server import Server, write_config

TOP_KEYS = {"id", "area", "given", "when", "expect", "rule"}
GIVEN_KEYS = {
    "function", "region", "account", "client", "request_id", "mount",
    "docroot", "peer", "local_port", "pass_authorization", "stdout", "stderr",
    "exit", "reads_stdin", "routes", "kind", "timeout_s"}
WHEN_KEYS = {"request", "request_raw", "headers", "body", "body_bytes",
             "invoke"}
EXPECT_KEYS = {
    "status", "reason", "headers", "headers_absent", "body", "body_json",
    "body_json_subset", "body_json_has", "env", "env_absent", "stdin",
    "set_cookie", "inner_request", "argc", "log_contains", "connection",
    "process_started", "payload", "payload_json", "function_error"}
INNER_KEYS = {"method", "target", "body"}

# $0's folder has what it prints; what it saw goes there too.
SCRIPT = """#!/bin/sh
cd '%(folder)s'
tr '\\0' '\\n' </proc/$$/environ >seen.env.new
echo $(($# + 1)) >seen.argc
%(stdin)s
cat <print.err >&2
mv seen.env.new seen.env
cat <print.out
exit %(exit)d
"""


def put(folder, name, data, mode=0o644):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(data)
    os.chmod(path, mode)
    return path


def seen(folder, name, seconds=5):
    """What the program left, once it has; None: it was not started."""
    end = time.monotonic() + seconds
    path = os.path.join(folder, name)
    while not os.path.exists(os.path.join(folder, "seen.env")):
        if time.monotonic() > end:
            return None
        time.sleep(0.005)
    if not os.path.exists(path):
        return None
    with open(path, "rb") as data:
        return data.read()


def make_program(folder, name, given, output):
    """A program that does what |given| says, in a folder of its own."""
    home = os.path.join(folder, "of-" + name.replace("/", "_"))
    os.makedirs(home)
    put(home, "print.out", output)
    put(home, "print.err", given.get("stderr", "").encode())
    stdin = "cat >seen.stdin" if given.get("reads_stdin", True) else ":"
    put(home, os.path.basename(name) or "program", (SCRIPT % {
        "folder": home, "stdin": stdin,
        "exit": given.get("exit", 0)}).encode(), 0o755)
    return home, os.path.join(home, os.path.basename(name) or "program")


class World:
    def __init__(self, case, folder):
        self.folder = folder
        self.given = runtime_cases.expand(case["given"])
        self.when = runtime_cases.expand(case["when"])
        self.expect = case["expect"]
        self.mount = self.given.get("mount", "/app")
        self.routes = {}

    def config(self):
        given = self.given
        self.home, self.program = make_program(
            self.folder, self.mount, given, given.get(
                "stdout", "Content-Type: text/plain\n\nok").encode())
        cgi = {"program": self.program, "prefix": self.mount,
               "authorization": given.get("pass_authorization", False)}
        if "docroot" in given:
            cgi["document_root"] = given["docroot"]
        functions = {"program": {
            "cgi": cgi, "timeout": "%gs" % given.get("timeout_s", 20)}}
        rules = []
        for n, (path, answer) in enumerate(given.get("routes", {}).items()):
            casefile.check_keys("given.routes", answer, {"status", "body"})
            output = "Status: %d\nContent-Type: text/plain\n\n%s" % (
                answer.get("status", 200), answer.get("body", ""))
            home, program = make_program(
                self.folder, path, {}, output.encode())
            self.routes[path] = home
            functions["route%d" % n] = {
                "cgi": {"program": program, "prefix": path}}
            rules.append({"path": [path], "function": "route%d" % n})
        rules.append({"function": "program"})
        return {
            "listeners": [{"address": "127.0.0.1:0", "front": "cases",
                           "proxy_protocol": ["127.0.0.0/8"]}],
            "fronts": {"cases": {"dialect": "alb", "rules": rules}},
            "functions": functions}

    def request(self):
        """The method and all bytes."""
        when = self.when
        if "request_raw" in when:
            raw = when["request_raw"].encode()
            return raw.split(b" ", 1)[0].decode(), raw
        if "request" not in when:
            raise Unsound("nothing is sent")
        method, _, target = when["request"].partition(" ")
        body = None
        if "body" in when:
            body = when["body"].encode()
        elif "body_bytes" in when:
            body = b'"' + b"a" * (when["body_bytes"] - 2) + b'"'
        elif method in ("POST", "PUT"):
            body = b""
        headers = when.get("headers", {})
        names = {name.lower() for name in headers}
        lines = ["%s %s HTTP/1.1" % (method, target)]
        if "host" not in names:
            lines.append("Host: localhost")
        lines += ["%s: %s" % item for item in headers.items()]
        if body is not None and not names & {"content-length",
                                             "transfer-encoding"}:
            lines.append("Content-Length: %d" % len(body))
        return method, ("\r\n".join(lines) + "\r\n\r\n").encode() + (
            body or b"")


def check_environment(world):
    expect = world.expect
    lines = seen(world.home, "seen.env",
                 0.5 if expect.get("process_started") is False else 5)
    if "process_started" in expect and \
            (lines is not None) != expect["process_started"]:
        yield differs("process_started", expect["process_started"],
                      lines is not None)
    if lines is None:
        if {"env", "env_absent", "stdin", "argc"} & set(expect):
            yield "the program was not started"
        return
    env = dict(line.partition("=")[::2]
               for line in lines.decode().split("\n") if line)
    for name, value in expect.get("env", {}).items():
        got = env.get(name, "(not set)")
        if value == "<absolute-path>":
            if got != world.program:
                yield differs("env " + name, world.program, got)
        elif not runtime_cases.fits(value, got, None):
            yield differs("env " + name, value, got)
    for name in expect.get("env_absent", []):
        if name in env:
            yield differs("env " + name, "(not set)", env[name])
    if "stdin" in expect and seen(world.home, "seen.stdin") != \
            expect["stdin"].encode():
        yield differs("stdin", expect["stdin"],
                      seen(world.home, "seen.stdin"))
    if "argc" in expect and int(seen(world.home, "seen.argc")) != \
            expect["argc"]:
        yield differs("argc", expect["argc"], seen(world.home, "seen.argc"))


def check_response(world, got):
    expect = world.expect
    if "status" in expect and got.status != expect["status"]:
        yield differs("status", expect["status"], got.status)
    if "reason" in expect and got.reason != expect["reason"]:
        yield differs("reason", expect["reason"], got.reason)
    for name, value in expect.get("headers", {}).items():
        if value not in got.all(name):
            yield differs("header " + name, value, got.all(name))
    for name in expect.get("headers_absent", []):
        if got.all(name):
            yield differs("header " + name, "(nothing)", got.all(name))
    if "set_cookie" in expect and got.all("Set-Cookie") != \
            expect["set_cookie"]:
        yield differs("set_cookie", expect["set_cookie"],
                      got.all("Set-Cookie"))
    if "body" in expect and got.body != expect["body"].encode():
        yield differs("body", expect["body"], got.body)
    yield from runtime_cases.check_json(expect, got.body, None)


def check_inner(world):
    """What the local redirect asked for."""
    inner = world.expect["inner_request"]
    casefile.check_keys("expect.inner_request", inner, INNER_KEYS)
    path = inner.get("target", "").partition("?")[0]
    home = world.routes.get(path)
    lines = seen(home, "seen.env") if home else None
    if lines is None:
        yield differs("inner_request", inner, "(none)")
        return
    env = dict(line.partition("=")[::2]
               for line in lines.decode().split("\n") if line)
    got = {"method": env.get("REQUEST_METHOD"),
           "target": env.get("REQUEST_URI"),
           "body": seen(home, "seen.stdin").decode()}
    for key, value in inner.items():
        if got[key] != value:
            yield differs("inner_request " + key, value, got[key])


def check_connection(expected, sock, reader, closed):
    if expected not in ("closed", "kept"):
        raise Unsound("expect.connection = %s" % expected)
    if not closed:
        sock.settimeout(2 if expected == "closed" else 0.3)
        try:
            closed = not reader.more()
        except TimeoutError:
            closed = False
    if closed != (expected == "closed"):
        yield differs("connection", expected, "closed" if closed else "kept")


def run_request(world, program):
    given, expect = world.given, world.expect
    config = write_config(world.folder, world.config())
    peer, _, port = given.get("peer", "192.0.2.7:40112").rpartition(":")
    line = rawhttp.proxy_line(
        1, peer.strip("[]"), int(port), given.get("local_port", 80))
    method, raw = world.request()
    with Server("-c", config, program=program) as server:
        with rawhttp.connect(server.address, 30) as sock:
            try:
                sock.sendall(line + raw)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the answer may be there all the same
            reader = rawhttp.Reader(sock, 30)
            got = rawhttp.read_response(reader, method)
            yield from check_response(world, got)
            if "connection" in expect:
                yield from check_connection(
                    expect["connection"], sock, reader, got.closed)
        yield from check_environment(world)
        if "inner_request" in expect:
            yield from check_inner(world)
        if "log_contains" in expect:
            text = expect["log_contains"]
            try:
                server.wait_for(re.escape(text), 3)
            except AssertionError as error:
                yield "log_contains: %s" % error
            if text.encode() in got.body:
                yield "log_contains: %r is in the answer" % text


def run_command(world, program):
    """Event on stdin, result on stdout (lambda.md 11)."""
    given, expect = world.given, world.expect
    home, script = make_program(
        world.folder, "command", given, given.get("stdout", "").encode())
    config = write_config(world.folder, {
        "listeners": [{"address": "127.0.0.1:0", "front": "front"}],
        "fronts": {"front": {"dialect": "alb", "function": "orders"}},
        "functions": {"orders": {"command": [script], "timeout": "20s"}}})
    host = runtime_cases.Host(program, config)
    try:
        n = host.invoke("orders", world.when["invoke"],
                        given.get("request_id"))
        answer = host.wait(n)
        yield from runtime_cases.check_invoker(
            {k: v for k, v in expect.items()
             if k in ("payload", "payload_json", "function_error", "status")},
            answer, world)
        world.home, world.program = home, script
        yield from check_environment(world)
    finally:
        host.close()


def run_case(case, options):
    casefile.check_keys("the case", case, TOP_KEYS)
    for key, known in (("given", GIVEN_KEYS), ("when", WHEN_KEYS),
                       ("expect", EXPECT_KEYS)):
        casefile.check_keys(key, case.get(key), known)
    if not case["expect"]:
        raise Unsound("nothing is expected")
    with tempfile.TemporaryDirectory(prefix="albatross-cgi-") as folder:
        world = World(case, folder)
        world.request_id = world.given.get("request_id")
        kind = world.given.get("kind", "cgi")
        if kind == "command":
            return list(run_command(world, options.host))
        if kind != "cgi":
            raise Unsound("given.kind = %s" % kind)
        return list(run_request(world, options.program))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program")
    parser.add_argument("--host")
    parser.add_argument("--only")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    complaints, passed = [], 0
    if options.program:
        options.program = os.path.abspath(options.program)

    def run(item):
        place, case = item
        try:
            return place, case, run_case(case, options)
        except Exception as error:  # whatever it is, the case has failed
            return place, case, ["%s: %s" % (type(error).__name__, error)]

    cases = [item for item in casefile.read(options.files, "cgi", [])
             if not options.only or item[1].get("id") == options.only]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for place, case, texts in pool.map(run, cases):
            if texts:
                complaints.append((case.get("id", "?"), place, texts))
            else:
                passed += 1
    return casefile.close(passed, complaints)


if __name__ == "__main__":
    sys.exit(main())
