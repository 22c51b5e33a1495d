#!/usr/bin/env python3
"""Real CGI programs of Debian: git http-backend, gitweb, cgit, php-cgi, CGI.pm."""
import gzip
import hashlib
import html.parser
import io
import json
import re
import socket
import subprocess
import tarfile
import urllib.parse
import urllib.request

from tap import *

GIT = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": folder,
       "GIT_SSL_NO_VERIFY": "1", "GIT_TERMINAL_PROMPT": "0",
       "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "a@b",
       "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "a@b"}
SRV = os.path.join(folder, "srv")
BACKEND = "/usr/lib/git-core/git-http-backend"


def git(*arguments, cwd=folder):
    done = run("git", *arguments, cwd=cwd, env=GIT, timeout=120)
    if done.returncode != 0:
        raise RuntimeError("git %s: %s" % (" ".join(arguments), done.stderr))
    return done.stdout.strip()


def sum_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        for piece in iter(lambda: data.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def make_work():
    """A repository with history, folders, odd names and 60 MB that do not
    compress; a bare one that takes pushes."""
    work = os.path.join(folder, "work")
    git("init", "-q", "-b", "main", work)
    for n in range(3):
        write("work/dir %d/file.txt" % n, "text %d\n" % n)
        write("work/%d.c" % n, "int x%d;\n" % n)
        git("add", ".", cwd=work)
        git("commit", "-q", "-m", "commit %d" % n, cwd=work)
    with open(os.path.join(work, "big.bin"), "wb") as out:
        out.write(os.urandom(60 << 20))
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "binary", cwd=work)
    git("init", "-q", "--bare", "-b", "main", SRV + "/r.git")
    git("-C", SRV + "/r.git", "config", "http.receivepack", "true")
    return work


@check
def git_http_backend():
    work = make_work()
    with Server("--port", "0", "--tls-port", "0", "--cgi", BACKEND,
                "--env", "GIT_PROJECT_ROOT=" + SRV,
                "--env", "GIT_HTTP_EXPORT_ALL=1", "--env", "HOME=" + folder,
                ) as server:
        plain, secure = server.urls[0], server.urls[1]
        git("push", "-q", plain + "/r.git", "main", cwd=work)
        same(git("-C", SRV + "/r.git", "rev-parse", "main"),
             git("rev-parse", "HEAD", cwd=work),
             "git push of 60 MB, in chunks")
        for name, url in (("http", plain), ("https", secure)):
            git("clone", "-q", url + "/r.git", name)
            same(sum_of(folder + "/%s/big.bin" % name),
                 sum_of(work + "/big.bin"), "git clone by %s" % name)
            git("-C", name, "fsck", "--strict")
            git("clone", "-q", "--depth", "1", url + "/r.git", "s" + name)
            same(git("-C", "s" + name, "rev-list", "--count", "HEAD"), "1",
                 "a shallow clone by %s" % name)
            write("work/new-" + name, "x")
            git("add", ".", cwd=work)
            git("commit", "-q", "-m", name, cwd=work)
            git("-c", "http.postBuffer=100000000", "push", "-q",
                url + "/r.git", "main", cwd=work)
            git("-C", "s" + name, "fetch", "-q", "--depth", "2")
            same(git("-C", "s" + name, "rev-parse", "origin/main"),
                 git("rev-parse", "HEAD", cwd=work),
                 "push with a length, shallow fetch by %s" % name)
        done = run("git", "clone", plain + "/none.git", cwd=folder, env=GIT)
        ok(done.returncode != 0 and "not found" in done.stderr,
           "a repository that is not there", done.stderr)


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if value and (tag, name) in (("a", "href"), ("link", "href"),
                                         ("img", "src"), ("script", "src")):
                self.found.append(value)


def crawl(base, start, depth):
    """Every page of |base| to |depth|: url -> (status, body)."""
    pages, now = {}, [start]
    for _ in range(depth + 1):
        then = []
        for url in now:
            if url in pages or len(pages) > 400:
                continue
            done = run("curl", "-sS", "--max-time", "20", "-w",
                       "\n%{http_code} %{content_type}", url, stdin=b"")
            body, _, last = done.stdout.rpartition(b"\n")
            status, _, kind = last.decode().partition(" ")
            pages[url] = int(status), body
            if "html" not in kind:
                continue
            links = Links()
            links.feed(body.decode("utf-8", "replace"))
            for link in links.found:
                link = urllib.parse.urldefrag(
                    urllib.parse.urljoin(url, link))[0]
                # patches of 60 MB as text are no page to look at
                if link.startswith(base) and "big.bin" not in link:
                    then.append(link)
        now = then
    return pages


