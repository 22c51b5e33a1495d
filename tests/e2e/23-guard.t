#!/usr/bin/env python3
"""The guard is killed under load: every loop gets another one and goes on."""
import resource
import signal
import threading

from tap import *

write("app/app.py", '''
import os
def handler(event, context):
    return {"statusCode": 200, "body": str(os.getpid())}
''')
FUNCTION = {"runtime": {"handler": "app.handler"}, "concurrency": 2,
            "root": os.path.join(folder, "app")}
CONFIG = {
    "loops": 4,
    "listeners": [{"address": "127.0.0.1:0", "front": "f"}],
    "fronts": {"f": {"dialect": "alb", "rules": [
        {"path": ["/%d*" % n], "function": "f%d" % n} for n in range(4)]
        + [{"function": "cat"}]}},
    "functions": dict(
        {"f%d" % n: FUNCTION for n in range(4)},
        cat={"command": ["echo", '{"statusCode":200,"body":"cat"}'],
             "root": folder}),
}


def guard_of(server):
    for pid in descendants(server.process.pid):
        try:
            with open("/proc/%d/comm" % pid) as comm:
                if comm.read().strip() == "abt-guard":
                    return pid
        except OSError:
            pass
    return None


@check
def killed_under_load():
    with serve(CONFIG) as server:
        for n in range(4):
            same(get(server, "/%d" % n).status, 200, "function %d serves" % n)
        stop = threading.Event()
        statuses = []

        def load(n):
            while not stop.is_set():
                statuses.append(get(server, "/%d" % n).status)
        threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.5)
            before = guard_of(server)
            os.kill(before, signal.SIGKILL)
            ok(eventually(lambda: guard_of(server) not in (None, before)),
               "another guard takes its place")
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join(20)
        ok(set(statuses) <= {200, 502}, "what ran got 502", set(statuses))
        ok(statuses.count(502) <= 30, "and nothing else did",
           "%d of %d" % (statuses.count(502), len(statuses)))
        for n in range(4):
            same(get(server, "/%d" % n).status, 200, "function %d lives" % n)
        same(get(server, "/x").body, b"cat", "so does a command")
        below = descendants(server.process.pid)
        server.signal(signal.SIGTERM)
        same(server.process.wait(15), 0, "it drains")
        ok(eventually(lambda: not any(map(is_alive, below)), 2.0),
           "nothing is left")


@check
def their_limits():
    """We raise RLIMIT_NOFILE for ourselves only: select() ends at 1024."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, limits[1]))
    try:
        program = write("limits", "#!/bin/sh\necho Content-Type: a/b; echo\n"
                        "ulimit -n\n", 0o755)
        with Server("--port", "0", "--cgi", program) as server:
            same(get(server, "/").body, b"500\n", "limits are the operator's")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


finish()
