#!/usr/bin/env python3
"""HTTP/1.x as clients send it: pipelined, chunked, slow, cut."""
import json
import socket
import struct

from tap import *

ECHO = {"command": ["sh", "-c", r"""
python3 -c 'import json,sys
e = json.load(sys.stdin)
print(json.dumps({"statusCode": 200, "body": json.dumps([e["httpMethod"], e["path"], e["body"], e["isBase64Encoded"]])}))'
"""], "root": folder, "timeout": "20s"}
write("echo.py", '''
import json, sys
def handler(e, c):
    return {"statusCode": 200, "headers": {"content-type": "text/plain"},
            "body": json.dumps([e["httpMethod"], e["path"], e["body"]])}
''')
server = Server("echo.handler", "--port", "0", cwd=folder)
HOST = b"Host: a\r\n"
TEXT = b"Content-Type: text/plain\r\n"


def talk(*pieces, pause=0.0, half_close=False, count=1, methods=("GET",)):
    """Send |pieces| apart; |count| responses of one connection."""
    sock = rawhttp.connect(server.address, 20)
    for piece in pieces:
        sock.sendall(piece)
        if pause:
            time.sleep(pause)
    if half_close:
        sock.shutdown(socket.SHUT_WR)
    reader = rawhttp.Reader(sock, 20)
    got = [rawhttp.read_response(reader, methods[n % len(methods)])
           for n in range(count)]
    sock.close()
    return got if count > 1 else got[0]


def body(response):
    return json.loads(response.body)


@check
def pipelined():
    raw = b"".join(b"GET /%d HTTP/1.1\r\n" % n + HOST + b"\r\n"
                   for n in range(20))
    got = talk(raw, count=20)
    same([body(g)[1] for g in got], ["/%d" % n for n in range(20)],
         "20 pipelined requests, in order")
    got = talk(raw, count=20, half_close=True)
    same(len(got), 20, "the same with the client's side closed")
    mixed = (b"POST /a HTTP/1.1\r\n" + HOST + TEXT +
             b"Content-Length: 3\r\n\r\nabcPOST /b HTTP/1.1\r\n" + HOST + TEXT +
             b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
             b"GET /c HTTP/1.1\r\n" + HOST + b"\r\n")
    got = talk(mixed, count=3)
    same([body(g)[1:] for g in got],
         [["/a", "abc"], ["/b", "de"], ["/c", ""]],
         "bodies of both kinds between them")
    got = talk(*[mixed[n:n + 1] for n in range(len(mixed))], count=3)
    same([body(g)[1] for g in got], ["/a", "/b", "/c"], "byte by byte")


@check
def chunked():
    head = b"POST /c HTTP/1.1\r\n" + HOST + TEXT + \
        b"Transfer-Encoding: chunked\r\n\r\n"
    same(body(talk(head + b"3;ext=\"v\"\r\nabc\r\nA\r\n0123456789\r\n"
                   b"0\r\nX-Trailer: 1\r\n\r\n"))[2], "abc0123456789",
         "extensions and trailers")
    big = b"z" * 200000
    same(body(talk(head, b"%x\r\n" % len(big), big, b"\r\n0\r\n\r\n",
                   pause=0.05))[2], big.decode(), "a large chunk, in pieces")
    got = talk(head + b"zz\r\n")
    same((got.status, got.first("Connection")), (400, "close"),
         "a malformed size is 400 and close")


@check
def expect_continue():
    head = b"POST /e HTTP/1.1\r\n" + HOST + TEXT + \
        b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    sock = rawhttp.connect(server.address, 10)
    sock.sendall(head)
    reader = rawhttp.Reader(sock, 10)
    same(reader.until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n",
         "100 Continue comes before the body")
    sock.sendall(b"ok")
    same(body(rawhttp.read_response(reader))[2], "ok", "then the answer")
    got = talk(head.replace(b"Content-Length: 2", b"Content-Length: 2000000"))
    same((got.status, got.interim), (413, b""),
         "a body known to be too large: 413 and no 100")
    got = talk(b"POST / HTTP/1.0\r\n" + HOST + TEXT +
               b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok")
    same((got.status, got.interim), (200, b""), "no 1xx for HTTP/1.0")


@check
def head_and_versions():
    got = talk(b"HEAD /h HTTP/1.1\r\n" + HOST + b"\r\n", methods=("HEAD",))
    same((got.status, got.body), (200, b""), "HEAD has no body")
    ok(int(got.first("Content-Length")) > 0, "but its length")
    got = talk(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
    same((got.status, got.version), (200, "HTTP/1.1"), "HTTP/1.0 is served")
    sock = rawhttp.connect(server.address, 5)
    sock.sendall(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
    reader = rawhttp.Reader(sock, 5)
    rawhttp.read_response(reader)
    ok(not reader.more(), "and its connection closed")
    got = talk(b"GET /1 HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n"
               b"GET /2 HTTP/1.0\r\n" + HOST + b"\r\n", count=2)
    same(body(got[1])[1], "/2", "unless it asks to keep it")
    for version, status in ((b"HTTP/2.0", 505), (b"HTTP/1.2", 200),
                            (b"HTTP/x", 400)):
        same(talk(b"GET / " + version + b"\r\n" + HOST + b"\r\n").status,
             status, version.decode())
    got = talk(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    same(got.first("Connection"), "close", "Connection: close is honoured")


@check
def cut():
    got = talk(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc",
               half_close=True)
    same(got.status, 400, "a body cut short is 400")
    request = b"POST /r HTTP/1.1\r\n" + HOST + TEXT + \
        b"Content-Length: 4\r\n\r\nabcd"
    for n in range(0, len(request) + 1, 3):
        sock = rawhttp.connect(server.address, 5)
        sock.sendall(request[:n])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()  # a reset
    for n in range(0, len(request), 7):
        sock = rawhttp.connect(server.address, 5)
        sock.sendall(request[:n])
        sock.close()
    same(talk(request).status, 200, "clients that vanish at any byte")
    ok(server.process.poll() is None, "leave the server alive")


@check
def desync():
    smuggle = (b"POST /outer HTTP/1.1\r\n" + HOST + TEXT +
               b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"
               b"aaaaaGET /inner HTTP/1.1\r\n" + HOST + b"\r\n")
    sock = rawhttp.connect(server.address, 5)
    sock.sendall(smuggle)
    reader = rawhttp.Reader(sock, 5)
    got = rawhttp.read_response(reader)
    same(got.status, 400, "two lengths are refused")
    same(reader.rest(), b"", "and nothing behind them runs")
    sock = rawhttp.connect(server.address, 5)
    sock.sendall(b"POST /both HTTP/1.1\r\n" + HOST + TEXT +
                 b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"0\r\n\r\nGET /inner HTTP/1.1\r\n" + HOST + b"\r\n")
    reader = rawhttp.Reader(sock, 5)
    got = rawhttp.read_response(reader)
    same((got.status, got.first("Connection")), (200, "close"),
         "an ambiguous request runs once and closes")
    same(reader.rest(), b"", "and nothing behind it runs")


@check
def slow():
    request = b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n"
    same(body(talk(*[request[n:n + 1] for n in range(len(request))],
                   pause=0.02))[1], "/slow", "a slow client is waited for")


same(server.end(), 0, "the server ends well")
finish()