def same_tar(data, name):
    """Is |data| (tar.gz) what git archive makes, to the byte?"""
    got = gzip.decompress(data)
    with tarfile.open(fileobj=io.BytesIO(got)) as tar:
        prefix = tar.getnames()[0].split("/")[0]
    want = run("git", "-C", SRV + "/r.git", "archive", "--prefix",
               prefix + "/", git("-C", SRV + "/r.git", "rev-parse", "main~3"),
               env=GIT, stdin=b"").stdout
    ok(got == want and len(want) > 10000, name,
       (prefix, len(got), len(want)))


@check
def gitweb():
    conf = write("gitweb.conf", "our $projectroot = '%s';\n"
                 "$feature{'snapshot'}{'default'} = ['tgz'];\n"
                 "our @stylesheets = (); our $logo = ''; our $favicon = '';\n"
                 "our $javascript = '';\n" % SRV)
    with Server("--port", "0", "--cgi", "/usr/share/gitweb/gitweb.cgi",
                "--cgi-prefix", "/gitweb", "--env", "GITWEB_CONFIG=" + conf,
                "--env", "HOME=" + folder, "--concurrency", "2") as server:
        base = server.urls[0] + "/gitweb"
        pages = crawl(base, base, 2)
        broken = [(s, u) for u, (s, _) in pages.items() if s != 200]
        ok(len(pages) > 20 and not broken,
           "gitweb: %d pages, no broken link" % len(pages), broken)
        commit = git("-C", SRV + "/r.git", "rev-parse", "main~3")
        data = urllib.request.urlopen(
            base + "?p=r.git;a=snapshot;h=%s;sf=tgz" % commit).read()
        same_tar(data, "gitweb: a snapshot is what git archive makes")
        got = get(server, "/gitweb?p=none.git;a=summary")
        same((got.status, got.reason), (404, "Not Found"),
             "gitweb: its own 404")


@check
def cgit():
    conf = write("cgitrc", "virtual-root=/cgit\nenable-index-owner=0\n"
                 "snapshots=tar.gz\ncss=\nlogo=\nfavicon=\n"
                 "max-blob-size=100\nrepo.url=r\nrepo.path=%s/r.git\n" % SRV)
    with Server("--port", "0", "--cgi", "/usr/lib/cgit/cgit.cgi",
                "--cgi-prefix", "/cgit", "--env", "CGIT_CONFIG=" + conf,
                "--env", "HOME=" + folder) as server:
        base = server.urls[0] + "/cgit"
        pages = crawl(base, base + "/", 3)
        broken = [(s, u) for u, (s, _) in pages.items() if s != 200]
        ok(len(pages) > 20 and not broken,
           "cgit: %d pages, no broken link" % len(pages), broken)
        commit = git("-C", SRV + "/r.git", "rev-parse", "main~3")
        data = urllib.request.urlopen(
            base + "/r/snapshot/r-%s.tar.gz" % commit).read()
        same_tar(data, "cgit: a snapshot is what git archive makes")
        same(get(server, "/cgit/none/").status, 404, "cgit: its own 404")


PHP = """<?php
session_start();
$_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
header('X-Count: ' . $_SESSION['n']);
if (isset($_FILES['f'])) {
    header('Content-Type: text/plain');
    echo $_POST['text'], "\\n", $_FILES['f']['name'], "\\n",
        hash_file('sha256', $_FILES['f']['tmp_name']);
} elseif (isset($_GET['status'])) {
    http_response_code((int)$_GET['status']);
} else {
    header('Content-Type: application/json');
    echo json_encode($_SERVER);
}
"""


@check
def php_cgi():
    write("public/index.php", PHP)
    data = os.urandom(1900000)  # php.ini: 2M at most
    with open(os.path.join(folder, "upload.bin"), "wb") as out:
        out.write(data)
    with Server("--port", "0", "--cgi", os.path.join(folder, "public"),
                "--cgi-interpreter", ".php=/usr/bin/php-cgi",
                "--cgi-index", "index.php") as server:
        url = server.urls[0]
        jar = os.path.join(folder, "jar")
        for n in 1, 2, 3:
            head = curl("-b", jar, "-c", jar, "-D", "-", "-o", "/dev/null",
                        url + "/").stdout
            has(head, "X-Count: %d" % n, "php-cgi: a session, request %d" % n)
        out = curl("-F", "text=gr\u00fc\u00df dich", "-F",
                   "f=@%s/upload.bin" % folder, url + "/index.php").stdout
        same(out.split("\n"), ["gr\u00fc\u00df dich", "upload.bin",
                               hashlib.sha256(data).hexdigest()],
             "php-cgi: a form with a binary upload")
        out = curl("-H", "Transfer-Encoding: chunked", "-F", "text=x", "-F",
                   "f=@%s/upload.bin" % folder, url + "/").stdout
        has(out, hashlib.sha256(data).hexdigest(),
            "php-cgi: the same in chunks")
        same(get(server, "/?status=418").status, 418, "php-cgi: its status")
        server_vars = json.loads(
            curl(url + "/index.php/a%20b?q=1").stdout)
        for name, value in {
                "SCRIPT_NAME": "/index.php", "PATH_INFO": "/a b",
                "PHP_SELF": "/index.php/a b", "QUERY_STRING": "q=1",
                "REQUEST_URI": "/index.php/a%20b?q=1",
                "SCRIPT_FILENAME": folder + "/public/index.php",
                "DOCUMENT_ROOT": folder + "/public",
                "GATEWAY_INTERFACE": "CGI/1.1"}.items():
            same(server_vars.get(name), value, "php-cgi: " + name)


