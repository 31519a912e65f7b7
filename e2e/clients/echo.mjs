// An echo of other hands (`ws`), as a backend and as a client, without its caps on fragments: those are its own
// defence, and what is asked here is what the gateway does.
//
//   node echo.mjs serve [deflate]              listens on a free port, prints its address, ends with its input
//   node echo.mjs visit URL TOKEN [deflate]    asks a suite that is a server for its cases, and echoes through each
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";

const [mode, ...rest] = process.argv.slice(2);
const deflates = rest.at(-1) === "deflate";
const options = {
  maxBufferedChunks: 0,
  maxFragments: 0,
  maxPayload: 64 * 1024 * 1024,
  // Every message is compressed, short ones too, and as a client it offers all that a server may ask for.
  perMessageDeflate: deflates && { threshold: 0, ...(mode === "visit" && { clientNoContextTakeover: true }) },
};

function echo(socket) {
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  // A suite breaks the protocol on purpose; the library closes, and that is all there is to do.
  socket.on("error", () => {});
}

function serve() {
  const server = new WebSocketServer({ ...options, host: "127.0.0.1", port: 0 });
  server.on("connection", echo);
  server.on("listening", () => console.log(`ws://127.0.0.1:${server.address().port}`));
  process.stdin.on("end", () => process.exit()).resume();
}

async function visit(url, token) {
  const opened = (path) =>
    new WebSocket(`${url}${path}`, { ...options, headers: { Authorization: `Bearer ${token}` } });
  const counting = opened("/getCaseCount");
  const [count] = await once(counting, "message");
  counting.terminate();
  for (let number = 1; number <= Number(count); number += 1) {
    const socket = opened(`/runCase?case=${number}&agent=tidegate`);
    echo(socket);
    await new Promise((over) => socket.on("close", over));
  }
  const last = opened("/updateReports?agent=tidegate");
  last.on("error", () => {});
  await new Promise((over) => last.on("close", over));
}

if (mode === "serve") {
  serve();
} else {
  await visit(...rest);
}
