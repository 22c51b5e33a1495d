#!/usr/bin/env python3
"""FastCGI: php-fpm, php-cgi that we start, and applications that misbehave."""
import glob
import hashlib
import json
import signal
import socket
import struct
import subprocess
import threading

from tap import *

PUBLIC = os.path.join(folder, "public")
PHP = """<?php
session_start();
$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
header('X-Count: ' . $_SESSION['n']);
if (isset($_FILES['f'])) {
    header('Content-Type: text/plain');
    echo $_POST['text'], "\\n",
        hash_file('sha256', $_FILES['f']['tmp_name']);
} elseif (isset($_GET['status'])) {
    http_response_code((int)$_GET['status']);
} elseif (isset($_GET['big'])) {
    for ($i = 0; $i < 200; $i++) echo str_repeat('x', 100000);
} elseif (isset($_GET['say'])) {
    error_log('a line for the log');
} elseif (isset($_GET['slow'])) {
    echo "one\\n"; flush(); sleep(1); echo "two\\n";
} elseif (isset($_GET['in'])) {
    echo strlen(file_get_contents('php://input'));
} elseif (isset($_GET['pid'])) {
    echo getmypid();
} elseif (isset($_GET['sleep'])) {
    sleep(60);
} else {
    header('Content-Type: application/json');
    echo json_encode($_SERVER);
}
"""
write("public/index.php", PHP)
write("public/sub/other.php", "<?php echo 'other ', $_SERVER['PATH_INFO'];\n")
write("public/secret.txt", "secret\n")


