"""servers.py - start, watch and end the servers that bench/run compares

A server is a process tree on one core (or all, for the scenario of two loops).
What it costs is read from /proc/PID/task/*/schedstat: nanoseconds on a CPU,
of every thread of the tree but of the functions.
"""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
FUNCTIONS = {"runtime_client", "http_server", "node", "cgi_echo"}
started = []


class Failure(Exception):
    """The run cannot go on; a sentence for people."""


def fill(name, words):
    """A file of peers/ with its @WORDS@ filled in."""
    with open(os.path.join(HERE, "peers", name)) as file:
        text = file.read()

    def word(match):
        if match.group(1) not in words:
            raise Failure(f"{name}: nothing for {match.group(0)}")
        return str(words[match.group(1)])

    return re.sub(r"@([A-Z_]+)@", word, text) if words else text


def tree(pid):
    """|pid| and all its descendants."""
    found = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path) as file:
                for child in file.read().split():
                    found += tree(int(child))
        except OSError:
            pass
    return found


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def cpu_ns(pid):
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path) as file:
                total += int(file.read().split()[0])
        except (OSError, IndexError):
            pass
    return total


def memory(pid):
    """KB of a process: PSS, RSS and what is its alone."""
    kb = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            parts = line.split()
            if len(parts) == 3 and parts[2] == "kB":
                kb[parts[0][:-1]] = int(parts[1])
    return {
        "pss": kb["Pss"],
        "rss": kb["Rss"],
        "private": kb["Private_Clean"] + kb["Private_Dirty"],
    }


def wait_for(port, process, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            return False
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.01)
    return False


class Server:
    """A running server and what it costs."""

    def __init__(self, name, argv, port, directory, cores=None, functions=None,
                 cwd=None, env=None, stdout=None):
        self.name, self.port = name, port
        self.functions = FUNCTIONS if functions is None else functions
        cores = {SERVER_CORE} if cores is None else set(cores)
        self.log = os.path.join(directory, f"{name}.log")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout, stderr=log,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores))
        started.append(self)
        if stdout is None and not wait_for(port, self.process, 60):
            self.end()
            with open(self.log, errors="replace") as log:
                raise Failure(f"{name} did not start:\n{log.read()[-2000:]}")

    @property
    def pid(self):
        return self.process.pid

    def cpu(self):
        return sum(cpu_ns(pid) for pid in tree(self.pid)
                   if program(pid) not in self.functions)

    def memory(self, everything=False):
        """Sums over the tree, functions left out unless |everything|."""
        total = {"pss": 0, "rss": 0, "private": 0}
        for pid in tree(self.pid):
            if everything or program(pid) not in self.functions:
                for key, kb in memory(pid).items():
                    total[key] += kb
        return total

    def end(self):
        if self in started:
            started.remove(self)
        if self.process.poll() is None:
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
                try:
                    self.process.send_signal(number)
                    self.process.wait(4)
                    break
                except (subprocess.TimeoutExpired, ProcessLookupError):
                    continue
        if self.process.stdout is not None:
            self.process.stdout.close()


def end_all():
    for server in list(started):
        server.end()


class World:
    """Where the run keeps its files; how each server is started there."""

    def __init__(self, directory, build, words):
        self.directory, self.build, self.words = directory, build, words

    def write(self, name, text, mode="w"):
        path = os.path.join(self.directory, name)
        with open(path, mode) as file:
            file.write(text)
        return path

    def albatross(self, port, name="albatross", workers=1, cores=None,
                  config="albatross.json", stdout=None, functions=None):
        path = self.write(f"{name}.json", fill(config, {
            **self.words, "PORT": port, "TLS_PORT": port + 1,
            "WORKERS": workers}))
        return Server(name, [os.path.join(self.build, "albatross"), "serve",
                             "-c", path], port, self.directory, cores,
                      functions, stdout=stdout)

    def nginx(self, port, name="nginx", workers=1, cores=None, lua=False,
              log=False):
        modules = "".join(
            f"load_module /usr/lib/nginx/modules/{module}.so;\n"
            for module in ("ndk_http_module", "ngx_http_lua_module") if lua)
        words = {**self.words, "PORT": port, "TLS_PORT": port + 1,
                 "WORKERS": workers, "BENCH": HERE, "MODULES": modules,
                 "LUA": "", "NGINX_LOG":
                 os.path.join(self.directory, f"{name}-access.log")
                 if log else "off"}
        if lua:
            words["LUA"] = fill("nginx-lua.conf", words)
        path = self.write(f"{name}.conf", fill("nginx.conf", words))
        return Server(name, ["nginx", "-c", path, "-p", self.directory], port,
                      self.directory, cores)

    def haproxy(self, port, name="haproxy", workers=1, cores=None,
                bufsize=16384):
        path = self.write(f"{name}.cfg", fill("haproxy.cfg", {
            **self.words, "PORT": port, "TLS_PORT": port + 1,
            "WORKERS": workers, "BUFSIZE": bufsize}))
        return Server(name, ["haproxy", "-db", "-f", path], port,
                      self.directory, cores)

    def lighttpd(self, port, name="lighttpd"):
        path = self.write(f"{name}.conf", fill("lighttpd.conf", {
            **self.words, "PORT": port}))
        return Server(name, ["/usr/sbin/lighttpd", "-D", "-f", path], port,
                      self.directory)

    def apache(self, port, name="apache"):
        user = "User daemon\nGroup daemon" if os.getuid() == 0 else ""
        path = self.write(f"{name}.conf", fill("apache.conf", {
            **self.words, "PORT": port, "USER": user}))
        return Server(name, ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f",
                             path], port, self.directory)

    def backend(self, what, port, kind="application/json"):
        return Server(f"http_server-{what}", [
            os.path.join(self.build, "bench", "http_server"), str(port), "8",
            str(LOAD_CORE), os.path.join(self.directory, what), kind], port,
            self.directory, {LOAD_CORE})


def load(url, connections, seconds, length=None, body=None, kind=None,
         method=None, close=False, threads=1, cores=None):
    """One round of wrk.  Requests, seconds and the median latency in us."""
    env = dict(os.environ, LC_ALL="C")
    for name, value in (("LENGTH", length), ("BODY", body), ("TYPE", kind),
                        ("METHOD", method), ("CLOSE", close or None)):
        env.pop("BENCH_" + name, None)
        if value is not None:
            env["BENCH_" + name] = str(value)
    cores = {LOAD_CORE} if cores is None else cores
    run = subprocess.run(
        [shutil.which("wrk") or "wrk", f"-t{threads}", f"-c{connections}",
         f"-d{seconds}s", "--timeout", "10s", "--latency", "-s",
         os.path.join(HERE, "wrk.lua"), url],
        env=env, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores))
    match = re.search(r"^BENCH (\d+) (\d+) (\d+) (\d+) (\d+)", run.stdout,
                      re.M)
    if match is None:
        raise Failure(f"wrk {url}:\n{run.stdout}{run.stderr}")
    requests, micros, wrong, errors, p50 = map(int, match.groups())
    if wrong or errors or requests == 0:
        raise Failure(f"{url}: of {requests} responses {wrong} were wrong, "
                      f"{errors} errors of the connection")
    return requests, micros / 1e6, p50


def say(text):
    print(text, file=sys.stderr, flush=True)
