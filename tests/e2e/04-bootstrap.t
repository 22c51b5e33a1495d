#!/usr/bin/env python3
"""Any executable that polls the Runtime API."""
from tap import *

BOOTSTRAP = r'''#!/bin/sh
set -eu
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
	curl -sS -D head -o event "$api/next"
	id=$(tr -d '\r' <head | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
	printf '{"statusCode":200,"body":"sh %s"}' "$(wc -c <event | tr -d ' ')" |
	    curl -sS -X POST -H Expect: --data-binary @- "$api/$id/response" >/dev/null
done
'''
write("task/bootstrap", BOOTSTRAP, 0o755)
write("task/not-executable/bootstrap", BOOTSTRAP)
write("task/no-such-interpreter", "#!/no/such/thing\n", 0o755)
HOME = os.path.join(folder, "task")


@check
def bootstrap():
    with Server("./bootstrap", "--port", "0", cwd=HOME) as server:
        got = get(server)
        same(got.status, 200, "a shell script with curl serves")
        ok(got.body.startswith(b"sh "), "its result comes back", got.body)
        same(get(server, "/x", body=b"a" * 70000, method="POST").status, 200,
             "with a body")


@check
def program_with_arguments():
    with Server("--port", "0", "--", "sh", "./bootstrap", cwd=HOME) as server:
        same(get(server).status, 200, "-- program arguments")


@check
def by_configuration():
    with serve(one_function({"runtime": {"command": ["./bootstrap"]},
                             "root": HOME})) as server:
        same(get(server).status, 200, "runtime.command of the file")


@check
def that_cannot_start():
    for target in ("./no-such-interpreter",):
        with Server(target, "--port", "0", cwd=HOME) as server:
            same(get(server).status, 502, target + " gives 502")
            server.wait_for("no-such-interpreter")
            ok(True, target + " is named in the log")
    got = albatross("serve", "./nothing", "--port", "0", cwd=HOME)
    same(got.returncode, 2, "a file that is not there is told at once")
    has(got.stderr, "nothing", "with its name")
    got = albatross("serve", "./not-executable/bootstrap", "--port", "0",
                    cwd=HOME)
    same(got.returncode, 2, "a file that is not executable too")
    has(got.stderr, "chmod", "with the cure")


@check
def that_never_polls():
    with Server("--port", "0", "--", "sh", "-c", "echo about to leave",
                cwd=HOME) as server:
        same(get(server).status, 502, "a program that ends at once: 502")
        server.wait_for("about to leave")
        server.wait_for(r"--command|Runtime API")
        ok(True, "the log says what to try instead")


finish()
