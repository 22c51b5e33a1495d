"""Frames on a stream socket: four bytes of length, then the bytes."""
import struct


def send(sock, data):
    sock.sendall(struct.pack(">I", len(data)) + data)


def receive_exactly(sock, n):
    data = bytearray()
    while len(data) < n:
        piece = sock.recv(min(n - len(data), 1 << 20))
        if not piece:
            raise EOFError("the other side is gone")
        data += piece
    return bytes(data)


def receive(sock):
    (n,) = struct.unpack(">I", receive_exactly(sock, 4))
    return receive_exactly(sock, n)
