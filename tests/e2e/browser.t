#!/usr/bin/env python3
"""gitweb and cgit in headless Chromium, every link to depth 3, with their
styles, scripts and images (make check-long)."""
import urllib.parse
import urllib.request

from tap import *

from chromium import Chromium

GIT = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": folder,
       "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "a@b",
       "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "a@b"}
SRV = os.path.join(folder, "srv")
# What has files of its own is served by another program of the folder.
ASSET = """#!/bin/sh
case $PATH_INFO in
*.css) type=text/css ;; *.js) type=text/javascript ;;
*.ico) type=image/x-icon ;; *) type=image/png ;;
esac
file=%s$PATH_INFO
[ -f "$file" ] || { printf 'Status: 404\\n\\n'; exit; }
printf 'Content-Type: %%s\\n\\n' $type
exec cat "$file"
"""


def git(*arguments):
    done = run("git", *arguments, env=GIT)
    if done.returncode != 0:
        raise RuntimeError("git %s: %s" % (" ".join(arguments), done.stderr))


def make_repository():
    work = SRV + "/r"
    git("init", "-q", "-b", "main", work)
    for text in "return 41;", "return 42;":
        write("srv/r/dir one/hello.c", "int main(void) { %s }\n" % text)
        git("-C", work, "add", ".")
        git("-C", work, "commit", "-q", "-m", "Let it " + text)
    git("-C", work, "tag", "v1")


def is_page(url):
    """Not what a browser would save, and no second order of the same."""
    return not any(part in url for part in (
        "/snapshot/", "a=snapshot", "/plain/", "a=blob_plain", "/patch/",
        "a=patch", "a=commitdiff_plain", "a=rss", "a=atom", "/atom/",
        "a=opml", "a=project_index", "/rawdiff/", "a=blobdiff_plain"))


def crawl(base, start):
    """(pages looked at, other links, what did not answer 200, all text)."""
    pages, others, broken, texts, now = set(), set(), set(), "", [start]
    with Chromium(os.path.join(folder, "profile")) as browser:
        for depth in range(4):
            then = []
            for url in now:
                if url in pages or len(pages) >= 300:
                    continue
                pages.add(url)
                text, links, answers = browser.open(url)
                texts += text
                broken |= {(answer, url) for answer in answers
                           if answer[0] not in (200, 304)}
                for link in links:
                    link = urllib.parse.urldefrag(link)[0]
                    if link.startswith(base) and depth < 3:
                        if is_page(link):
                            then.append(link)
                        else:
                            others.add(link)
            now = then
    return pages, others, broken, texts


def look(name, start, server, expected):
    base = server.urls[0].rstrip("/")
    pages, others, broken, texts = crawl(base, base + start)
    ok(20 < len(pages) < 300 and not broken,
       "%s in Chromium: %d pages to depth 3, nothing broken" % (
           name, len(pages)), sorted(broken, key=str))
    for text in expected:
        ok(text in texts, "%s shows %r" % (name, text), texts[:2000])
    broken = []
    for link in sorted(others):
        try:
            urllib.request.urlopen(link, timeout=20).read()
        except OSError as error:
            broken.append((str(error), link))
    ok(others and not broken, "%s: %d files that its pages link to" % (
        name, len(others)), broken)


def folder_of(name, program, assets):
    root = os.path.join(folder, name + "-cgi")
    write(name + "-cgi/" + name, '#!/bin/sh\nexec %s\n' % program, 0o755)
    write(name + "-cgi/asset", ASSET % assets, 0o755)
    return root


@check
def gitweb():
    make_repository()
    conf = write("gitweb.conf", (
        "our $projectroot = '%s';\n$feature{'snapshot'}{'default'} = ['tgz'];\n"
        "our @stylesheets = ('/asset/gitweb.css');\n"
        "our $javascript = '/asset/gitweb.js';\n"
        "our $logo = '/asset/git-logo.png';\n"
        "our $favicon = '/asset/git-favicon.png';\n") % SRV)
    root = folder_of("gitweb", "/usr/share/gitweb/gitweb.cgi",
                     "/usr/share/gitweb/static")
    with Server("--port", "0", "--cgi", root, "--env", "GITWEB_CONFIG=" + conf,
                "--env", "HOME=" + folder) as server:
        look("gitweb", "/gitweb", server, ("Let it return 41;", "hello.c",
                                           "int main(void) { return 42; }"))


@check
def cgit():
    conf = write("cgitrc", (
        "virtual-root=/cgit\ncss=/asset/cgit.css\nlogo=/asset/cgit.png\n"
        "favicon=/asset/favicon.ico\nenable-index-owner=0\n"
        "snapshots=tar.gz\nrepo.url=r\nrepo.path=%s/r/.git\n") % SRV)
    root = folder_of("cgit", "/usr/lib/cgit/cgit.cgi", "/usr/share/cgit")
    with Server("--port", "0", "--cgi", root, "--env", "CGIT_CONFIG=" + conf,
                "--env", "HOME=" + folder) as server:
        look("cgit", "/cgit/", server, ("Let it return 41;", "hello.c",
                                        "return 42;"))


finish()
