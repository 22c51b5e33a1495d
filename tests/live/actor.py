"""A function of the tests that behaves as lambda.md 12 `given.handler` says.

actor.py FOLDER JSON: FOLDER keeps the count of attempts and one line for each
event (pid, whether the marker in /tmp is there).
"""
import http.client
import json
import os
import signal
import sys
import time


def attempt(folder):
    """How often an event came, this one too, over all processes."""
    with open(os.path.join(folder, "events"), "a+") as log:
        log.write("%d %d\n" % (os.getpid(), os.path.exists(
            os.path.join(folder, "marker"))))
        log.flush()
        log.seek(0)
        return len(log.readlines())


def act(handler, folder, event):
    """("response" or "error", bytes)"""
    n = attempt(folder)
    if "run_s" in handler:
        time.sleep(handler["run_s"])
    if "exit" in handler:
        os._exit(handler["exit"])
    if "signal" in handler:
        name = handler["signal"]
        name = name if name.startswith("SIG") else "SIG" + name
        signal.signal(getattr(signal, name), signal.SIG_DFL) \
            if name not in ("SIGKILL", "SIGSTOP") else None
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(10)
    if "error" in handler:
        return "error", handler["error"].encode()
    if "fail" in handler and (
            handler["fail"] == "always" or n <= handler["fail"]):
        return "error", b'{"errorType":"Failed","errorMessage":"failed"}'
    return "response", event


def main():
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder, handler = sys.argv[1], json.loads(sys.argv[2])
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    base = "/2018-06-01/runtime/invocation/"
    while True:
        api.request("GET", base + "next")
        answer = api.getresponse()
        event = answer.read()
        request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        kind, body = act(handler, folder, event)
        api.request("POST", base + request_id + "/" + kind, body)
        api.getresponse().read()


main()
