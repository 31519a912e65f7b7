// A WebSocket backend that does what a journey tells it to as soon as somebody connects. It speaks as much of
// RFC 6455 as that needs: the handshake, text frames out, a Close.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** RFC 6455, section 1.3. */
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;
const CLOSE = 0x88;

/** A whole frame, unmasked, as a backend sends it. */
function frame(head: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([head, length]), payload]);
  return Buffer.concat([Buffer.from([head, 126, length >> 8, length & 0xff]), payload]);
}

export const text = (message: string): Buffer => frame(TEXT, Buffer.from(message));

export function close(code: number, reason: string): Buffer {
  const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
  return frame(CLOSE, payload);
}

export class Backend {
  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Duplex>,
    /** Every handshake, in its order. */
    readonly asked: IncomingMessage[],
  ) {}

  /** `greet` has the open connection. */
  static async start(greet: (socket: Duplex) => void): Promise<Backend> {
    const sockets = new Set<Duplex>();
    const asked: IncomingMessage[] = [];
    const server = createServer((_, response) => response.writeHead(426).end());
    server.on("upgrade", (request, socket) => {
      sockets.add(socket);
      asked.push(request);
      socket.on("error", () => socket.destroy());
      const key = `${request.headers["sec-websocket-key"]}${MAGIC}`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      greet(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Backend(server, sockets, asked);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
