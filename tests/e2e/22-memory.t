#!/usr/bin/env python3
"""Memory that runs out: one request lost, never the process."""
import os
import random
import threading

from tap import *

write("app.py", """
def handler(event, context):
    return {"statusCode": 200, "body": event["path"]}
""")
LIBRARY = os.path.join(folder, "failing_malloc.so")
built = run("gcc", "-shared", "-fPIC", "-O2", "-o", LIBRARY,
            os.path.join(ROOT, "tests/live/failing_malloc.c"))
if not ok(built.returncode == 0, "the failing malloc is built", built.stderr):
    finish()

config = mock(loops=2, access_log=os.path.join(folder, "access.log"))
config["functions"].update({
    "app": {"handler": "app.handler", "root": folder, "concurrency": 2,
            "timeout": "5s"},
    "filter": {"command": ["sh", "-c", "cat >/dev/null; "
                           "printf '{\"statusCode\":200,\"body\":\"f\"}'"],
               "root": folder, "concurrency": 2, "timeout": "5s"}})
config["fronts"]["web"] = {"dialect": "alb", "rules": [
    {"path": ["/app*"], "function": "app"},
    {"path": ["/filter"], "function": "filter"}, {"function": "hello"}]}


def one(server, path, size):
    """The status, or 0 when the connection was cut."""
    try:
        got = get(server, path, [("Content-Type", "text/plain")], "POST",
                  b"x" * size, 15)
    except (OSError, EOFError):
        return 0
    return got.status


def hold(server):
    """Open descriptors and processes below.  (Only root may count those of a
    program that cannot be dumped.)"""
    fds = "/proc/%d/fd" % server.process.pid
    return (len(os.listdir(fds)) if os.geteuid() == 0 else 0,
            len(descendants(server.process.pid)))


for every in (7, 29, 101):
    @check
    def memory():
        env = {**os.environ, "LD_PRELOAD": LIBRARY, "FAIL_EVERY": str(every)}
        with Server("-c", write_config(folder, config), env=env) as server:
            for path in ("/", "/app", "/filter") * 3:
                one(server, path, 10)
            before = hold(server)
            seen, lock = {}, threading.Lock()

            def client(seed):
                rng = random.Random(seed)
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    status = one(server, rng.choice(["/", "/app", "/filter"]),
                                 rng.choice([0, 100, 70000]))
                    with lock:
                        seen[status] = seen.get(status, 0) + 1
            server.signal(40)
            clients = [threading.Thread(target=client, args=(n,))
                       for n in range(4)]
            for thread in clients:
                thread.start()
            for thread in clients:
                thread.join()
            alive = server.process.poll()
            ok(alive is None, "every %dth allocation fails: it lives" % every,
               server.stderr()[-1500:])
            if alive is not None:
                return
            server.signal(40)
            ok(set(seen) <= {0, 200, 400, 502, 503} and seen.get(200, 0) > 0,
               "each request is answered, refused or cut", seen)
            time.sleep(0.3)
            same({one(server, path, 10) for path in
                  ("/", "/app", "/filter") * 4}, {200},
                 "with memory again everything is served")
            ok(eventually(lambda: hold(server)[0] <= before[0] + 4, 8),
               "no descriptor is lost", (before, hold(server)))
            same(server.end(), 0, "and it ends well")


finish()
