#!/usr/bin/env python3
"""What the operator writes wrong: one clear line, the place, the cure."""
import json
import socket

from tap import *


def refused(text, *pieces, name="config.json"):
    """The configuration |text| is refused with all |pieces| in the message."""
    path = write(name, text if isinstance(text, str) else json.dumps(text))
    got = albatross("serve", "-c", path, timeout=10)
    good = same(got.returncode, 2, "exit 2: " + pieces[0])
    for piece in pieces:
        has(got.stderr, piece, piece)
    same(got.stdout, "", "nothing on stdout")
    return got.stderr if good else ""


def changed(**parts):
    return {**mock(), **parts}


@check
def files():
    refused('{\n  "listeners": [,]\n}', "config.json:2:")
    refused('{\n  "concurency": 4,\n  "fronts": {}\n}', "config.json:2:3",
            '"concurency"')
    config = json.dumps(mock(), indent=1).replace('"mock"', '"mok"')
    refused(config, "mok")
    refused(changed(functions={"hello": {"mock": "{}", "concurency": 4}}),
            'did you mean "concurrency"')
    refused(changed(functions={"hello": {"mock": "{}", "timeout": "soon"}}),
            "timeout")
    refused(changed(functions={"hello": {"mock": "{}", "timeout": "901s"}}),
            "900")
    refused(changed(functions={"hello": {"mock": "{}", "memory": []}}),
            "memory", "array")
    refused(changed(fronts={"web": {"dialect": "abl", "function": "hello"}}),
            "abl", "alb")
    refused(changed(fronts={"web": {"dialect": "alb", "function": "helo"}}),
            "helo", "hello")
    refused(changed(fronts={"web": {
        "dialect": "alb", "function": "hello", "attributes": {
            "routing.http.desync_mitigation_mode": "strict"}}}),
            "strictest")
    refused(changed(fronts={"web": {
        "dialect": "alb", "function": "hello", "attributes": {
            "routing.http.desync_mitigation": "strictest"}}}),
            "routing.http.desync_mitigation_mode")
    refused(changed(listeners=[{"address": "127.0.0.1:0", "front": "wbe"}]),
            "wbe", "web")
    refused(changed(listeners=[{"address": "127.0.0.1:99999",
                                "front": "web"}]), "99999")
    refused(changed(listeners=[{"address": "127.0.0.1:0", "front": "web",
                                "proxy_protocol": ["10.0.0.1/8"]}]),
            "10.0.0.1/8")
    refused(changed(functions={"hello": {
        "mock": "{}", "environment": {"AWS_REGION": "x"}}}), "AWS_REGION")
    refused(changed(functions={"hello": {
        "mock": "{}", "environment": {"BIG": "x" * 5000}}}), "4KB limit")
    text = refused('{"a": 1,\n "b": 2}', "config.json:1:2")
    has(text, "config.json:2:2", "every error is told, not only the first")


@check
def comments_are_allowed():
    text = "// a comment\n" + json.dumps(mock()) + "/* another */\n"
    got = albatross("serve", "-c", write("commented.json", text), "--check")
    same(got.returncode, 0, "comments, and --check only checks")


@check
def not_there():
    got = albatross("serve", "-c", folder + "/nowhere.json")
    same(got.returncode, 2, "a file that is not there")
    has(got.stderr, "nowhere.json", "named")


@check
def port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = changed(listeners=[{"address": "127.0.0.1:%d" % port,
                                     "front": "web"}])
        refused(config, "127.0.0.1:%d" % port, "in use")
    with serve(mock()) as server:
        port = server.address[1]
        config = changed(listeners=[{"address": "127.0.0.1:%d" % port,
                                     "front": "web"}])
        refused(config, "127.0.0.1:%d" % port, "albatross")
        same(get(server).status, 200, "the first one goes on")


@check
def command_line():
    for arguments, piece in (
            (["serve"], "app.handler"), (["srve"], "serve"),
            (["serve", "--prot", "1"], "--port"),
            (["serve", "x.handler", "--port", "x"], "--port"),
            (["serve", "x.handler", "--timeout", "1000"], "900")):
        got = albatross(*arguments, timeout=10)
        same(got.returncode, 2, "exit 2: " + " ".join(arguments))
        has(got.stderr, piece, "names " + piece)
    for arguments in (["--help"], ["serve", "--help"], ["--version"],
                      ["help"], ["event", "--help"], ["check", "--help"]):
        got = albatross(*arguments)
        ok(got.returncode == 0 and got.stdout, " ".join(arguments),
           got.stderr)
    ok(all(len(line) <= 80 for line in
           albatross("serve", "--help").stdout.split("\n")),
       "--help fits into 80 columns")


finish()
