#!/usr/bin/env python3
"""Listeners on unix sockets."""
import socket
import stat

from tap import *

PATH = os.path.join(folder, "web.sock")


@check
def unix_socket():
    config = mock()
    config["listeners"] = [{"address": "unix:" + PATH, "front": "web"}]
    with serve(config) as server:
        same(server.lines[-1], "ready", "it is ready")
        ok(stat.S_ISSOCK(os.stat(PATH).st_mode), "the socket is there")
        same([curl("--unix-socket", PATH, "http://example.com/").stdout
              for _ in range(5)], ["hello"] * 5, "curl --unix-socket")
        got = albatross("serve", "-c", write_config(folder, config), timeout=10)
        same(got.returncode, 2, "a second server on it is refused")
        same(server.end(), 0, "it ends")
    ok(not os.path.exists(PATH), "and takes the socket away")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(PATH)
    stale.close()
    with serve(config) as server:
        same(curl("--unix-socket", PATH, "http://a/").stdout, "hello",
             "a stale socket is replaced")
    os.path.exists(PATH) and os.unlink(PATH)
    write("web.sock", "precious")
    got = albatross("serve", "-c", write_config(folder, config), timeout=10)
    same((got.returncode, open(PATH).read()), (2, "precious"),
         "a file that is no socket is left alone")


finish()
