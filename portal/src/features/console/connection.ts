// One WebSocket of the console and everything that passed over it. Knows no React: the page subscribes to it. What
// arrives is told to listeners in batches, so that a flood of messages costs few renders.
import { textBytes } from "../../lib/bytes";
import { explainCode } from "../../lib/close-codes";

export type EntryKind = "sent" | "received" | "note";

export interface Entry {
  number: number;
  at: number;
  kind: EntryKind;
  data: string | Uint8Array<ArrayBuffer>;
  bytes: number;
}

export interface Ending {
  code: number;
  reason: string;
}

export interface Snapshot {
  state: "idle" | "connecting" | "open" | "closing" | "closed";
  entries: readonly Entry[];
  openedAt: number | null;
  closedAt: number | null;
  protocol: string;
  ending: Ending | null;
  sent: number;
  received: number;
  sentBytes: number;
  receivedBytes: number;
}

/** Entries that are kept; beyond it the oldest go. Enough for a long session, small enough for a laptop. */
const ENTRIES_MAX = 20_000;
/** How many go at once, so that dropping is rare. */
const ENTRIES_DROPPED = 2_000;
/** Listeners hear at most this often: five frames of a screen, which nobody sees. */
const BATCH_MILLIS = 80;

const EMPTY: Snapshot = {
  state: "idle",
  entries: [],
  openedAt: null,
  closedAt: null,
  protocol: "",
  ending: null,
  sent: 0,
  received: 0,
  sentBytes: 0,
  receivedBytes: 0,
};

export class Connection {
  private socket: WebSocket | null = null;
  private entries: Entry[] = [];
  private next = 1;
  private current: Snapshot = EMPTY;
  private waiting: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly snapshot = (): Snapshot => this.current;

  /** Opens `url`; the token goes first among the subprotocols, after the word that announces it. */
  open(url: string, token: string, subprotocols: string[]): void {
    this.socket?.close();
    const socket = new WebSocket(url, ["bearer", token, ...subprotocols]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.change({ ...EMPTY, entries: this.entries, state: "connecting" });
    socket.onopen = () => this.of(socket, () => this.opened(socket));
    socket.onmessage = (event) => this.of(socket, () => this.arrived(event.data));
    socket.onclose = (event) => this.of(socket, () => this.ended(event));
  }

  /** An event of a socket that was replaced is nobody's any more. */
  private of(socket: WebSocket, act: () => void): void {
    if (this.socket === socket) act();
  }

  private opened(socket: WebSocket): void {
    const protocol = socket.protocol;
    this.note(protocol && protocol !== "bearer" ? `Connected, subprotocol ${protocol}` : "Connected");
    this.change({ state: "open", openedAt: Date.now(), protocol });
  }

  private arrived(data: string | ArrayBuffer): void {
    const kept = typeof data === "string" ? data : new Uint8Array(data);
    const bytes = typeof kept === "string" ? textBytes(kept) : kept.length;
    this.add("received", kept, bytes);
    const { received, receivedBytes } = this.current;
    this.changeSoon({ received: received + 1, receivedBytes: receivedBytes + bytes });
  }

  private ended(event: CloseEvent): void {
    this.note(`Closed with ${event.code}, ${explainCode(event.code).name.toLowerCase()}`);
    this.change({
      state: "closed",
      closedAt: Date.now(),
      ending: { code: event.code, reason: event.reason },
    });
    this.socket = null;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(data);
    const bytes = typeof data === "string" ? textBytes(data) : data.length;
    this.add("sent", data, bytes);
    const { sent, sentBytes } = this.current;
    this.change({ sent: sent + 1, sentBytes: sentBytes + bytes });
  }

  close(): void {
    if (!this.socket) return;
    this.change({ state: "closing" });
    this.socket.close(1000);
  }

  clear(): void {
    this.entries = [];
    this.change({ entries: this.entries });
  }

  /** For the page's end: closes without telling anyone. */
  dispose(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    if (this.waiting) clearTimeout(this.waiting);
    this.waiting = null;
  }

  private note(text: string): void {
    this.add("note", text, 0);
  }

  private add(kind: EntryKind, data: Entry["data"], bytes: number): void {
    this.entries.push({ number: this.next, at: Date.now(), kind, data, bytes });
    this.next += 1;
    if (this.entries.length > ENTRIES_MAX) this.entries.splice(0, ENTRIES_DROPPED);
  }

  private changeSoon(change: Partial<Snapshot>): void {
    this.current = { ...this.current, ...change };
    this.waiting ??= setTimeout(() => this.tell(), BATCH_MILLIS);
  }

  private change(change: Partial<Snapshot>): void {
    this.current = { ...this.current, ...change };
    this.tell();
  }

  private tell(): void {
    if (this.waiting) clearTimeout(this.waiting);
    this.waiting = null;
    // A new list, so that what was rendered before stays as it was.
    this.current = { ...this.current, entries: this.entries.slice() };
    for (const listener of this.listeners) listener();
  }
}
