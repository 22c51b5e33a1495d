#!/usr/bin/env python3
"""Children and their descendants never outlive us."""
import signal

from tap import *

write("app/app.py", '''
import os, subprocess
def handler(event, context):
    return {"statusCode": 200, "body": str(os.getpid())}
''')
# A wrapper that forks twice, leaves the session and stays.
write("app/wrap.sh", '''#!/bin/sh
sh -c 'setsid sh -c "sleep 300 & setsid sleep 301 & wait" & sleep 302 &'
setsid sleep 303 &
exec "$@"
''', 0o755)
write("app/poll.py", '''
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    answer.read()
    id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", "/2018-06-01/runtime/invocation/%s/response" % id,
                b'{"statusCode":200,"body":"up"}')
    api.getresponse().read()
''')
HOME = os.path.join(folder, "app")


def start(*more):
    return Server("--port", "0", *more, "--", "./wrap.sh", "python3",
                  "poll.py", cwd=HOME)


def all_below(server):
    """Every process of ours: by descent, and by the folder it works in."""
    found = set(descendants(server.process.pid))
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.readlink("/proc/%s/cwd" % name) == os.path.realpath(HOME):
                    found.add(int(name))
            except OSError:
                pass
    return found - {os.getpid(), server.process.pid}


for number, how in ((signal.SIGKILL, "SIGKILL"), (signal.SIGTERM, "SIGTERM")):
    @check
    def killed():
        with start() as server:
            same(get(server).body, b"up", how + ": it serves")
            ok(eventually(lambda: len(all_below(server)) >= 6),
               "with a small crowd below", all_below(server))
            below = all_below(server)
            server.signal(number)
            server.process.wait(10)
            gone = eventually(
                lambda: not any(map(is_alive, below)), 2.0)
            ok(gone, how + ": nothing is left within 2 s",
               [p for p in below if is_alive(p)])
            for pid in below:  # whatever failed, leave nothing behind
                if is_alive(pid):
                    os.kill(pid, signal.SIGKILL)


@check
def recycled():
    write("app/die.sh", "#!/bin/sh\nsetsid sleep 304 &\nexit 5\n", 0o755)
    with Server("--port", "0", "--", "./die.sh", cwd=HOME) as server:
        same(get(server).status, 502, "a process that ends")
        ok(eventually(lambda: not [
            p for p in all_below(server) if "sleep" in open(
                "/proc/%d/comm" % p).read()], 3),
           "takes what it left behind with it")


@check
def as_init():
    """PID 1 of a container reaps what others leave."""
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    unshare = ("unshare", *as_root, "--pid", "--fork", "--mount-proc")
    probe = run(*unshare, "true")
    if not ok(probe.returncode == 0, "a PID namespace can be made",
              probe.stderr):
        return
    with Server("--port", "0", "--", "./wrap.sh", "python3", "poll.py",
                cwd=HOME, prefix=(*unshare, "--kill-child")) as server:
        same(get(server).body, b"up", "it serves as PID 1")
        zombies = lambda: [p for p in descendants(server.process.pid)
                           if not is_alive(p)]
        ok(eventually(lambda: not zombies(), 3), "no zombie stays",
           zombies())
        server.kill()


finish()
