"""A runtime client of the tests: shows each event, gives the answer it is told.

Polls the Runtime API as any runtime does.  For each event it sends the bytes
to the runner through the unix socket PROBE_SOCKET and gets back what to do:
R and the result's bytes, or E and the bytes for /error; T, a Content-Type, a
line end and bytes: a streamed result in small chunks; S, a number of
milliseconds and a blank before them: sleep first.
"""
import http.client
import os
import socket
import time

from frames import receive, send


def post(api, where, order):
    if order[:1] in b"RE":
        api.request("POST", where + (
            "/response" if order[:1] == b"R" else "/error"), order[1:],
            {"Content-Type": "application/json"})
        return
    kind, data = order[1:].split(b"\n", 1)
    headers = {"Lambda-Runtime-Function-Response-Mode": "streaming",
               "Transfer-Encoding": "chunked"}
    if kind:
        headers["Content-Type"] = kind.decode("latin-1")
    api.request("POST", where + "/response",
                (data[i:i + 7] for i in range(0, len(data), 7)), headers,
                encode_chunked=True)


def main():
    host = os.environ["AWS_LAMBDA_RUNTIME_API"]
    api = http.client.HTTPConnection(host)
    runner = socket.socket(socket.AF_UNIX)
    runner.connect(os.environ["PROBE_SOCKET"])
    base = "/2018-06-01/runtime/invocation/"
    while True:
        api.request("GET", base + "next")
        answer = api.getresponse()
        event = answer.read()
        request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        send(runner, event)
        order = receive(runner)
        if order[:1] == b"S":
            pause, order = order[1:].split(b" ", 1)
            time.sleep(int(pause) / 1000)
        post(api, base + request_id, order)
        api.getresponse().read()


main()
