#!/usr/bin/env python3
"""Cases of API Gateway and function URLs over sockets, through the program.

One server for each configuration, started as `albatross serve -c FILE`, HTTPS
on port 443 as far as the PROXY protocol tells; the function is probe.py.  The
form of the cases is that of docs/contracts/apigw.md 12.  Prints the ids that
fail with what was expected and what came, then "N passed, N failed".
"""
import argparse
import base64
import concurrent.futures
import json
import os
import ssl
import sys
import tempfile
import threading
import time

import casefile
import rawhttp
from alb_cases import Probe
from casefile import Unsound, differs
from server import Server, write_config

API_ID = "abcde12345"
URL_ID = "2cxn22odiwguak4feg4jtt7cwm0ziblr"
API_HOST = API_ID + ".execute-api.us-east-1.amazonaws.com"
URL_HOST = URL_ID + ".lambda-url.us-east-1.on.aws"
# area: dialect, route of cases without one, path of cases without request
KINDS = {
    "rest": ("rest", "ANY /{proxy+}", "/dev/x", API_HOST),
    "http1": ("http-1.0", "$default", "/x", API_HOST),
    "http2": ("http-2.0", "$default", "/x", API_HOST),
    "url": ("url", None, "/", URL_HOST)}
CASE_KEYS = {
    "id", "api", "rule", "route", "request", "peer", "expect_event",
    "expect_status", "expect_body", "expect_headers", "absent_headers",
    "response", "function_error", "invoke_mode", "stream_content_type",
    "expect", "config"}
EXPECT_KEYS = {"status", "headers", "absent", "exact_case", "ordered", "body",
               "body_base64"}
METHOD_KEYS = ("requestParameters", "validateRequestParameters",
               "validateRequestBody", "models", "mock")
ATTRIBUTE_KEYS = ("binaryMediaTypes", "minimumCompressionSize")
CONFIG_KEYS = {"stage", "stageVariables", "routes", "timeoutInMillis",
               "functionDelayMs", "functionThrottled", "cors",
               *METHOD_KEYS, *ATTRIBUTE_KEYS}
ANY_RESULT = b'{"statusCode":200,"body":"seen"}'
BUSY_MS = 700


def is_stream(case):
    return case.get("invoke_mode") == "RESPONSE_STREAM"


def check_sound(case):
    casefile.check_keys("the case", case, CASE_KEYS)
    casefile.check_keys("config", case.get("config", {}), CONFIG_KEYS)
    if case.get("invoke_mode", "BUFFERED") not in (
            "BUFFERED", "RESPONSE_STREAM"):
        raise Unsound("invoke_mode is BUFFERED or RESPONSE_STREAM")
    if is_stream(case) and case["api"] not in ("url", "rest"):
        raise Unsound("HTTP APIs do not stream")
    if sum(k in case for k in
           ("expect", "expect_event", "expect_status")) != 1:
        raise Unsound("a case has one of expect_event, expect_status, expect")
    if "expect" in case:
        casefile.check_keys("expect", case["expect"], EXPECT_KEYS)


def routes_of(case):
    config, preset = case.get("config", {}), KINDS[case["api"]][1]
    keys = list(config.get("routes", []))
    if case.get("route") is not None:
        keys.append(case["route"])
    more = {"requestModels" if k == "models" else k: config[k]
            for k in METHOD_KEYS if k in config}
    if "mock" not in more:
        more["function"] = "probe"
    return {key: more for key in keys or [preset]}


def front_of(case):
    """The front of |case|, but for its function's socket."""
    config, (dialect, _, _, _) = case.get("config", {}), KINDS[case["api"]]
    url = case["api"] == "url"
    front = {"dialect": dialect, "api_id": URL_ID if url else API_ID,
             "region": "us-east-1", "account": "123456789012"}
    attributes = {k: config[k] for k in ATTRIBUTE_KEYS if k in config}
    if "cors" in config:
        attributes["Cors" if url else "cors"] = {
            k[0].upper() + k[1:]: v for k, v in config["cors"].items()}
    if is_stream(case):
        attributes["InvokeMode" if url else "responseTransferMode"] = \
            "RESPONSE_STREAM"
    front["attributes"] = attributes
    if url:
        front["function"] = "probe"
    else:
        front["routes"] = routes_of(case)
        front["stage"] = config.get(
            "stage", "dev" if case["api"] == "rest" else "$default")
        front["stage_variables"] = config.get("stageVariables", {})
        if "timeoutInMillis" in config:
            front["integration_timeout"] = "%dms" % config["timeoutInMillis"]
    return front


