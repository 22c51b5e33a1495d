#!/usr/bin/env python3
"""Event on stdin, result on stdout, one process for each event."""
import json

from tap import *


def filter_of(script, **more):
    return one_function({"command": ["sh", "-c", script], "root": folder,
                         **more})


def names(server):
    out = []
    for pid in descendants(server.process.pid):
        try:
            out.append(open("/proc/%d/comm" % pid).read().strip())
        except OSError:
            pass
    return out


@check
def a_filter():
    script = ('printf \'{"statusCode":200,"body":"%s bytes"}\' '
              '"$(wc -c | tr -d " ")"; echo noted >&2')
    with serve(filter_of(script)) as server:
        got = get(server)
        ok(got.status == 200 and got.body.endswith(b" bytes"),
           "its stdout is the result", got.body)
        server.wait_for("noted")
        ok(True, "its stderr is in the log")
    with Server("--port", "0", "--command", "--", "sh", "-c", script,
                cwd=folder) as server:
        same(get(server).status, 200, "serve --command -- program")


@check
def the_event_is_whole():
    script = "cat >event.json; printf '{\"statusCode\":200,\"body\":\"\"}'"
    with serve(filter_of(script)) as server:
        body = b"x" * 500000
        get(server, "/big", [("Content-Type", "text/plain")], "POST", body)
        event = json.load(open(os.path.join(folder, "event.json")))
        same(len(event["body"]), len(body), "a large event on stdin")


@check
def a_program_that_does_not_read():
    with serve(filter_of("printf '{\"statusCode\":200,\"body\":\"no\"}'")
               ) as server:
        got = get(server, "/", [("Content-Type", "text/plain")], "POST",
                  b"y" * 900000)
        same(got.body, b"no", "stdin may stay unread")


@check
def failures_of_it():
    for script, text in (("exit 3", "exit status 3"), ("kill -9 $$", "signal"),
                         ("echo no json", "alb/result/json")):
        with serve(filter_of(script)) as server:
            same(get(server).status, 502, "%s: 502" % script)
            server.wait_for(text)
            ok(True, "%s: the log says why" % script)
    with serve(filter_of("sleep 60", timeout="1s")) as server:
        begin = time.monotonic()
        same(get(server).status, 502, "past its time: 502")
        ok(time.monotonic() - begin < 3, "at once")
        below = descendants(server.process.pid)
        ok(eventually(lambda: "sleep" not in names(server)),
           "and the process is gone", below)


finish()
