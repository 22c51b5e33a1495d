#!/usr/bin/env python3
"""albatross event, albatross check: the pure floors on the command line."""
import json

from tap import *

GET = "GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: example.com\r\nCookie: a=1\r\n\r\n"


def event(*arguments, stdin=GET):
    return albatross("event", *arguments, stdin=stdin)


@check
def events():
    got = event("--dialect", "alb")
    same(got.returncode, 0, "exit 0")
    same(got.stdout.count("\n"), 1, "one line")
    value = json.loads(got.stdout)
    same(list(value), ["requestContext", "httpMethod", "path",
                       "queryStringParameters", "headers", "body",
                       "isBase64Encoded"], "the seven keys, in ALB's order")
    same((value["path"], value["queryStringParameters"]),
         ("/a%20b", {"x": "2"}), "path and query")
    value = json.loads(event("--dialect", "alb-multi").stdout)
    same(value["multiValueQueryStringParameters"], {"x": ["1", "2"]},
         "alb-multi")
    path = write("request.txt", GET)
    same(json.loads(albatross("event", "--dialect", "alb", path).stdout)
         ["path"], "/a%20b", "from a file")
    value = json.loads(event("--dialect", "alb", "--peer",
                             "192.0.2.7:1234").stdout)
    same(value["headers"]["x-forwarded-for"], "192.0.2.7", "--peer")
    got = event("--dialect", "alb",
                stdin="GET / HTTP/1.1\r\nContent-Length: 1\r\n"
                      "Content-Length: 2\r\nHost: a\r\n\r\n")
    same(got.returncode, 1, "a refused request: exit 1")
    has(got.stderr, "h1/length-differs", "its rule on stderr")
    same(got.stdout, "", "nothing on stdout")
    got = event("--dialect", "alb", stdin="GET / HTTP/1.1\r\nHost: a\r\n")
    same(got.returncode, 1, "an unfinished request: exit 1")
    has(got.stderr, "not complete", "and told so")
    same(event("--dialect", "nothing").returncode, 2, "unknown dialect: 2")
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\x00\xff\x01"
    value = json.loads(albatross("event", "--dialect", "alb", stdin=body)
                       .stdout)
    same((value["body"], value["isBase64Encoded"]), ("AP8B", True),
         "bytes as base64")


def verdict(result, *arguments, dialect="alb"):
    return albatross("check", "--dialect", dialect, *arguments, stdin=result)


@check
def checks():
    got = verdict('{"statusCode":200,"headers":{"content-type":"text/plain"},'
                  '"body":"x"}')
    same(got.returncode, 0, "a right result: exit 0")
    got = verdict('{"statusCode":"200","headers":{"x-n":1},\n "body":null}')
    same(got.returncode, 1, "a broken one: exit 1")
    text = got.stdout + got.stderr
    for piece in ("alb/result/status-code", "/statusCode",
                  "alb/result/header-value", "/headers/x-n",
                  "alb/result/body", "502"):
        has(text, piece, "shows " + piece)
    ok(all(len(line) <= 80 for line in text.split("\n")), "in 80 columns",
       text)
    ok("\x1b[" not in text, "no colour into a pipe")
    got = verdict('{"statusCode":200,"multiValueHeaders":{"a":["b"]}}')
    has(got.stdout + got.stderr, "alb/note/wrong-header-map",
        "notes what is silently lost")
    got = verdict('{"statusCode":201,"headers":{"content-type":"a/b"},'
                  '"body":"hi"}', "--http")
    has(got.stdout, "HTTP/1.1 201 Created\r\n" if "\r\n" in got.stdout
        else "HTTP/1.1 201 Created", "--http prints the response")
    has(got.stdout, "hi", "with its body")
    got = verdict("{")
    same(got.returncode, 1, "no JSON: exit 1")
    has(got.stdout + got.stderr, "alb/result/json", "named")
    first = write("good.json", '{"statusCode":200,"body":""}')
    second = write("bad.json", '{"statusCode":99}')
    got = albatross("check", "--dialect", "alb", first, second)
    same(got.returncode, 1, "several files: broken if one is")
    has(got.stdout + got.stderr, "bad.json", "named by file")
    same(albatross("check", "--dialect", "alb", "/nowhere").returncode, 2,
         "a file that is not there: exit 2")


@check
def client_certificate():
    key = os.path.join(folder, "client.key")
    cert = os.path.join(folder, "client.pem")
    done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
               "-set_serial", "0x0a1b2c", "-utf8",
               "-subj", "/O=Example/CN=j\u00fcrgen", "-keyout", key, "-out", cert)
    same(done.returncode, 0, "a certificate")
    with open(cert, encoding="ascii") as file:
        pem = file.read()
    dates = run("openssl", "x509", "-in", cert, "-noout", "-dates").stdout
    dates = dict(line.split("=") for line in dates.splitlines())
    wanted = {"clientCertPem": pem,
              "subjectDN": "CN=j\u00fcrgen,O=Example",
              "issuerDN": "CN=j\u00fcrgen,O=Example",
              "serialNumber": "0a:1b:2c",
              "validity": {"notBefore": dates["notBefore"],
                           "notAfter": dates["notAfter"]}}
    for agent in ("", "User-Agent: x\r\n"):
        request = "GET /dev/a HTTP/1.1\r\nHost: h\r\n" + agent + "\r\n"
        for dialect in ("rest", "http-1.0"):
            got = event("--dialect", dialect, "--client-cert", cert,
                        stdin=request)
            same(json.loads(got.stdout)["requestContext"]["identity"]
                 ["clientCert"], wanted, dialect + ": identity.clientCert")
        got = event("--dialect", "http-2.0", "--client-cert", cert,
                    stdin=request)
        same(json.loads(got.stdout)["requestContext"]["authentication"],
             {"clientCert": wanted}, "http-2.0: authentication.clientCert")
    plain = json.loads(event("--dialect", "http-2.0").stdout)
    same("authentication" in plain["requestContext"], False,
         "no certificate: no authentication")
    url = json.loads(event("--dialect", "url", "--client-cert", cert).stdout)
    same("authentication" in url["requestContext"], False,
         "function URLs know none")
    got = event("--dialect", "rest", "--client-cert", key)
    same(got.returncode, 2, "a file without a certificate")


finish()
