"""An echo that validates nothing: it reads frames and asks no further, so what fails behind a gateway is the gateway's.

  lax.py serve              a backend: listens on a free port, prints its address, ends with its input
  lax.py visit URL TOKEN    a client: asks a suite that is a server for its cases, and echoes through each
"""

import asyncio
import base64
import hashlib
import os
import struct
import sys
import urllib.parse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# More than any case sends, so that the suite's end is what ends a connection.
SILENCE_SECONDS_MAX = 120


def masked(mask, data):
    if not data:
        return data
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(data), "big")


def frame(opcode, data, masks):
    length = len(data)
    bit = 0x80 if masks else 0
    if length < 126:
        head = bytes([0x80 | opcode, bit | length])
    elif length < 65536:
        head = bytes([0x80 | opcode, bit | 126]) + struct.pack(">H", length)
    else:
        head = bytes([0x80 | opcode, bit | 127]) + struct.pack(">Q", length)
    if not masks:
        return head + data
    mask = os.urandom(4)
    return head + mask + masked(mask, data)


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    length = second & 127
    if length == 126:
        (length,) = struct.unpack(">H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", await reader.readexactly(8))
    mask = await reader.readexactly(4) if second & 0x80 else None
    data = await reader.readexactly(length)
    return first >> 7, first & 15, masked(mask, data) if mask else data


async def messages(reader, writer, masks):
    """Every message until the other side closes or leaves; pings and the close are answered on the way."""
    kind, parts = None, []
    while True:
        last, opcode, data = await asyncio.wait_for(read_frame(reader), SILENCE_SECONDS_MAX)
        if opcode == CLOSE:
            writer.write(frame(CLOSE, data, masks))
            return
        if opcode == PING:
            writer.write(frame(PONG, data, masks))
        elif opcode != PONG:
            if opcode != CONTINUATION:
                kind, parts = opcode, []
            parts.append(data)
            if last:
                yield kind or BINARY, b"".join(parts)
                parts = []
        await writer.drain()


async def echo(reader, writer, masks):
    try:
        async for kind, data in messages(reader, writer, masks):
            writer.write(frame(kind, data, masks))
        await writer.drain()
        if masks:
            # The server closes first (RFC 6455 section 7.1.1).
            await asyncio.wait_for(reader.read(), SILENCE_SECONDS_MAX)
    except (OSError, EOFError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def answered(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line.split(b":", 1) for line in head.split(b"\r\n") if b":" in line)
        key = next(value.strip() for name, value in lines if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(answer + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    except (OSError, EOFError, StopIteration):
        writer.close()
        return
    await echo(reader, writer, False)


async def opened(url, token):
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    key = base64.b64encode(os.urandom(16)).decode()
    head = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket"]
    head += ["Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    head += [f"Authorization: Bearer {token}", "", ""]
    writer.write("\r\n".join(head).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise SystemExit(f"refused: {answer.decode()}")
    return reader, writer


async def serve():
    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def visit(url, token):
    reader, writer = await opened(f"{url}/getCaseCount", token)
    async for _, data in messages(reader, writer, True):
        count = int(data)
    writer.close()
    for number in range(1, count + 1):
        await echo(*await opened(f"{url}/runCase?case={number}&agent=tidegate", token), True)
    await echo(*await opened(f"{url}/updateReports?agent=tidegate", token), True)


asyncio.run({"serve": serve, "visit": visit}[sys.argv[1]](*sys.argv[2:]))
