"""A raw HTTP/1.1 client: bytes out, one response in, nothing assumed."""
import ipaddress
import select
import socket
import struct


class Response:
    def __init__(self):
        self.status = 0
        self.reason = ""
        self.version = ""
        self.headers = []
        self.body = b""
        self.interim = b""
        self.closed = False  # the server ended the connection

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def first(self, name, preset=None):
        values = self.all(name)
        return values[0] if values else preset


def proxy_line(version, source, source_port, port):
    """A PROXY header of |version|; the target address is made up."""
    ip = ipaddress.ip_address(source)
    target = ipaddress.ip_address(
        "192.0.2.10" if ip.version == 4 else "2001:db8::10")
    if version == 1:
        return ("PROXY TCP%d %s %s %d %d\r\n" % (
            ip.version, ip, target, source_port, port)).encode()
    family = 0x11 if ip.version == 4 else 0x21
    addresses = ip.packed + target.packed + struct.pack(
        ">HH", source_port, port)
    return (b"\r\n\r\n\0\r\nQUIT\n" +
            struct.pack(">BBH", 0x21, family, len(addresses)) + addresses)


class Reader:
    """Bytes of a socket with a deadline for each wait."""

    def __init__(self, sock, timeout):
        self.sock = sock
        self.data = bytearray()
        self.ended = False
        sock.settimeout(timeout)

    def more(self):
        if self.ended:
            return False
        try:
            piece = self.sock.recv(1 << 18)
        except ConnectionResetError:
            piece = b""
        if not piece:
            self.ended = True
            return False
        self.data += piece
        return True

    def until(self, mark):
        at = 0
        while True:
            found = self.data.find(mark, at)
            if found >= 0:
                return self.take(found + len(mark))
            at = max(0, len(self.data) - len(mark))
            if not self.more():
                raise EOFError("closed after %r" % bytes(self.data[:200]))

    def take(self, n):
        while len(self.data) < n:
            if not self.more():
                raise EOFError("closed inside a body")
        piece = bytes(self.data[:n])
        del self.data[:n]
        return piece

    def rest(self):
        while self.more():
            pass
        return self.take(len(self.data))


def read_chunked(reader):
    body = b""
    while True:
        size = int(reader.until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            while reader.until(b"\r\n") != b"\r\n":
                pass
            return body
        body += reader.take(size)
        if reader.take(2) != b"\r\n":
            raise ValueError("a chunk does not end in CR LF")


def read_head(reader):
    out = Response()
    lines = reader.until(b"\r\n\r\n").decode("latin-1")[:-4].split("\r\n")
    out.version, _, rest = lines[0].partition(" ")
    status, _, out.reason = rest.partition(" ")
    out.status = int(status)
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header line without colon: %r" % line)
        out.headers.append((name, value.strip(" \t")))
    return out


def read_response(reader, method="GET", stray=0.03):
    """One response; interim ones are collected in .interim."""
    interim = b""
    while True:
        before = bytes(reader.data)
        out = read_head(reader)
        if out.status >= 200 or out.status == 101:
            break
        consumed = len(before) - len(reader.data)
        interim += before[:consumed] if consumed > 0 else (
            "%s %d %s\r\n\r\n" % (out.version, out.status, out.reason)).encode()
    out.interim = interim
    lengths = set(out.all("Content-Length"))
    if len(lengths) > 1:
        raise ValueError("several Content-Length: %r" % lengths)
    if method == "HEAD" or out.status in (204, 304):
        # Nothing may come; what does is shown as the body it must not have.
        if not reader.ended and select.select([reader.sock], [], [], stray)[0]:
            reader.more()
        out.body = reader.take(len(reader.data))
    elif out.all("Transfer-Encoding"):
        out.body = read_chunked(reader)
    elif lengths:
        out.body = reader.take(int(lengths.pop()))
    else:
        out.body = reader.rest()
    out.closed = reader.ended
    return out


def connect(address, timeout=60):
    sock = socket.create_connection(address, timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def exchange(address, raw, method="GET", timeout=60):
    """Send |raw| on a connection of its own, leave it open, read one answer."""
    with connect(address, timeout) as sock:
        try:
            sock.sendall(raw)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early; the answer is there all the same
        return read_response(Reader(sock, timeout), method)
