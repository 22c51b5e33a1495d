#!/usr/bin/env python3
"""Cases of the Runtime API (lambda.md 12, area runtime-api).

The runner is both ends of a function: as invoker it drives tests/host (the
function floor as a library), as runtime it speaks raw HTTP to the address that
the started process was given.  Ids are injected, so they stand as written;
deadlines are compared with the real clock.  Cases with a front in front of the
function go through the released program.
"""
import argparse
import base64
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import casefile
import rawhttp
from casefile import Unsound, differs
from server import PROGRAM, ROOT, Server, write_config

API = "/2018-06-01/runtime/"
TOP_KEYS = {"id", "area", "given", "when", "expect", "rule"}
GIVEN_KEYS = {
    "function", "region", "account", "arn", "client", "qualifier", "aliases",
    "version", "request_id", "handler", "front", "state", "current",
    "answered", "posted", "event", "invoke_content_type",
    "client_context_b64", "trace", "cognito", "tenant", "invoked_by",
    "waiting_invocation", "now_ms", "timeout_s", "phase", "files", "user_env",
    "duration_ms", "init_ms", "billed_includes_init", "memory_mb",
    "max_used_mb", "cold", "timed_out", "registered", "telemetry"}
WHEN_KEYS = {
    "request", "request_raw", "headers", "body", "body_bytes", "invoke",
    "qualifier", "times", "type", "load_configuration", "wait_s", "send",
    "raw_body", "chunks", "trailers", "start", "log"}
EXPECT_KEYS = {
    "status", "headers", "headers_absent", "body", "body_json",
    "body_json_subset", "body_json_has", "payload", "payload_json",
    "function_error", "process_started", "error", "error_contains",
    "error_prefix", "env", "env_absent", "pending", "delay_ms_max",
    "interim", "connection", "state_after", "next_poll", "invoker",
    "http_client", "events", "telemetry_error_type", "next_invoke", "line"}
INVOKER_KEYS = {"status", "headers", "payload", "payload_json",
                "function_error", "streamed"}
CLIENT_KEYS = {"status", "headers", "body"}
NOT_BUILT = {"registered": "the Extensions API", "telemetry": "telemetry"}
STATES = {"Started", "Running", "RuntimeResponseSentState", "InitError"}
# Writes the environment as the process got it, then lets the runner speak.
STAND_IN = ('cat /proc/$$/environ >"$0/new.$$" && mv "$0/new.$$" "$0/env.$$"'
            ' && exec sleep 600')
PLACEHOLDERS = {
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
              r"-[0-9a-f]{12}",
    "<port>": r"[0-9]{1,5}",
    "<iso-ms>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<absolute-path>": r"/[^\0]*",
}


def expand(value):
    """`<N x C>` in given and when."""
    if isinstance(value, str):
        return re.sub(r"<(\d+) x (.)>",
                      lambda m: m.group(2) * int(m.group(1)), value)
    if isinstance(value, dict):
        return {k: expand(v) for k, v in value.items()}
    if isinstance(value, list):
        return [expand(v) for v in value]
    return value


