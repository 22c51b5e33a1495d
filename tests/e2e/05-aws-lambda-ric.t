#!/usr/bin/env python3
"""AWS's own runtime client for Node, the one from npm."""
import concurrent.futures
import re
import socket
import threading

from tap import *

EVENTS = 10000
tree = run(os.path.join(ROOT, "tests/npm"), timeout=900)
if not ok(tree.returncode == 0, "aws-lambda-ric from npm", tree.stderr):
    finish()
RIC = os.path.join(tree.stdout.strip(), "node_modules/.bin/aws-lambda-ric")

write("ric/app.js", '''
const net = require("net");
exports.handler = async (event, context) => {
  const n = Number(event.queryStringParameters.n);
  if (n % 100 === 99) process.exit(7);
  if (n === 0) return { statusCode: 200, body: JSON.stringify(
      Object.keys(require.cache).concat(process.argv, [process.version])) };
  return { statusCode: 200, body: String(n) + " " + process.pid };
};
''')
HOME = os.path.join(folder, "ric")


@check
def user_agent():
    """A listener in place of the Runtime API shows who polls."""
    polls = []
    fake = socket.create_server(("127.0.0.1", 0))

    def listen():
        sock, _ = fake.accept()
        polls.append(sock.recv(4096))
        sock.close()
    threading.Thread(target=listen, daemon=True).start()
    write("ric/poll", "#!/bin/sh\nAWS_LAMBDA_RUNTIME_API=127.0.0.1:%d "
          "exec %s app.handler\n" % (fake.getsockname()[1], RIC), 0o755)
    with Server("--port", "0", "--timeout", "10", "--", "./poll",
                cwd=HOME) as server:
        threading.Thread(target=lambda: get(server, "/?n=1"),
                         daemon=True).start()
        ok(eventually(lambda: polls, 10), "it polls")
        server.kill()
    ok(polls and b"AWS_Lambda_Cpp/" in polls[0],
       "the polls' User-Agent is that of AWS's client", polls)


@check
def ten_thousand_events():
    with Server("--port", "0", "--concurrency", "4", "--timeout", "20", "--",
                RIC, "app.handler", cwd=HOME) as server:
        loaded = get(server, "/?n=0").body.decode()
        ok(not re.search("albatross[_-]runtime", loaded) and
           "aws-lambda-ric" in loaded,
           "none of our own runtime client is loaded", loaded)
        counts, pids = {}, set()
        lock = threading.Lock()

        def client(start):
            sock = rawhttp.connect(server.address, 60)
            reader = rawhttp.Reader(sock, 60)
            for n in range(start, EVENTS, 4):
                sock.sendall(b"GET /?n=%d HTTP/1.1\r\nHost: a\r\n\r\n" %
                             (n + 1))
                got = rawhttp.read_response(reader)
                if got.first("Connection") == "close":
                    sock = rawhttp.connect(server.address, 60)
                    reader = rawhttp.Reader(sock, 60)
                good = got.status == 200 and \
                    got.body.split()[0] == b"%d" % (n + 1)
                crash = (n + 1) % 100 == 99
                with lock:
                    key = "crashed" if crash and got.status == 502 else \
                        "right" if good and not crash else "wrong"
                    counts[key] = counts.get(key, 0) + 1
                    if good:
                        pids.add(got.body.split()[1])
            sock.close()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(client, range(4)))
        same(counts, {"right": EVENTS - EVENTS // 100,
                      "crashed": EVENTS // 100},
             "%d events, every hundredth crashes its process" % EVENTS)
        ok(len(pids) >= 50, "the processes are replaced", len(pids))
        below = descendants(server.process.pid)
        server.end()
        ok(eventually(lambda: not any(map(is_alive, below)), 3),
           "nothing is left", below)


finish()
