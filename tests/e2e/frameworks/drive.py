"""Applications on their own servers and behind our doors, asked the same."""
import base64
import gzip
import json
import os
import re
import shutil
import subprocess

import rawhttp
from server import Server, write_config

HERE = os.path.dirname(os.path.abspath(__file__))
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg==")
DATA = {
    "png": PNG,
    "bytes": bytes(n if n < 256 else 511 - n for n in range(512)),
    "blob": bytes(n * n * 31 >> 7 & 255 for n in range(600000)),
    "large": b"a line of text, 32 bytes long.\r\n" * 8192,
    "html": "<!doctype html>\n<p>caf\u00e9 \u20ac \U0001f600</p>\n".encode(),
}
DOORS = ["alb", "alb-multi", "rest", "http-1.0", "http-2.0", "url"]
STAGED = ["http-1.0-staged", "http-2.0-staged"]
STREAMING = ["url-stream", "rest-stream"]
STAGE = {"rest": "/dev", "rest-stream": "/dev", "http-1.0-staged": "/dev",
         "http-2.0-staged": "/dev"}
# Behind which doors the documentation of a framework's adapter puts it.
FRAMEWORKS = {
    "hono": DOORS + STREAMING,
    "express": DOORS,
    "fastify": DOORS,
    "middy": ["alb", "rest", "http-1.0", "http-2.0", "url"],
}


def load(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as text:
        return json.load(text)


def multipart(data):
    return (b'--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\n'
            b'a note\r\n--edge\r\nContent-Disposition: form-data; name="file"; '
            b'filename="one.png"\r\nContent-Type: image/png\r\n\r\n' + data +
            b"\r\n--edge--\r\n")


def body_bytes(body):
    """The bytes that a table means by |body|."""
    if not body:
        return b""
    if "text" in body:
        return body["text"].encode()
    if "gzip" in body:
        return DATA[body["gzip"]]
    if "multipart" in body:
        return multipart(DATA[body["multipart"]])
    return DATA[body["data"]]


def raw_request(request, prefix=""):
    """The request as bytes; the same for every server but for |prefix|."""
    body = body_bytes(request.get("body"))
    headers = [["Host", "example.com"], *request.get("headers", [])]
    names = {name.lower() for name, _ in headers}
    if "transfer-encoding" in names:
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (
            body[:10], body[10:]) if piece) + b"0\r\n\r\n"
    elif body and "content-length" not in names:
        headers.append(["Content-Length", str(len(body))])
    head = "%s %s HTTP/1.1\r\n" % (request["method"], prefix +
                                   request["target"])
    head += "".join("%s: %s\r\n" % tuple(item) for item in headers)
    return head.encode() + b"\r\n" + body


class Applications:
    """A folder where Node finds the applications and what they import."""

    def __init__(self, folder, tree):
        self.folder = os.path.join(folder, "apps")
        self.record = os.path.join(folder, "record.jsonl")
        self.seen = 0
        self.ric = os.path.join(
            tree, "node_modules/aws-lambda-ric/bin/index.mjs")
        os.mkdir(self.folder)
        for name in os.listdir(HERE):
            if name.endswith(".mjs"):
                shutil.copy(os.path.join(HERE, name), self.folder)
        os.symlink(os.path.join(tree, "node_modules"),
                   os.path.join(self.folder, "node_modules"))

    def recorded(self):
        """What functions got and gave since the last call."""
        if not os.path.exists(self.record):
            return []
        with open(self.record, encoding="utf-8") as lines:
            lines.seek(self.seen)
            text = lines.read()
            self.seen = lines.tell()
        return [json.loads(line) for line in text.splitlines()]


class Native:
    """An application on its framework's own server."""

    def __init__(self, apps, framework):
        self.process = subprocess.Popen(
            ["node", framework + ".mjs"], cwd=apps.folder, text=True,
            env=dict(os.environ, NODE_ENV="production"),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        match = re.match(r"listening (\d+)$", line)
        if not match:
            raise RuntimeError("%s does not serve itself: %r" % (
                framework, line))
        self.address = ("127.0.0.1", int(match.group(1)))

    def ask(self, request):
        return rawhttp.exchange(self.address, raw_request(request),
                                request["method"], 20)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Expected:
    """A table in place of a server: what the documentation says."""

    def __init__(self, framework):
        self.answers = load(framework + ".expected.json")

    def ask(self, request):
        answer = self.answers[request["name"]]
        out = rawhttp.Response()
        out.status = answer["status"]
        out.body = body_bytes(answer.get("body"))
        out.headers = [(name, value) for name, values in
                       answer.get("headers", {}).items()
                       for value in ([values] if isinstance(values, str)
                                     else values)]
        # What a plain server puts around it.
        out.headers += [("Connection", "keep-alive"),
                        ("Date", "Thu, 01 Jan 1970 00:00:00 GMT")]
        out.unpacks = "gzip" in answer.get("body", {})
        if out.status != 204:
            out.headers.append(("Content-Length", str(len(out.body))))
        return out

    def end(self):
        pass


def front_of(door):
    """The front of a door, but for its function."""
    front = {"dialect": {"alb-multi": "alb"}.get(
        door, re.sub("-(stream|staged)$", "", door)), "attributes": {}}
    if door == "alb-multi":
        front["attributes"]["lambda.multi_value_headers.enabled"] = True
    if front["dialect"] == "rest":
        front["attributes"]["binaryMediaTypes"] = ["*/*"]
    if door == "url-stream":
        front["attributes"]["InvokeMode"] = "RESPONSE_STREAM"
    if door == "rest-stream":
        front["attributes"]["responseTransferMode"] = "STREAM"
    if door in STAGED:
        front["stage"] = "dev"
    return front


def doors_config(apps, functions):
    """One server with a front and a listener for each function and door."""
    config = {"listeners": [], "fronts": {}, "functions": {}}
    for name, (handler, doors) in functions.items():
        config["functions"][name] = {
            "handler": handler, "root": apps.folder, "concurrency": 1,
            "timeout": "10s",
            "environment": {"RECORD": apps.record, "NODE_ENV": "production"}}
        if name.endswith("-ric"):
            config["functions"][name]["runtime"] = {
                "command": ["node", apps.ric, handler]}
        for door in doors:
            front = name + " " + door
            config["fronts"][front] = {**front_of(door), "function": name}
            config["listeners"].append(
                {"address": "127.0.0.1:0", "front": front})
    return config


class Doors:
    """Our server; an address for each function and door."""

    def __init__(self, apps, functions):
        config = doors_config(apps, functions)
        self.server = Server("-c", write_config(apps.folder, config))
        self.address = {}
        for listener, url in zip(config["listeners"], self.server.urls):
            host, port = re.match(r"http://(.*):(\d+)/?$", url).groups()
            self.address[listener["front"]] = (host, int(port))

    def ask(self, function, door, request):
        return rawhttp.exchange(
            self.address[function + " " + door],
            raw_request(request, STAGE.get(door, "")), request["method"], 20)

    def first_piece(self, function, door, request):
        """What came with the first byte of the body, and what came later."""
        with rawhttp.connect(self.address[function + " " + door], 20) as sock:
            sock.sendall(raw_request(request, STAGE.get(door, "")))
            reader = rawhttp.Reader(sock, 20)
            reader.until(b"\r\n\r\n")
            if not reader.data:
                reader.more()
            early = reader.take(len(reader.data))
            if early.endswith(b"0\r\n\r\n"):
                return early, b""
            return early, reader.until(b"0\r\n\r\n")

    def end(self):
        return self.server.end()
