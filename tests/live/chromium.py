"""Headless Chromium, driven over its pipe (Chrome DevTools Protocol).

One page after the other: what it and all that it needs answered, and where its
links lead once its scripts have run.
"""
import json
import os
import select
import subprocess
import time

# Descriptors 3 and 4 are where Chromium reads and writes its messages.
LAUNCH = ["sh", "-c", 'in=$1 out=$2; shift 2; '
          'eval "exec \\"\\$@\\" 3<&$in 4>&$out"', "chromium"]
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu",
           "--disable-dev-shm-usage", "--remote-debugging-pipe"]
LOOK = ("JSON.stringify([document.body.innerText.replace(/\\u00a0/g, ' '),"
        "[...document.querySelectorAll('a[href]')].map(a => a.href)])")


class Chromium:
    def __init__(self, folder, timeout=30):
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        self.timeout, self.buffer, self.number = timeout, b"", 0
        self.events, self.session = [], None
        self.process = subprocess.Popen(
            [*LAUNCH, str(theirs_in), str(theirs_out), "chromium", *OPTIONS,
             "--user-data-dir=" + folder], pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call(
            "Target.attachToTarget", targetId=target["targetId"],
            flatten=True)["sessionId"]
        for domain in "Page", "Network", "Runtime":
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.to)  # it ends with its pipe
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.back)

    def read(self):
        end = time.monotonic() + self.timeout
        while b"\0" not in self.buffer:
            if not select.select([self.back], [], [],
                                 max(0, end - time.monotonic()))[0]:
                raise TimeoutError("chromium says nothing")
            data = os.read(self.back, 1 << 16)
            if not data:
                raise EOFError("chromium ended")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            got = self.read()
            if got.get("id") == self.number:
                if "error" in got:
                    raise RuntimeError("%s: %s" % (method, got["error"]))
                return got["result"]
            self.events.append(got)

    def told(self, method):
        return [event["params"] for event in self.events
                if event.get("method") == method]

    def open(self, url):
        """Text, links and [(status, URL)] of all that was fetched."""
        self.events = []
        went = self.call("Page.navigate", url=url)
        if went.get("errorText"):
            raise RuntimeError("%s: %s" % (url, went["errorText"]))
        while not self.told("Page.loadEventFired"):
            self.events.append(self.read())
        failed = [(params["errorText"], url)
                  for params in self.told("Network.loadingFailed")]
        answers = [(params["response"]["status"], params["response"]["url"])
                   for params in self.told("Network.responseReceived")]
        value = self.call("Runtime.evaluate", expression=LOOK,
                          returnByValue=True)["result"]["value"]
        text, links = json.loads(value)
        return text, links, answers + failed