def fpm(children=2):
    """A running php-fpm: process and socket."""
    path = os.path.join(folder, "fpm.sock")
    root = "user = root\ngroup = root\n" if os.getuid() == 0 else ""
    conf = write("fpm.conf", (
        "[global]\ndaemonize = no\nerror_log = %s/fpm.log\n[www]\n%s"
        "listen = %s\npm = static\npm.max_children = %d\n"
        "php_admin_value[upload_max_filesize] = 100M\n"
        "php_admin_value[post_max_size] = 100M\n"
        "php_admin_flag[output_buffering] = off\n"
        "php_admin_value[session.save_path] = %s\n") % (
            folder, root, path, children, folder))
    program = sorted(glob.glob("/usr/sbin/php-fpm*"))[-1]
    process = subprocess.Popen(
        [program, "-y", conf] + (["-R"] if root else []),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    eventually(lambda: os.path.exists(path))
    return process, path


def app(**more):
    fastcgi = more.pop("fastcgi")
    return one_function({"fastcgi": fastcgi, "root": PUBLIC,
                         "timeout": "20s", "concurrency": 16, **more})


def a_form(server, name):
    data = os.urandom(20 << 20)
    with open(os.path.join(folder, "upload.bin"), "wb") as out:
        out.write(data)
    for how, extra in (("", ()),
                       (", in chunks", ("-H", "Transfer-Encoding: chunked"))):
        out = curl(*extra, "-F", "text=gr\u00fc\u00df dich", "-F",
                   "f=@%s/upload.bin" % folder,
                   server.urls[0] + "/index.php").stdout
        same(out.split("\n"), ["gr\u00fc\u00df dich",
                               hashlib.sha256(data).hexdigest()],
             "%s: a form with 20 MB%s" % (name, how))


@check
def php_fpm():
    process, path = fpm()
    try:
        with serve(app(fastcgi={
                "socket": "unix:" + path, "fallback": "index.php",
                "kept": 2})) as server:
            url = server.urls[0]
            env = json.loads(get(server, "/index.php/a%20b?q=1").body)
            for name, value in {
                    "SCRIPT_NAME": "/index.php", "PATH_INFO": "/a b",
                    "QUERY_STRING": "q=1", "DOCUMENT_ROOT": PUBLIC,
                    "REQUEST_URI": "/index.php/a%20b?q=1",
                    "SCRIPT_FILENAME": PUBLIC + "/index.php",
                    "FCGI_ROLE": "RESPONDER"}.items():
                same(env.get(name), value, "php-fpm: " + name)
            env = json.loads(get(server, "/some/route?x", [
                ("Proxy", "evil"), ("X-A", "b")]).body)
            same((env["SCRIPT_NAME"], env["REQUEST_URI"], env["HTTP_X_A"]),
                 ("/index.php", "/some/route?x", "b"),
                 "a path that is no script goes to the fallback")
            ok("HTTP_PROXY" not in env, "Proxy is not passed")
            same(get(server, "/sub/other.php/x").body, b"other /x",
                 "another script")
            jar = os.path.join(folder, "jar")
            for n in 1, 2, 3:
                has(curl("-b", jar, "-c", jar, "-D", "-", "-o", "/dev/null",
                         url + "/").stdout, "X-Count: %d" % n,
                    "a session, request %d" % n)
            a_form(server, "php-fpm")
            same(get(server, "/?status=418").status, 418, "its status")
            same(len(get(server, "/?big").body), 20000000, "20 MB of answer")
            with rawhttp.connect(server.address) as sock:
                sock.sendall(b"GET /?slow HTTP/1.1\r\nHost: h\r\n\r\n")
                begin = time.monotonic()
                reader = rawhttp.Reader(sock, 10)
                reader.until(b"one\n")
                ok(time.monotonic() - begin < 0.8, "output as it comes")
            get(server, "/?say")
            server.wait_for("a line for the log")
            ok(True, "its stderr is in the log")
            got, threads = [], []
            for _ in range(12):
                threads.append(threading.Thread(target=lambda: got.append(
                    get(server, "/?in", method="POST", body=b"x" * 70000)
                    .body)))
                threads[-1].start()
            for thread in threads:
                thread.join()
            same(got, [b"70000"] * 12, "12 at once, with two workers")
            ok(b"secret\n" not in get(server, "/secret.txt").body,
               "a file that is no script is not sent")
            process.send_signal(signal.SIGUSR2)  # all workers are replaced
            time.sleep(1)
            same(get(server, "/?status=204").status, 204,
                 "a kept connection that was closed is replaced")
        with serve(app(fastcgi={"socket": "unix:" + path},
                       timeout="1s")) as server:
            same(get(server, "/?sleep").status, 504, "past its time: 504")
            same(get(server, "/nothing.php").status, 404, "no script: 404")
            same(get(server, "/secret.txt").status, 403, "a text: 403")
            same(get(server, "/../index.php").status, 400, "above: 400")
    finally:
        process.terminate()
        process.wait()
    with serve(app(fastcgi={"socket": "unix:" + path})) as server:
        same(get(server, "/index.php").status, 502, "nobody there: 502")
        server.wait_for("fastcgi/unreachable")
    process, path = fpm()
    try:
        with Server("--port", "0", "--fastcgi", "unix:" + path, "--root",
                    PUBLIC) as server:
            same(get(server, "/?status=201").status, 201,
                 "serve --fastcgi ADDRESS --root FOLDER")
    finally:
        process.terminate()
        process.wait()


@check
def an_application_of_ours():
    with serve(app(fastcgi={
            "command": ["php-cgi", "-d", "upload_max_filesize=100M", "-d",
                        "post_max_size=100M", "-d",
                        "session.save_path=" + folder], "kept": 1},
            environment={"PHP_FCGI_CHILDREN": "2"})) as server:
        a_form(server, "php-cgi")
        pid = int(get(server, "/?pid").body)
        below = descendants(server.process.pid)
        ok(pid in below, "it is a descendant of ours")
        for each in below:
            with open("/proc/%d/comm" % each) as comm:
                if comm.read().strip() == "php-cgi":
                    os.kill(each, signal.SIGKILL)
        ok(eventually(lambda: get(server, "/?status=201").status == 201, 10),
           "killed, it is started again")
    ok(eventually(lambda: not any(is_alive(p) for p in below)),
       "with the server it ends")


def record(kind, data, padding=0):
    return struct.pack(">BBHHBx", 1, kind, 1, len(data), padding) + data + (
        b"\0" * padding)


@check
def applications_that_misbehave():
    end = record(3, b"\0" * 8)
    text = b"Content-Type: a/b\n\n"
    cases = (
        ("padded and in pieces", record(6, text, 5) + record(6, b"ab", 1) +
         record(6, b"") + end, 200, b"ab"),
        ("an unknown record", record(11, b"xxxx") + record(6, text + b"c") +
         end, 200, b"c"),
        ("no output", end, 502, None),
        ("no record", b"HTTP/1.1 400 Bad Request\r\n\r\n", 502, None),
        ("another version", b"\2" + record(6, text)[1:], 502, None),
        ("it just closes", b"", 502, None),
        ("overloaded", record(3, b"\0\0\0\0\2\0\0\0"), 503, None),
        ("a short end", record(3, b"abc"), 502, None),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    answers = []

    def serve_one():
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            try:
                sock.recv(65536)
                for at in range(0, len(answers[0]), 7):
                    sock.sendall(answers[0][at:at + 7])
            except OSError:
                pass  # it has seen enough
            sock.close()
    thread = threading.Thread(target=serve_one, daemon=True)
    thread.start()
    with serve(app(fastcgi={"socket": "127.0.0.1:%d" %
                            listening.getsockname()[1]})) as server:
        for name, answer, status, body in cases:
            answers[:] = [answer]
            got = get(server, "/index.php")
            same((got.status, got.body if body is not None else None),
                 (status, body), name)
    listening.close()


finish()
