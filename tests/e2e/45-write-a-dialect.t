#!/usr/bin/env python3
"""docs/writing-a-dialect.md, followed from its first line to its last: in a copy
of the tree, its blocks make a dialect that is built, tested and served."""
import json
import re
import shutil

from tap import *

DOC = "docs/writing-a-dialect.md"
TREE = os.path.join(folder, "tree")
BUILD = os.path.join(TREE, "build")
GET = "GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: example.com\r\nX-A: b\r\n\r\n"
ECHO = """import json, sys
e = json.load(sys.stdin)
print(json.dumps({"statusCode": 201, "headers": {"X-Path": e["path"]},
                  "body": e["body"]}))"""


def copy_tree():
    """The sources, as they stand, and nothing that was built."""
    names = run("git", "-C", ROOT, "ls-files", "-z", "-co",
                "--exclude-standard", "--", "Makefile", ".clang-format", "include", "proxy", "share", "man", "docs",
                "bench/bench.mk", "tests/tests.mk", "tests/deps",
                "tests/run-cases", "tests/cases.c", "tests/host.c",
                "tests/lib", "tests/lint").stdout
    for name in names.split("\0")[:-1]:
        source = os.path.join(ROOT, name)
        if os.path.exists(source):
            target = os.path.join(TREE, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)


def blocks():
    """(language, path or "", text) of every fenced block of the page."""
    with open(os.path.join(ROOT, DOC), encoding="utf-8") as page:
        return re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", page.read(),
                          re.M | re.S)


def in_tree(*command, **more):
    return run(*command, cwd=TREE, timeout=200, **more)


def built(*arguments, **more):
    return run(os.path.join(BUILD, "albatross"), *arguments, **more)


@check
def follow():
    copy_tree()
    all_blocks = blocks()
    for _, path, text in all_blocks:
        if path:
            target = os.path.join(TREE, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "a", encoding="utf-8") as out:
                out.write(text)
    source = "proxy/dialect/vpc_lattice.c"
    written = [path for _, path, _ in all_blocks if path]
    same({path for path in written if path.startswith("proxy")},
         {source, "proxy/dialect/dialects.def"},
         "one file, and one line in the list")
    got = in_tree("clang-format", "--dry-run", "-Werror", source)
    same(got.returncode, 0, "the page's code is formatted " + got.stderr)
    got = in_tree("make", "-s", "-j2", "OPT=-O0", "build/albatross",
                  "build/tests/cases", "build/tests/host")
    ok(got.returncode == 0, "it is built, without a warning",
       got.stdout + got.stderr)


@check
def commands_of_the_page():
    """The sh blocks; make lint only as far as it is about this page."""
    in_tree("git", "init", "-q")
    in_tree("git", "add", "-A")
    for text in (text for kind, _, text in blocks() if kind == "sh"):
        for line in text.splitlines():
            if line.startswith("make cases"):
                got = in_tree("sh", "-c", line + " B=build OPT=-O0")
                has(got.stdout, "5 passed, 0 failed", "its cases")
            elif line == "make lint":
                for lint in ("floors", "architecture", "generated", "banned"):
                    got = in_tree("sh", "tests/lint/%s.sh" % lint)
                    said = got.stdout + got.stderr
                    ok("vpc_lattice" not in said and "man/" not in said,
                       "lint: " + lint, said)
            elif line.startswith("make"):
                got = in_tree("sh", "-c", line + " -s OPT=-O0")
                ok(got.returncode == 0, line, got.stdout + got.stderr)
            elif not line.startswith("build/albatross serve"):
                got = in_tree("sh", "-c", line)
                ok(got.returncode == (1 if "check" in line else 0), line[:60],
                   got.stdout + got.stderr)


@check
def use():
    event = json.loads(built("event", "--dialect", "vpc-lattice",
                             "--time", "1700000000000", "--peer", "192.0.2.7",
                             "--service-network-arn", "arn:net",
                             "--attribute", "serviceArn=arn:svc",
                             stdin=GET).stdout)
    same(event["requestContext"]["serviceArn"], "arn:svc", "an attribute")
    same(event["requestContext"]["serviceNetworkArn"], "arn:net", "a flag")
    same(event["requestContext"]["timeEpoch"], "1700000000000000", "the time")
    same((event["path"], event["queryStringParameters"]),
         ("/a%20b", {"x": "2"}), "path and query")
    same(event["headers"], {"host": ["example.com"], "x-a": ["b"],
                            "x-forwarded-for": ["192.0.2.7"]}, "headers")
    got = built("check", "--dialect", "vpc-lattice",
                stdin='{"statusCode":"200","body":1}')
    same(got.returncode, 1, "check: a broken result")
    for rule in ("vpc-lattice/result/status", "vpc-lattice/result/body"):
        has(got.stdout + got.stderr, rule, "check names " + rule)
    has(built("event", "--all", stdin=GET).stdout, "vpc-lattice",
        "one door more for event --all")
    has(built("help", "config").stdout, "serviceNetworkArn", "help config")
    has(open(os.path.join(TREE, "man/albatross-rules.7")).read(),
        "vpc\\-lattice/result/status", "its rules are in the manual")


@check
def served():
    config = {
        "listeners": [{"address": "127.0.0.1:0", "front": "web"}],
        "fronts": {"web": {"dialect": "vpc-lattice", "function": "echo",
                           "rules": [
                               {"path": "/broken",
                                "function": "broken"}]}},
        "functions": {
            "echo": {"command": ["python3", "-c", ECHO]},
            "broken": {"mock": '{"statusCode":"200"}'}}}
    server = Server("-c", write_config(folder, config),
                    program=os.path.join(BUILD, "albatross"))
    try:
        answer = get(server, "/a%20b", [("Content-Type", "text/plain")],
                     "POST", b"hello")
        same((answer.status, answer.body), (201, b"hello"),
             "a function behind it")
        same(answer.first("x-path"), "/a%20b", "its headers")
        answer = get(server, "/broken")
        same((answer.status, answer.body), (500, b"Internal Server Error"),
             "a broken result")
    finally:
        server.end()


finish()
