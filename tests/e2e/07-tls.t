#!/usr/bin/env python3
"""TLS: the self-signed certificate, versions, several certificates by SNI."""
import re
import ssl

from tap import *

STATE = os.path.join(folder, "state")
ENV = {**os.environ, "XDG_STATE_HOME": STATE}


def certificate(name, *names):
    cert, key = (os.path.join(folder, name + end) for end in (".pem", ".key"))
    done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
               "-subj", "/CN=" + names[0], "-addext", "subjectAltName=" +
               ",".join("DNS:" + n for n in names), "-keyout", key,
               "-out", cert)
    assert done.returncode == 0, done.stderr
    os.chmod(key, 0o600)
    return {"certificate": cert, "key": key}


def client(server, name, *options):
    return run("openssl", "s_client", "-connect",
               "%s:%d" % server.address, "-servername", name, "-brief",
               *options, stdin="")


write("app/app.py", "def handler(e, c):\n"
      "    return {'statusCode': 200, 'body': e['headers']"
      "['x-forwarded-proto'] + e['headers']['x-forwarded-port']}\n")
HOME = os.path.join(folder, "app")


@check
def self_signed():
    with Server("app.handler", "--port", "0", "--tls", cwd=HOME,
                env=ENV) as server:
        url = [u for u in server.urls if u.startswith("https://")][0]
        match = server.wait_for(r"curl --cacert (\S+) (\S+)")
        out = curl("--cacert", match.group(1), url)
        ok(out.stdout.startswith("https"), "curl --cacert", out.stderr)
        same(out.stdout, "https" + url.rsplit(":", 1)[1].rstrip("/"),
             "x-forwarded-proto and -port")
        port = url.rsplit(":", 1)[1].rstrip("/")
        out = curl("--cacert", match.group(1), "https://localhost:" + port)
        ok(out.stdout.startswith("https"), "for localhost too", out.stderr)
        ok(run("sh", "-c", match.group(0)).stdout.startswith("https"),
           "the printed line works as it is")
        key = [os.path.join(at, n) for at, _, ns in os.walk(STATE) for n in ns
               if n.endswith("key") or "key" in n]
        same([os.stat(k).st_mode & 0o777 for k in key], [0o600],
             "the key is for its owner only")
        before = open(match.group(1)).read()
    with Server("app.handler", "--port", "0", "--tls", cwd=HOME,
                env=ENV) as server:
        same(open(match.group(1)).read(), before, "it is made once")


@check
def versions():
    config = mock()
    config["listeners"][0]["tls"] = certificate("one", "one.example")
    with serve(config) as server:
        for option, shown in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            out = client(server, "one.example", option)
            has(out.stderr + out.stdout, shown, shown + " is spoken")
        out = client(server, "one.example", "-tls1_1", "-cipher",
                     "ALL:@SECLEVEL=0")
        ok(out.returncode != 0, "TLS 1.1 is not", out.stderr)
        out = client(server, "one.example", "-tls1_2", "-cipher",
                     "AES128-SHA256")
        ok(out.returncode != 0, "nor is a cipher without ECDHE", out.stderr)
        out = curl("-k", "-I", "--http1.1", "https://%s:%d" % server.address)
        has(out.stdout, "HTTP/1.1 200", "ALPN http/1.1")
        out = curl("-k", "https://%s:%d" % server.address)
        same(out.stdout, "hello", "a client that offers h2 gets http/1.1")


@check
def several_certificates():
    config = mock()
    config["listeners"][0]["tls"] = [
        certificate("default", "default.example"),
        certificate("two", "two.example", "*.wild.example")]
    with serve(config) as server:
        for name, subject in (
                ("two.example", "two.example"),
                ("a.wild.example", "two.example"),
                ("a.b.wild.example", "default.example"),
                ("TWO.example", "two.example"),
                ("default.example", "default.example"),
                ("else.example", "default.example")):
            out = client(server, name)
            match = re.search(r"CN ?= ?(\S+)", out.stderr + out.stdout)
            same(match and match.group(1), subject, "SNI " + name)


@check
def plain_http_on_it():
    config = mock()
    config["listeners"][0]["tls"] = certificate("plain", "plain.example")
    with serve(config) as server:
        got = get(server)
        same((got.status, got.closed or got.first("Connection")),
             (400, "close"), "plain HTTP on a TLS port is 400 and close") \
            if not got.closed else ok(got.status == 400,
                                      "plain HTTP on a TLS port is 400")


@check
def reload():
    pair = certificate("swap", "old.example")
    config = mock()
    config["listeners"][0]["tls"] = pair
    with serve(config) as server:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(rawhttp.connect(server.address),
                                   server_hostname="old.example")
        certificate("swap", "new.example")
        import signal
        server.signal(signal.SIGHUP)
        ok(eventually(lambda: "new.example" in "".join(
            client(server, "x").stderr)), "SIGHUP reads new certificates")
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        same(rawhttp.read_response(rawhttp.Reader(sock, 10)).status, 200,
             "an old connection goes on")
        write("swap.pem", "no certificate")
        server.signal(signal.SIGHUP)
        server.wait_for("swap.pem")
        ok("new.example" in client(server, "x").stderr,
           "a broken file keeps the old one in force")


@check
def wrong_files():
    config = mock()
    config["listeners"][0]["tls"] = {
        "certificate": write("not.pem", "x"), "key": write("not.key", "x")}
    got = albatross("serve", "-c", write_config(folder, config))
    same(got.returncode, 2, "a file that is no certificate: exit 2")
    has(got.stderr, "not.pem", "named")


finish()
