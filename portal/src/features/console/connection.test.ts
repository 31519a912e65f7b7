import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection } from "./connection";

/** A socket that the test plays. */
class FakeSocket {
  static OPEN = 1;
  static last: FakeSocket;
  readyState = 1;
  protocol = "bearer";
  binaryType = "";
  sent: unknown[] = [];
  onopen: () => void = () => {};
  onmessage: (event: { data: unknown }) => void = () => {};
  onclose: (event: { code: number; reason: string }) => void = () => {};
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.last = this;
  }
  send(data: unknown) {
    this.sent.push(data);
  }
  close() {
    this.readyState = 2;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connected(): Connection {
  const connection = new Connection();
  connection.open("wss://x/console/echo/1.0", "t.o.k", ["chat"]);
  FakeSocket.last.onopen();
  return connection;
}

test("the token travels as a subprotocol before the others", () => {
  connected();
  expect(FakeSocket.last.protocols).toEqual(["bearer", "t.o.k", "chat"]);
});

test("what is sent and received is counted in messages and bytes", () => {
  const connection = connected();
  connection.send("né");
  FakeSocket.last.onmessage({ data: new Uint8Array([1, 2]).buffer });
  vi.runAllTimers();
  const { sent, sentBytes, received, receivedBytes, entries } = connection.snapshot();
  expect([sent, sentBytes, received, receivedBytes]).toEqual([1, 3, 1, 2]);
  expect(entries.map((entry) => entry.kind)).toEqual(["note", "sent", "received"]);
});

test("a flood is told in few batches and loses nothing", () => {
  const connection = connected();
  let told = 0;
  connection.subscribe(() => {
    told += 1;
  });
  for (let at = 0; at < 10_000; at += 1) FakeSocket.last.onmessage({ data: String(at) });
  vi.runAllTimers();
  expect(told).toBe(1);
  expect(connection.snapshot().received).toBe(10_000);
  expect(connection.snapshot().entries.length).toBe(10_001);
});

test("a close keeps its code and reason", () => {
  const connection = connected();
  FakeSocket.last.onclose({ code: 3003, reason: '{"reason":"blocked"}' });
  expect(connection.snapshot().state).toBe("closed");
  expect(connection.snapshot().ending).toEqual({ code: 3003, reason: '{"reason":"blocked"}' });
});

test("the events of a replaced socket change nothing", () => {
  const connection = connected();
  const old = FakeSocket.last;
  connection.open("wss://x/console/echo/1.0", "t", []);
  FakeSocket.last.onopen();
  old.onclose({ code: 1006, reason: "" });
  expect(connection.snapshot().state).toBe("open");
});
