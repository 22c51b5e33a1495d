#!/usr/bin/env python3
"""Concurrency, the queue, and what overflows it."""
import concurrent.futures

from tap import *

SLEEPER = {"command": ["sh", "-c", "sleep 0.5; printf '{\"statusCode\":200,"
                       "\"body\":\"\"}'"], "root": folder, "timeout": "20s"}


def burst(server, n):
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        got = list(pool.map(lambda _: get(server).status, range(n)))
    return sorted(got), time.monotonic() - begin


@check
def queue():
    with serve(one_function({**SLEEPER, "concurrency": 2})) as server:
        got, took = burst(server, 6)
        same(got, [200] * 6, "six events, two at a time")
        ok(took > 1.4, "the others wait their turn", took)


@check
def shed():
    config = one_function({**SLEEPER, "concurrency": 2,
                           "queue": {"length": 0}}, explain=True)
    with serve(config) as server:
        got, _ = burst(server, 6)
        same(got, [200] * 2 + [502] * 4, "a queue of length 0 sheds")
        server.wait_for("function/throttled")
        ok(True, "the log says throttled")
        same(get(server).status, 200, "afterwards there is room")


@check
def bounded():
    config = one_function({**SLEEPER, "concurrency": 1,
                           "queue": {"length": 2}})
    with serve(config) as server:
        got, _ = burst(server, 6)
        same(got, [200] * 3 + [502] * 3, "one runs, two wait, three overflow")


@check
def impatient():
    config = one_function({**SLEEPER, "concurrency": 1,
                           "queue": {"length": 100, "wait": "700ms"}})
    with serve(config) as server:
        got, took = burst(server, 5)
        ok(got.count(200) in (2, 3) and got.count(502) in (2, 3) and
           took < 4, "those that wait too long are throttled", (got, took))


@check
def client_that_left():
    config = one_function({**SLEEPER, "concurrency": 1})
    with serve(config) as server:
        socks = [rawhttp.connect(server.address) for _ in range(3)]
        for sock in socks:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.1)
        for sock in socks:
            sock.close()
        same(get(server).status, 200, "clients that leave the queue")


finish()
