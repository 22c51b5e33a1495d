#!/usr/bin/env python3
"""No descriptors left, a full disk under the log, memory's ceiling."""
import resource

from tap import *


@check
def full_disk():
    with serve(mock(access_log="/dev/full")) as server:
        for _ in range(50):
            got = get(server)
        same(got.status, 200, "requests are served, the log is full")
        time.sleep(1.2)
        same(get(server).status, 200, "and later too")
    errors = open("/dev/full", "wb")
    import subprocess
    process = subprocess.Popen(
        [PROGRAM, "serve", "-c", write_config(folder, mock())],
        stdout=subprocess.PIPE, stderr=errors)
    url = process.stdout.readline().decode().split()[1]
    process.stdout.readline()
    same([curl(url).stdout for _ in range(5)], ["hello"] * 5,
         "the same with stderr full")
    process.terminate()
    same(process.wait(10), 0, "it ends well")


@check
def descriptors():
    limit = 160
    def low():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with Server("-c", write_config(folder, mock()), prefix=(
            "prlimit", "--nofile=%d" % limit)) as server:
        socks = []
        for _ in range(limit + 60):
            try:
                socks.append(rawhttp.connect(server.address, 1))
            except OSError:
                break
        busy = lambda: sum(map(int, open("/proc/%d/stat" %
                                         server.process.pid).read()
                               .rsplit(")", 1)[1].split()[11:13]))
        before = busy()
        time.sleep(1)
        ok(busy() - before < 30, "accepting pauses without spinning",
           busy() - before)
        socks[0].settimeout(5)
        socks[0].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            got = rawhttp.read_response(rawhttp.Reader(socks[0], 5)).status
        except (OSError, EOFError) as error:
            got = error  # the oldest idle one may have had to go
        ok(got == 200 or isinstance(got, (EOFError, ConnectionError)),
           "an open connection is served or was the idle one to go", got)
        for sock in socks:
            sock.close()
        ok(eventually(lambda: curl(server.urls[0]).stdout == "hello", 10),
           "and it resumes by itself")


@check
def function_without_descriptors():
    """Processes cannot be started: 502, and the server lives."""
    config = one_function({"command": ["cat"], "root": folder})
    with Server("-c", write_config(folder, config), prefix=(
            "prlimit", "--nofile=64")) as server:
        socks = [rawhttp.connect(server.address, 1) for _ in range(40)]
        for sock in socks:
            sock.close()
        ok(get(server).status in (200, 502), "with few descriptors")
        ok(server.process.poll() is None, "the server lives")


@check
def bodies_ceiling():
    config = one_function({"command": ["sh", "-c", "sleep 1; cat >/dev/null; "
                                       "printf '{\"statusCode\":200}'"],
                           "root": folder, "timeout": "20s",
                           "concurrency": 20})
    config["memory"] = "4 MiB"
    with serve(config) as server:
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            got = list(pool.map(lambda _: get(
                server, "/", [("Content-Type", "text/plain")], "POST",
                b"m" * 1000000, 40).status, range(12)))
        ok(set(got) <= {200, 503} and 200 in got,
           "over the ceiling of bodies: 503, never the process", got)
        same(get(server).status, 200, "and afterwards it serves")


@check
def nobody_can_be_told():
    """Standard output is full: said on stderr, and the server lives."""
    with open(os.path.join(folder, "full-stderr"), "w+b") as errors, \
            open("/dev/full", "wb", buffering=0) as full:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", "--command", "--", "cat"],
            cwd=folder, stdout=full, stderr=errors)

        def said():
            errors.seek(0)
            return b"on standard output" in errors.read()
        ok(eventually(said, 10), "a full standard output is told")
        ok(process.poll() is None, "the server lives without it")
        process.terminate()
        same(process.wait(10), 0, "and ends well")


finish()