def fits(expected, got, request_id):
    """Equal, placeholders of |expected| filled by what they stand for."""
    if isinstance(expected, str) and isinstance(got, str):
        if expected == got:
            return True
        pieces = re.split(r"(<uuid>|<port>|<iso-ms>|<absolute-path>|"
                          r"<request-id>)", expected)
        pattern = "".join(
            re.escape(request_id or "") if p == "<request-id>"
            else PLACEHOLDERS.get(p, re.escape(p)) for p in pieces)
        return len(pieces) > 1 and re.fullmatch(pattern, got, re.S) is not None
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(
            fits(expected[k], got[k], request_id) for k in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(
            fits(e, g, request_id) for e, g in zip(expected, got))
    return casefile.same(expected, got)


def subset(expected, got, request_id):
    """Objects recurse on the members given, all else equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return all(k in got and subset(v, got[k], request_id)
                   for k, v in expected.items())
    return fits(expected, got, request_id)


def parsed(data):
    try:
        return json.loads(data)
    except ValueError:
        return "(no JSON) %r" % data[:200]


class Answer:
    """What an Invoke caller got, as the Invoke API would show it."""

    def __init__(self, line, request_id):
        self.payload = base64.b64decode(line.get("payload", ""))
        self.error_type = line.get("error_type", "")
        self.function_error = bool(line.get("function_error"))
        self.rule = line.get("rule")
        self.detail = line.get("detail")
        self.status = 200
        if self.rule == "function/throttled":
            self.status = 429
        elif self.rule and not self.function_error and not self.payload:
            self.status = 200 if self.rule != "function/gone" else 500
        if line.get("error"):
            self.status, self.payload = 500, line["error"].encode()
        self.headers = {"x-amzn-requestid": request_id,
                        "content-type": "application/json"}
        if self.function_error:
            self.headers["x-amz-function-error"] = "Unhandled"

    def __str__(self):
        return "%d %s error=%s rule=%s detail=%s" % (
            self.status, self.payload[:300], self.function_error, self.rule,
            self.detail)


class Host:
    """tests/host: functions without a front."""

    def __init__(self, program, config):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program, "-c", config], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log)
        self.answers, self.ids, self.count = {}, {}, 0
        self.news = threading.Condition()
        self.lock = threading.Lock()
        if self.process.stdout.readline() != b"ready\n":
            self.process.wait()
            raise RuntimeError("the host does not start: %s" % self.said())
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            line = json.loads(line)
            with self.news:
                self.answers[line["n"]] = Answer(
                    line, self.ids.get(line["n"], ""))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def said(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-3000:]

    def invoke(self, function, event, request_id=None, **more):
        """Begin an invocation; the number that wait() takes."""
        request_id = request_id or str(uuid.uuid4())
        with self.lock:
            self.count += 1
            n = self.count
            self.ids[n] = request_id
            line = {"n": n, "function": function, "event": event,
                    "request_id": request_id,
                    **{k: v for k, v in more.items() if v is not None}}
            self.process.stdin.write(json.dumps(line).encode() + b"\n")
            self.process.stdin.flush()
        return n

    def wait(self, n, seconds=20):
        with self.news:
            if not self.news.wait_for(
                    lambda: n in self.answers or
                    self.process.poll() is not None, seconds):
                raise EOFError("the invoker got no answer in %d s" % seconds)
            if n not in self.answers:
                raise EOFError("the host died: %s" % self.said())
            return self.answers[n]

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.log.close()


class World:
    """One case's function, its invoker and its runtime."""

    def __init__(self, case, options, folder):
        self.case, self.options, self.folder = case, options, folder
        self.given = expand(case["given"])
        self.when = expand(case["when"])
        self.expect = case["expect"]
        self.name = self.given.get("function", "orders")
        if "arn" in self.given and "function" not in self.given:
            self.name = self.given["arn"].split(":")[6]
        self.request_id = None   # that the runtime has
        self.waiting = None      # the invocation that `expect.invoker` is of
        self.sent_at = None
        self.seen = set()
        self.host = None

    def config(self):
        given = self.given
        if "handler" in given or ("invoke" in self.when and
                                  "files" not in given):
            runtime = {"command": self.actor()}
        elif "files" in given:
            runtime = {}  # whatever bootstrap there is
        else:
            runtime = {"command": ["/bin/sh", "-c", STAND_IN, self.folder]}
        root = os.path.join(self.folder, "task")
        os.makedirs(root, exist_ok=True)
        for name in given.get("files", []):
            self.make_file(root, name)
        function = {
            "runtime": runtime, "root": root, "concurrency": 1,
            "timeout": "%gs" % given.get("timeout_s", self.patience()),
            "memory": given.get("memory_mb", 128),
            "region": given.get("region", "eu-central-1"),
            "account": given.get("account", "123456789012")}
        if "version" in given:
            function["version"] = given["version"]
        if "user_env" in given:
            function["environment"] = given["user_env"]
        return {
            "listeners": [{"address": "127.0.0.1:0", "front": "front"}],
            "fronts": {"front": {"dialect": "alb", "function": self.name}},
            "functions": {self.name: function}}

    def actor(self):
        """The command of a process that acts as given.handler says."""
        return [sys.executable, os.path.join(
            os.path.dirname(os.path.abspath(__file__)), "actor.py"),
            self.folder, json.dumps(self.given.get("handler", {}))]

    def make_file(self, root, name):
        """One of given.files; a bootstrap is a program that answers."""
        if not name.startswith("/var/task/"):
            raise Unsound("a file outside of /var/task: %s" % name)
        path = os.path.join(root, name[len("/var/task/"):])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            if name == "/var/task/bootstrap":
                out.write("#!/bin/sh\nexec %s\n" % shlex.join(self.actor()))
                os.chmod(path, 0o755)

    def patience(self):
        """A timeout where the case says none: the default of 3 s, but longer
        where only the runner's own watching takes that long."""
        if "handler" in self.given or "invoke" in self.when or \
                "now_ms" in self.given:
            return 3
        return 30 + self.when.get("wait_s", 0)

    def write_config(self):
        return write_config(self.folder, self.config())

    def __enter__(self):
        self.host = Host(self.options.host, self.write_config())
        return self

    def __exit__(self, *error):
        if error[0] is None:
            self.host.close()
        else:
            try:
                self.host.close()
            except (OSError, subprocess.TimeoutExpired):
                pass

    def invoke(self, event=None, request_id=None, qualifier=None):
        given = self.given
        context = given.get("client_context_b64")
        if event is None:
            event = given.get("event")
        return self.host.invoke(
            self.name, "{}" if event is None else event, request_id,
            trace_id=given.get("trace"),
            content_type=given.get("invoke_content_type"),
            client_context=base64.b64decode(context).decode()
            if context else None,
            cognito_identity=given.get("cognito"),
            tenant_id=given.get("tenant"),
            qualifier=qualifier or given.get("qualifier"))

    def environment(self, seconds=20):
        """The variables of a process that started since the last call."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in sorted(os.listdir(self.folder)):
                if name.startswith("env.") and name not in self.seen:
                    self.seen.add(name)
                    with open(os.path.join(self.folder, name), "rb") as f:
                        pairs = f.read().decode().split("\0")
                    return dict(p.partition("=")[::2] for p in pairs if p)
            time.sleep(0.005)
        raise EOFError("no process was started: %s" % self.host.said())

    def connect(self):
        host, _, port = self.env["AWS_LAMBDA_RUNTIME_API"].partition(":")
        return Wire((host, int(port)))

    def reach_state(self):
        """By real calls to the state that the case gives."""
        given = self.given
        state = given.get("state", "Started")
        if state not in STATES:
            raise Unsound('state "%s" is not one that is given' % state)
        history = list(given.get("answered", []))
        idle = "event" in given and given["event"] is None and \
            state == "Started" and not given.get("waiting_invocation")
        if idle:
            history.append(str(uuid.uuid4()))
        first = history[0] if history else given.get("current")
        begun = self.invoke("{}" if history else None, first)
        self.env = self.environment()
        self.wire = self.connect()
        for n, old in enumerate(history):
            if n > 0:
                begun = self.invoke("{}", old)
            self.take_event(old)
            self.post("response", old, b"{}")
            self.host.wait(begun)
        if idle:
            return
        if history:
            begun = self.invoke(None, given.get("current"))
        self.waiting = begun
        self.sent_at = time.time()
        if state in ("Running", "RuntimeResponseSentState"):
            self.take_event(given.get("current"))
        if state == "RuntimeResponseSentState":
            self.post("response", self.request_id,
                      given.get("posted", "{}").encode())
        if state == "InitError":
            got = self.wire.ask("POST", API + "init/error", b"{}")
            if got.status != 202:
                raise Unsound("init/error was answered %d" % got.status)

    def take_event(self, request_id):
        got = self.wire.ask("GET", API + "invocation/next")
        self.request_id = got.first("Lambda-Runtime-Aws-Request-Id")
        if got.status != 200 or (request_id and
                                 self.request_id != request_id):
            raise Unsound("no event %s: %d %r" % (
                request_id, got.status, got.headers))

    def post(self, what, request_id, body):
        got = self.wire.ask(
            "POST", API + "invocation/%s/%s" % (request_id, what), body)
        if got.status != 202:
            raise Unsound("%s was answered %d" % (what, got.status))


class Wire:
    """A persistent connection to a Runtime API."""

    def __init__(self, address):
        self.address = address
        self.sock = rawhttp.connect(address, 30)
        self.reader = rawhttp.Reader(self.sock, 30)

    def head(self, method, target, headers, body):
        lines = ["%s %s HTTP/1.1" % (method, target)]
        names = {name.lower() for name in headers}
        if "host" not in names:
            lines.append("Host: %s:%d" % self.address)
        lines += ["%s: %s" % item for item in headers.items()]
        if "content-length" not in names and \
                "transfer-encoding" not in names and body is not None:
            lines.append("Content-Length: %d" % len(body))
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early: the answer may be there all the same

    def read(self, method="GET"):
        return rawhttp.read_response(self.reader, method)

    def ask(self, method, target, body=None, headers=None):
        self.send(self.head(method, target, headers or {}, body) +
                  (body or b""))
        return self.read(method)

    def is_closed(self, seconds=1.0):
        """Did the server end the connection (soon)?"""
        self.sock.settimeout(seconds)
        try:
            return not self.reader.more()
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(30)


def request_parts(when):
    """(method, head and body as pieces to send apart)"""
    if "request_raw" in when:
        return when["request_raw"].split(" ")[0], None
    method, _, _ = when["request"].partition(" ")
    return method, when["request"].split(" ", 1)[1]


def body_of(when, method):
    if "body_bytes" in when:
        return b'"' + b"a" * (when["body_bytes"] - 2) + b'"'
    if "raw_body" in when:
        return when["raw_body"].encode()
    if "body" in when:
        return when["body"].encode()
    return None if method in ("GET", "HEAD") else b""


def send_chunks(wire, when, method, target, headers):
    names = {name.lower() for name in headers}
    if "transfer-encoding" not in names:
        headers = {**headers, "Transfer-Encoding": "chunked"}
    wire.send(wire.head(method, target, headers, None))
    for chunk in when.get("chunks", []):
        data = chunk.encode("latin-1")
        time.sleep(0.02)  # sent apart
        if data:
            wire.send(b"%x\r\n%s\r\n" % (len(data), data))
    last = b"0\r\n" + b"".join(
        ("%s: %s\r\n" % item).encode()
        for item in when.get("trailers", {}).items()) + b"\r\n"
    wire.send(last)


def send_request(world):
    """The stimulus; the method that was sent."""
    wire, when = world.wire, world.when
    method, target = request_parts(when)
    if target is None:
        wire.send(when["request_raw"].encode())
        return method
    headers = when.get("headers", {})
    if "chunks" in when or "trailers" in when:
        send_chunks(wire, when, method, target, headers)
        return method
    body = body_of(when, method)
    head = wire.head(method, target, headers, body)
    if when.get("send") == "head-first":
        wire.send(head)
        wanted = len(world.expect.get("interim", "").encode())
        world.interim = wire.reader.take(wanted) if wanted else b""
        wire.send(body or b"")
    elif "send" in when:
        raise Unsound("when.send = %s" % when["send"])
    else:
        wire.send(head + (body or b""))
    return method


def check_headers(expect, headers, world, times):
    """|headers|: name in lower case -> list of values."""
    for name, value in expect.items():
        got = headers.get(name.lower(), [])
        if name.lower() == "lambda-runtime-deadline-ms" and \
                "now_ms" in world.given and value.isdigit():
            offset = int(value) - world.given["now_ms"]
            low, high = (int(t * 1000) + offset for t in times)
            if not any(v.isdigit() and low - 20 <= int(v) <= high + 20
                       for v in got):
                yield differs(name, "%d to %d" % (low, high), got)
        elif not any(fits(value, v, world.request_id) for v in got):
            yield differs("header " + name, value, got)


def by_name(pairs):
    table = {}
    for name, value in pairs:
        table.setdefault(name.lower(), []).append(value)
    return table


def check_answer(world, got, times):
    expect, request_id = world.expect, world.request_id
    body = got.body.decode("utf-8", "replace")
    if "status" in expect and got.status != expect["status"]:
        yield differs("status", expect["status"],
                      "%d %s" % (got.status, body))
    headers = by_name(got.headers)
    yield from check_headers(expect.get("headers", {}), headers, world, times)
    for name in expect.get("headers_absent", []):
        if name.lower() in headers:
            yield differs("header " + name, "(nothing)",
                          headers[name.lower()])
    if "body" in expect and not fits(expect["body"], body, request_id):
        yield differs("body", expect["body"], body)
    yield from check_json(expect, got.body, request_id)


def check_json(expect, data, request_id):
    value = parsed(data)
    if "body_json" in expect and not fits(
            expect["body_json"], value, request_id):
        yield differs("body_json", expect["body_json"], value)
    if "body_json_subset" in expect and not subset(
            expect["body_json_subset"], value, request_id):
        yield differs("body_json_subset", expect["body_json_subset"], value)
    for member in expect.get("body_json_has", []):
        if not isinstance(value, dict) or member not in value:
            yield differs("body_json_has", member, value)


def check_invoker(expect, answer, world):
    casefile.check_keys("expect.invoker", expect, INVOKER_KEYS)
    payload = answer.payload.decode("utf-8", "replace")
    if "status" in expect and answer.status != expect["status"]:
        yield differs("invoker status", expect["status"], str(answer))
    for name, value in expect.get("headers", {}).items():
        got = answer.headers.get(name.lower())
        if got is None or not fits(value, got, world.request_id):
            yield differs("invoker header " + name, value, str(answer))
    if "payload" in expect and not fits(
            expect["payload"], payload, world.request_id):
        yield differs("invoker payload", expect["payload"], payload)
    if "payload_json" in expect and not fits(
            expect["payload_json"], parsed(payload), world.request_id):
        yield differs("invoker payload_json", expect["payload_json"], payload)
    if "function_error" in expect and \
            answer.function_error != expect["function_error"]:
        yield differs("invoker function_error", expect["function_error"],
                      str(answer))
    # Everything is buffered: nothing is sent before the body has ended.
    if expect.get("streamed"):
        yield "invoker streamed: results are not streamed yet"


def check_state_after(world):
    """init/error names the state it is refused in; it changes none."""
    expected = world.expect["state_after"]
    got = world.connect().ask("POST", API + "init/error", b"{}")
    match = re.search(r"transition from (\w+) to", got.body.decode())
    state = match.group(1) if match else (
        "Started" if got.status == 202 else "?")
    if state != expected:
        yield differs("state_after", expected, "%s (%d %s)" % (
            state, got.status, got.body.decode()))


def check_pending(world, wait_s):
    begin = time.monotonic()
    world.wire.sock.settimeout(max(0.1, wait_s))
    try:
        if world.wire.reader.data or world.wire.reader.more():
            yield differs("pending", "nothing for %g s" % wait_s,
                          bytes(world.wire.reader.data[:300]))
        else:
            yield "pending: closed after %.1f s" % (time.monotonic() - begin)
    except TimeoutError:
        pass
    world.wire.sock.settimeout(30)


def check_connection(world, got):
    expected = world.expect["connection"]
    closed = got.closed or world.wire.is_closed(
        2 if expected == "closed" else 0.3)
    if expected not in ("closed", "kept"):
        raise Unsound("expect.connection = %s" % expected)
    if closed != (expected == "closed"):
        yield differs("connection", expected, "closed" if closed else "kept")
    elif not closed and world.wire.ask(
            "GET", "/2018-06-01/ping").body != b"pong":
        yield "connection: kept, but it does not answer a ping"


def run_request(world):
    """A stimulus on the Runtime API itself."""
    expect, when = world.expect, world.when
    world.reach_state()
    world.interim = None
    before = time.monotonic()
    method = send_request(world)
    if expect.get("pending"):
        limit = world.options.wait_max
        wait_s = when.get("wait_s", 1)
        yield from check_pending(
            world, min(wait_s, limit) if limit else wait_s)
        return
    got = world.wire.read(method)
    took = (time.monotonic() - before) * 1000
    times = (world.sent_at or time.time(), time.time())
    if method == "GET" and got.first("Lambda-Runtime-Aws-Request-Id"):
        world.request_id = got.first("Lambda-Runtime-Aws-Request-Id")
    yield from check_answer(world, got, times)
    if took > expect.get("delay_ms_max", 1e9):
        yield differs("delay_ms_max", expect["delay_ms_max"], took)
    if "interim" in expect:
        interim = (world.interim or b"") + got.interim
        if interim != expect["interim"].encode():
            yield differs("interim", expect["interim"], interim)
    if "connection" in expect:
        yield from check_connection(world, got)
    if "invoker" in expect:
        yield from check_invoker(
            expect["invoker"], world.host.wait(world.waiting), world)
    if "function_error" in expect:
        answer = world.host.wait(world.waiting)
        if answer.function_error != expect["function_error"]:
            yield differs("function_error", expect["function_error"],
                          str(answer))
    if "telemetry_error_type" in expect:
        answer = world.host.wait(world.waiting)
        if answer.error_type != expect["telemetry_error_type"]:
            yield differs("telemetry_error_type",
                          expect["telemetry_error_type"], answer.error_type)
    if "state_after" in expect:
        yield from check_state_after(world)
    if "next_poll" in expect:
        world.invoke("{}")
        ended = got.closed or got.first("Connection") == "close"
        wire = world.connect() if ended else world.wire
        poll = wire.ask("GET", API + "invocation/next")
        if poll.status != expect["next_poll"]:
            yield differs("next_poll", expect["next_poll"], "%d %s" % (
                poll.status, poll.body))


def run_invoke(world):
    """The function is invoked; a handler of the case answers."""
    expect, when = world.expect, world.when
    if when.get("type", "RequestResponse") != "RequestResponse":
        raise Unsound("invocation type %s is not built" % when["type"])
    for _ in range(when.get("times", 1)):
        n = world.invoke(when["invoke"], world.given.get("request_id"),
                         when.get("qualifier"))
        answer = world.host.wait(
            n, 20 + world.given.get("timeout_s", 3))
        world.request_id = world.host.ids[n]
        yield from check_invoker(
            {k: v for k, v in expect.items() if k in INVOKER_KEYS},
            answer, world)
    if "invoker" in expect:
        yield from check_invoker(expect["invoker"], answer, world)
    yield from check_json(expect, answer.payload, world.request_id)
    if "telemetry_error_type" in expect and \
            answer.error_type != expect["telemetry_error_type"]:
        yield differs("telemetry_error_type", expect["telemetry_error_type"],
                      answer.error_type)
    events = os.path.join(world.folder, "events")
    if "process_started" in expect and \
            os.path.exists(events) != expect["process_started"]:
        yield differs("process_started", expect["process_started"],
                      os.path.exists(events))
    if "next_invoke" in expect:
        yield from check_next_invoke(world, expect["next_invoke"], events)


def check_next_invoke(world, expect, events):
    casefile.check_keys("expect.next_invoke", expect,
                        {"new_process", "tmp_kept"})
    with open(os.path.join(world.folder, "marker"), "w"):
        pass
    before = open(events).read().split("\n")[-2].split()
    world.host.wait(world.invoke(world.when["invoke"]),
                    20 + world.given.get("timeout_s", 3))
    after = open(events).read().split("\n")[-2].split()
    if "new_process" in expect and \
            (before[0] != after[0]) != expect["new_process"]:
        yield differs("new_process", expect["new_process"], [before, after])
    if "tmp_kept" in expect and (after[1] == "1") != expect["tmp_kept"]:
        yield differs("tmp_kept", expect["tmp_kept"], after)


def run_start(world):
    """An environment is started; its variables are what is looked at."""
    expect = world.expect
    world.invoke()
    env = world.environment()
    for name, value in expect.get("env", {}).items():
        if not fits(value, env.get(name, "(not set)"), None):
            yield differs("env " + name, value, env.get(name, "(not set)"))
    for name in expect.get("env_absent", []):
        if name in env:
            yield differs("env " + name, "(not set)", env[name])


def run_load(world):
    """Only a configuration is read."""
    expect = world.expect
    done = subprocess.run(
        [world.options.program, "serve", "-c", world.write_config(),
         "--check"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    text = done.stderr.decode("utf-8", "replace")
    if "error" in expect and (done.returncode != 0) != expect["error"]:
        yield differs("error", expect["error"], text)
    for piece in expect.get("error_contains", []):
        if piece not in text:
            yield differs("error_contains", piece, text)
    if "error_prefix" in expect and expect["error_prefix"] not in text:
        yield differs("error_prefix", expect["error_prefix"], text)


def run_front(world):
    """An HTTP client of a front, the runner as the runtime."""
    front = world.given["front"]
    expect = world.expect["http_client"]
    casefile.check_keys("expect.http_client", expect, CLIENT_KEYS)
    if front != "alb":
        raise Unsound("the front %s is not built" % front)
    result = []
    with Server("-c", world.write_config(),
                program=world.options.program) as server:
        client = threading.Thread(target=lambda: result.append(
            rawhttp.exchange(server.address,
                             b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")))
        client.start()
        world.env = world.environment()
        world.wire = world.connect()
        if world.given.get("state", "Running") == "Running":
            world.take_event(None)
            current = world.given.get("current")
            if current:
                world.when = json.loads(json.dumps(world.when).replace(
                    current, world.request_id))
        method = send_request(world)
        yield from check_answer(
            world, world.wire.read(method), (time.time(), time.time()))
        client.join(20)
    got = result[0] if result else rawhttp.Response()
    if "status" in expect and got.status != expect["status"]:
        yield differs("http_client status", expect["status"], got.status)
    headers = by_name(got.headers)
    for name, value in expect.get("headers", {}).items():
        if value not in headers.get(name.lower(), []):
            yield differs("http_client header " + name, value, got.headers)
    if "body" in expect and got.body != expect["body"].encode():
        yield differs("http_client body", expect["body"], got.body)


def run_report(world):
    """A log line that needs no process: tests/cases formats it."""
    path = os.path.join(world.folder, "case.jsonl")
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps(world.case) + "\n")
    done = subprocess.run([world.options.report, path], capture_output=True,
                          timeout=60)
    if done.returncode != 0:
        yield done.stdout.decode("utf-8", "replace")


def check_sound(case):
    casefile.check_keys("the case", case, TOP_KEYS)
    casefile.check_keys("given", case["given"], GIVEN_KEYS)
    casefile.check_keys("when", case["when"], WHEN_KEYS)
    casefile.check_keys("expect", case["expect"], EXPECT_KEYS)
    for key, what in NOT_BUILT.items():
        if case["given"].get(key):
            raise Unsound("%s is not built" % what)
    if "events" in case["expect"] or case["given"].get(
            "invoked_by", "Invoke") != "Invoke":
        raise Unsound("InvokeWithResponseStream is not built")
    if case["given"].get("aliases"):
        raise Unsound("aliases are not built")


def run_case(case, options):
    """What is wrong with |case|, as texts."""
    check_sound(case)
    with tempfile.TemporaryDirectory(prefix="albatross-rt-") as folder:
        world = World(case, options, folder)
        when = world.when
        if "log" in when:
            return list(run_report(world))
        if when.get("load_configuration"):
            return list(run_load(world))
        if "front" in world.given:
            return list(run_front(world))
        with world:
            if when.get("start"):
                texts = list(run_start(world))
            elif "invoke" in when:
                texts = list(run_invoke(world))
            elif "request" in when or "request_raw" in when:
                texts = list(run_request(world))
            else:
                raise Unsound("when says nothing")
            if texts:
                texts.append("log: " + world.host.said().strip()[-1500:]
                             .replace("\n", "\n       "))
        return texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="build/tests/host")
    parser.add_argument("--report", default="build/tests/cases")
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--only", default="")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    # Longest watch in s; 0: as long as the case says.
    options.wait_max = float(os.environ.get("ABT_WAIT_MAX") or 0)
    complaints, passed = [], 0

    def run(item):
        place, case = item
        try:
            return place, case, run_case(case, options)
        except Unsound as error:
            return place, case, [str(error)]
        except (OSError, EOFError, ValueError, KeyError, RuntimeError,
                subprocess.SubprocessError) as error:
            return place, case, ["%s: %s" % (type(error).__name__, error)]

    cases = [item for item in casefile.read(
        options.files, "runtime-api", [])
        if not options.only or item[1].get("id") == options.only]
    # Waiting costs nothing: the watchers run beside the others.
    cases.sort(key=lambda item: -item[1].get("when", {}).get("wait_s", 0))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for place, case, texts in pool.map(run, cases):
            if texts:
                complaints.append((case.get("id", "?"), place, texts))
            else:
                passed += 1
    return casefile.close(passed, complaints)


if __name__ == "__main__":
    sys.exit(main())
