#!/usr/bin/env python3
"""Limits of ALB, and our own deadlines."""
import socket

from tap import *

HOST = b"Host: a\r\n"


def ask(server, raw, method="GET"):
    return rawhttp.exchange(server.address, raw, method, 30)


def line(n):
    """A request whose request line has |n| bytes."""
    frame = len(b"GET / HTTP/1.1")
    return b"GET /" + b"a" * (n - frame) + b" HTTP/1.1\r\n" + HOST + b"\r\n"


def field(n):
    """A request with one field line of |n| bytes."""
    return b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: " + b"v" * (n - 8) + \
        b"\r\n\r\n"


@check
def sizes():
    with serve(mock()) as server:
        same(ask(server, line(16383)).status, 200, "a line of 16 K less 1")
        same(ask(server, line(16385)).status, 414, "over 16 K: 414")
        same(ask(server, field(16383)).status, 200, "a field of 16 K less 1")
        got = ask(server, field(16384))
        same((got.status, got.first("Connection")), (400, "close"),
             "a field of 16 K: 400 and close")
        many = b"".join(b"X-%03d: %s\r\n" % (n, b"v" * 1000)
                        for n in range(60))
        raw = b"GET / HTTP/1.1\r\n" + HOST
        same(ask(server, raw + many + b"\r\n").status, 200, "60 K of fields")
        same(ask(server, raw + many + many[:9000] + b"\r\n\r\n").status, 400,
             "over 64 K: 400")
        post = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
        same(ask(server, post % 1048576 + b"b" * 1048576).status, 200,
             "a body of 1 MiB")
        got = ask(server, post % 1048577)
        same((got.status, got.first("Connection")), (413, "close"),
             "one byte more: 413 before the body is sent")
        chunk = b"10000\r\n" + b"c" * 65536 + b"\r\n"
        got = ask(server, b"POST / HTTP/1.1\r\n" + HOST +
                  b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17)
        same(got.status, 413, "the same of a chunked one")
        addresses = ", ".join("10.0.0.%d" % n for n in range(31))
        got = ask(server, raw + b"X-Forwarded-For: " + addresses.encode() +
                  b"\r\n\r\n")
        same(got.status, 463, "31 addresses in X-Forwarded-For: 463")
        endless = rawhttp.connect(server.address, 10)
        sent = 0
        try:
            while sent < 4 << 20:
                sent += endless.send(b"x" * 65536)
        except OSError:
            pass
        got = rawhttp.read_response(rawhttp.Reader(endless, 10))
        same((got.status, got.first("Connection")), (414, "close"),
             "a head without end")


@check
def limits_off():
    config = mock()
    config["fronts"]["web"]["limits"] = "off"
    with serve(config) as server:
        post = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3000000\r\n\r\n"
        same(ask(server, post + b"b" * 3000000).status, 200,
             '"limits": "off" takes 3 MB')
        same(ask(server, field(20000)).status, 200, "and longer fields")


@check
def results():
    body = "x" * 1048000
    with serve(mock('{"statusCode":200,"body":"%s"}' % body)) as server:
        same(len(get(server).body), len(body), "a result just under 1 MiB")
    with serve(mock('{"statusCode":200,"body":"%s"}' % (body + "x" * 600))
               ) as server:
        same(get(server).status, 502, "over it: 502")


@check
def time_limits():
    config = mock()
    config["fronts"]["web"]["attributes"] = {
        "idle_timeout.timeout_seconds": "1"}
    with serve(config) as server:
        begin = time.monotonic()
        got = ask(server, b"POST / HTTP/1.1\r\n" + HOST +
                  b"Content-Length: 10\r\n\r\nabc")
        same(got.status, 408, "a client that stalls inside a body: 408")
        ok(0.9 < time.monotonic() - begin < 6, "after the idle timeout")
        idle = rawhttp.connect(server.address, 10)
        idle.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        reader = rawhttp.Reader(idle, 10)
        rawhttp.read_response(reader)
        same(reader.rest(), b"", "between requests it is closed silently")


@check
def many_connections():
    with serve(mock()) as server:
        socks = [rawhttp.connect(server.address, 20) for _ in range(400)]
        for sock in socks:
            sock.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        got = [rawhttp.read_response(rawhttp.Reader(s, 20)).status
               for s in socks]
        same(set(got), {200}, "400 connections at once")
        for sock in socks:
            sock.close()


finish()