def variables_of(port):
    out = curl(
        "http://127.0.0.1:%d/vars.php/a%%20b/c?q=1&r=%%20" % port,
        "-H", "Host: example.com:80", "-H", "X-A: 1", "-H", "X-A: 2",
        "-H", "Cookie: a=1", "-H", "Authorization: Basic dTpw",
        "-H", "X_Under: u", "-d", "x=1").stdout
    return json.loads(out)


@check
def php_as_behind_lighttpd():
    """The difference is the table of docs/php-variables.md."""
    write("same/vars.php", "<?php echo json_encode($_SERVER);\n")
    root = os.path.join(folder, "same")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = write("lighttpd.conf", (
        'server.modules = ("mod_cgi")\nserver.document-root = "%s"\n'
        'server.bind = "127.0.0.1"\nserver.port = %d\n'
        'cgi.assign = (".php" => "/usr/bin/php-cgi")\n') % (root, port))
    peer = subprocess.Popen(["/usr/sbin/lighttpd", "-D", "-f", conf],
                            stdin=subprocess.DEVNULL)
    try:
        with Server("--port", "0", "--cgi", root, "--cgi-interpreter",
                    ".php=/usr/bin/php-cgi") as server:
            eventually(lambda: socket.socket().connect_ex(
                ("127.0.0.1", port)) == 0)
            theirs, ours = variables_of(port), variables_of(server.address[1])
    finally:
        peer.terminate()
        peer.wait()
    differ = {name for name in theirs.keys() | ours.keys()
              if theirs.get(name) != ours.get(name)}
    with open(os.path.join(ROOT, "docs/php-variables.md")) as page:
        known = set(re.findall(r"^\| `(\w+)`", page.read(), re.M))
    same(sorted(differ - known), [],
         "every variable of PHP is as behind lighttpd, or listed")
    same(sorted(known - differ - {"REQUEST_TIME", "REMOTE_PORT",
                                  "REQUEST_TIME_FLOAT"}), [],
         "and what is listed differs")
    ok(len(theirs) > 25, "of %d variables" % len(theirs))


@check
def perl_c_and_shell():
    write("p/form", "#!/usr/bin/perl\nuse CGI; my $q = CGI->new;\n"
          "print $q->header(-type => 'text/plain', -status => '201 Made', "
          "-cookie => [$q->cookie('a', 1), $q->cookie('b', 2)]);\n"
          "print join ',', map { \"$_=\" . $q->param($_) } sort $q->param;\n"
          "print ' ', $q->self_url, ' ', $q->path_info;\n", 0o755)
    source = write("p.c", "#include <stdio.h>\n#include <stdlib.h>\n"
                   "int main(void) { char b[4096]; size_t n;\n"
                   "printf(\"Content-Type: text/plain\\n\\n%s \", "
                   "getenv(\"REQUEST_METHOD\"));\n"
                   "while ((n = fread(b, 1, sizeof b, stdin)) > 0)\n"
                   "fwrite(b, 1, n, stdout);\nreturn 0; }\n")
    done = run("cc", "-O", "-static", "-o", folder + "/p/c", source)
    ok(done.returncode == 0, "a C program", done.stderr)
    with Server("--port", "0", "--cgi", folder + "/p") as server:
        got = rawhttp.exchange(
            server.address, b"POST /form/x%20y?u=1 HTTP/1.1\r\nHost: h:1\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 11\r\n\r\nx=%201&y=+2")
        same((got.status, got.reason), (201, "Made"), "CGI.pm: Status")
        same(len(got.all("Set-Cookie")), 2, "CGI.pm: two cookies")
        has(got.body.decode(), "x= 1,y= 2", "CGI.pm: a form")
        has(got.body.decode(), "/form/x%20y", "CGI.pm: its own URL")
        got = get(server, "/c", method="POST", body=b"abc" * 30000)
        same(got.body, b"POST " + b"abc" * 30000, "C: body and back")


finish()
