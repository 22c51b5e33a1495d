#!/usr/bin/env python3
"""SIGTERM drains, the second one forces, SIGHUP loses no request."""
import concurrent.futures
import json
import signal
import threading

from tap import *

SLOW = {"command": ["sh", "-c", "sleep 1; printf '{\"statusCode\":200,"
                    "\"body\":\"slow\"}'"], "root": folder, "timeout": "30s"}


@check
def drain():
    with serve(one_function(SLOW)) as server:
        idle = rawhttp.connect(server.address)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            running = [pool.submit(rawhttp.exchange, server.address,
                                   b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                       for _ in range(4)]
            time.sleep(0.4)
            server.signal(signal.SIGTERM)
            time.sleep(0.2)
            try:
                rawhttp.connect(server.address, 2).close()
                ok(False, "no new connection while it drains")
            except OSError:
                ok(True, "no new connection while it drains")
            got = [r.result() for r in running]
        same([g.body for g in got], [b"slow"] * 4, "running requests finish")
        same([g.first("Connection") for g in got], ["close"] * 4,
             "their answers carry Connection: close")
        same(idle.recv(1), b"", "an idle connection is closed")
        same(server.process.wait(10), 0, "exit status 0")


@check
def second_signal_forces():
    config = one_function({**SLOW, "command": ["sleep", "60"]})
    with serve(config) as server:
        sock = rawhttp.connect(server.address)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.4)
        below = descendants(server.process.pid)
        server.signal(signal.SIGTERM)
        time.sleep(0.3)
        ok(server.process.poll() is None, "the first one waits")
        server.signal(signal.SIGTERM)
        begin = time.monotonic()
        server.process.wait(10)
        ok(time.monotonic() - begin < 2, "the second one does not")
        ok(eventually(lambda: not any(map(is_alive, below)), 3),
           "and nothing is left", below)


@check
def interrupt():
    with serve(mock()) as server:
        server.signal(signal.SIGINT)
        same(server.process.wait(10), 0, "SIGINT ends it too")


@check
def reload():
    config = one_function({"mock": '{"statusCode":200,"body":"old"}'})
    config["functions"]["slow"] = SLOW
    config["fronts"]["web"] = {"dialect": "alb", "rules": [
        {"path": ["/slow"], "function": "slow"}, {"function": "hello"}]}
    path = write_config(folder, config)
    with Server("-c", path) as server:
        slow = []
        thread = threading.Thread(target=lambda: slow.append(
            get(server, "/slow")))
        thread.start()
        time.sleep(0.3)
        errors, seen, stop = [], set(), threading.Event()

        def load():
            sock = rawhttp.connect(server.address)
            reader = rawhttp.Reader(sock, 10)
            while not stop.is_set():
                try:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    got = rawhttp.read_response(reader)
                    seen.add(got.body)
                    if got.status != 200:
                        errors.append(got.status)
                    if got.first("Connection") == "close":
                        sock = rawhttp.connect(server.address)
                        reader = rawhttp.Reader(sock, 10)
                    get(server)  # and new connections all the time
                except Exception as error:
                    errors.append(repr(error))
                    return
        workers = [threading.Thread(target=load) for _ in range(3)]
        for worker in workers:
            worker.start()
        time.sleep(0.2)
        config["functions"]["hello"] = {
            "mock": '{"statusCode":200,"body":"new"}'}
        write_config(folder, config)
        server.signal(signal.SIGHUP)
        ok(eventually(lambda: get(server).body == b"new"),
           "SIGHUP: the new configuration is served")
        with open(path, "w") as out:
            out.write('{"broken": ')
        server.signal(signal.SIGHUP)
        server.wait_for("albatross.json:1:")
        ok(True, "an error in it is told")
        same(get(server).body, b"new", "and the old one stays")
        for _ in range(10):
            config["functions"]["hello"]["timeout"] = "%ds" % (3 + _)
            write_config(folder, config)
            server.signal(signal.SIGHUP)
            time.sleep(0.05)
        thread.join()
        stop.set()
        for worker in workers:
            worker.join()
        same([g.body for g in slow], [b"slow"],
             "a request that ran meanwhile is answered")
        same(errors, [], "no request failed, no connection was refused")
        same(seen, {b"old", b"new"}, "old, then new answers")


finish()