def config_of(front, probe):
    here = os.path.dirname(os.path.abspath(__file__))
    return {
        "listeners": [{"address": "127.0.0.1:0", "front": "cases",
                       "tls": True, "proxy_protocol": ["127.0.0.0/8"]}],
        "fronts": {"cases": front},
        "functions": {"probe": {
            "runtime": {"command": [
                sys.executable, os.path.join(here, "probe.py")]},
            "concurrency": 1, "timeout": "30s", "queue": {"length": 0},
            "environment": {"PROBE_SOCKET": probe.path}}}}


def request_of(case):
    if "request" in case:
        return case["request"].encode("latin-1")
    _, _, path, host = KINDS[case["api"]]
    return ("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path, host)).encode()


def ask(server, case, number, raw):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with rawhttp.connect(server.address) as plain:
        plain.sendall(rawhttp.proxy_line(
            1 + number % 2, case.get("peer", "203.0.113.10"), 50000, 443))
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            sock.sendall(raw)
            return rawhttp.read_response(
                rawhttp.Reader(sock, 60), raw.split(b" ", 1)[0].decode())


# ---- what came out ----

def unlike(expected, got, path=""):
    """Where |got| differs: objects are subsets, $absent is nothing."""
    if expected == {"$absent": True}:
        if got is not None:
            yield path, "(nothing)", got[0]
        return
    if got is None:
        yield path, expected, "(nothing)"
    elif isinstance(expected, dict) and isinstance(got[0], dict):
        for key, value in expected.items():
            inner = (got[0][key],) if key in got[0] else None
            yield from unlike(value, inner, "%s/%s" % (path, key))
    elif not casefile.same(expected, got[0]):
        yield path, expected, got[0]


def check_event(case, events, got):
    if len(events) != 1:
        yield "the function was called %d times; the client got %d %r" % (
            len(events), got.status, got.body)
        return
    try:
        event = casefile.strict_json(events[0])
    except ValueError as error:
        yield differs("the event is no JSON: %s" % error, "", events[0])
        return
    for path, want, there in unlike(case["expect_event"], (event,)):
        yield differs(path, want, there)


def pairs_of(got, exact):
    fold = (lambda name: name) if exact else str.lower
    return [(fold(n), v.encode("latin-1").decode("utf-8", "replace"))
            for n, v in got.headers], fold


def check_headers(wanted, absent, got, exact=False, ordered=False):
    there, fold = pairs_of(got, exact)
    wanted = [(fold(n), v) for n, v in wanted]
    for pair in set(map(tuple, wanted)):
        if there.count(pair) < wanted.count(pair):
            yield differs("header %s" % pair[0],
                          [v for n, v in wanted if n == pair[0]], there)
    for name in {n for n, _ in wanted} if ordered else ():
        values = [v for n, v in wanted if n == name]
        if [v for n, v in there if n == name] != values:
            yield differs("order of %s" % name, values, there)
    for name in absent:
        if got.all(name):
            yield differs("header %s" % name, "(nothing)", got.all(name))


def check_response(expect, got):
    if got.status != expect["status"]:
        yield differs("status", expect["status"], got.status)
    yield from check_headers(
        expect.get("headers", []), expect.get("absent", []), got,
        expect.get("exact_case", False), expect.get("ordered", False))
    if "body" in expect and got.body != expect["body"].encode("utf-8"):
        yield differs("body", expect["body"], got.body)
    if "body_base64" in expect and got.body != base64.b64decode(
            expect["body_base64"]):
        yield differs("body_base64", expect["body_base64"],
                      base64.b64encode(got.body).decode())


def check_gateway(case, events, got):
    if got.status != case["expect_status"]:
        yield differs("status", case["expect_status"], got.status)
    if "expect_body" in case and got.body != case["expect_body"].encode():
        yield differs("body", case["expect_body"], got.body)
    yield from check_headers(case.get("expect_headers", []),
                             case.get("absent_headers", []), got)
    if events and "functionDelayMs" not in case.get("config", {}):
        yield differs("the function was called", "(nothing)", events[0])


# ---- running ----

def order_of(case):
    config = case.get("config", {})
    result = case["response"].encode("utf-8") if "response" in case \
        else ANY_RESULT
    order = (b"E" if case.get("function_error") else b"R") + result
    if is_stream(case) and not case.get("function_error"):
        order = b"T%s\n" % case.get("stream_content_type", "").encode() + \
            case.get("response", "").encode("latin-1")
    if "functionDelayMs" in config:
        order = b"S%d " % config["functionDelayMs"] + order
    return order


def wait_for_event(probe):
    end = time.monotonic() + 20
    while not probe.events and time.monotonic() < end:
        time.sleep(0.01)


def wake(server, case, probe):
    """The function's process runs and is idle when this returns."""
    probe.order = b"R" + ANY_RESULT
    ask(server, case, 0, request_of(case))  # may take too long for the API
    wait_for_event(probe)
    time.sleep(0.1)
    probe.events.clear()


def keep_busy(server, case, probe):
    """The only process of the function is busy when this returns."""
    probe.order = b"S%d R" % BUSY_MS + ANY_RESULT
    thread = threading.Thread(
        target=ask, args=(server, case, 0, request_of(case)), daemon=True)
    thread.start()
    wait_for_event(probe)
    probe.events.clear()
    return thread


def run_case(case, number, server, probe):
    """What is wrong with |case|, as texts."""
    config = case.get("config", {})
    busy = None
    probe.events.clear()
    if config.get("functionThrottled"):
        busy = keep_busy(server, case, probe)
    elif "functionDelayMs" in config:
        wake(server, case, probe)
    probe.order = order_of(case)
    got = ask(server, case, number, request_of(case))
    if busy:
        busy.join(20)
    if "functionDelayMs" in config:
        time.sleep(config["functionDelayMs"] / 1000)
    if "expect" in case:
        return list(check_response(case["expect"], got))
    if "expect_event" in case:
        return list(check_event(case, probe.events, got))
    return list(check_gateway(case, probe.events, got))


def run_group(program, state, front, cases):
    """All cases of one front: (place, case, texts) triples."""
    with tempfile.TemporaryDirectory(prefix="albatross-live-") as folder:
        probe = Probe(folder)
        config = write_config(folder, config_of(front, probe))
        try:
            server = Server("-c", config, program=program,
                            env={**os.environ, "XDG_STATE_HOME": state})
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


def run_all(program, groups):
    with tempfile.TemporaryDirectory(prefix="albatross-state-") as state:
        items = [(json.loads(key), cases) for key, cases in groups.items()]
        # the first one makes the certificate
        for front, cases in items[:1]:
            yield from run_group(program, state, front, cases)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for results in pool.map(
                    lambda item: run_group(program, state, *item), items[1:]):
                yield from results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=None)
    parser.add_argument("--areas", default="")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    program = os.path.abspath(options.program) if options.program else None
    complaints, groups, passed = [], {}, 0
    for place, case in casefile.read(options.files, options.areas, []):
        area = casefile.area_of(case)
        if area not in KINDS:
            continue  # other runners have them
        try:
            check_sound(case)
            key = json.dumps(front_of(case), sort_keys=True)
            groups.setdefault(key, []).append((place, case))
        except Unsound as error:
            complaints.append((case.get("id", "?"), place, [str(error)]))
    for place, case, texts in run_all(program, groups):
        if texts:
            complaints.append((case.get("id", "?"), place, texts))
        else:
            passed += 1
    return casefile.close(passed, complaints)


if __name__ == "__main__":
    sys.exit(main())
