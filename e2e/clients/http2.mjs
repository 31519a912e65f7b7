// WebSocket over HTTP/2 (RFC 8441) of other hands: Node's own HTTP/2, and the frames of `ws`.
//
//   node http2.mjs URL TOKEN CERTIFICATE
//
// Opens three sessions on one connection, exchanges a text and a large message on each, prints what came back and how
// each ended, then what a refusal looks like, and ends.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, constants } from "node:http2";
import { Receiver, Sender } from "ws";

const [url, token, certificate] = process.argv.slice(2);
const { host, pathname } = new URL(url);
const connection = connect(`https://${host}`, { ca: readFileSync(certificate) });
const [settings] = await once(connection, "remoteSettings");
console.log(`connect protocol: ${settings.enableConnectProtocol}`);

function asked(headers) {
  return connection.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": pathname,
    "sec-websocket-version": "13",
    ...headers,
  });
}

async function session(number) {
  const stream = asked({ authorization: `Bearer ${token}` });
  const [head] = await once(stream, "response");
  if (head[":status"] !== 200) {
    return `refused: ${head[":status"]}`;
  }
  const receiver = new Receiver({ isServer: false });
  const sender = new Sender(stream, {});
  stream.pipe(receiver);
  const masked = (binary) => ({ fin: true, rsv1: false, opcode: binary ? 2 : 1, mask: true, binary, compress: false });
  const heard = async () => (await once(receiver, "message"))[0];
  sender.send(Buffer.from(`from Node ${number}`), masked(false));
  const text = String(await heard());
  sender.send(Buffer.alloc(300_000, number), masked(true));
  const large = (await heard()).length;
  sender.close(1000, "done", true);
  const [code, reason] = await once(receiver, "conclude");
  stream.end();
  await once(stream, "close");
  const end = stream.rstCode === constants.NGHTTP2_NO_ERROR ? "in order" : `reset ${stream.rstCode}`;
  return `${head[":status"]} ${text} ${large} ${code} ${reason} ${end}`;
}

for (const line of await Promise.all([1, 2, 3].map(session))) {
  console.log(line);
}
const refused = asked({});
const [head] = await once(refused, "response");
refused.resume();
console.log(`${head[":status"]} ${head["content-type"]}`);
connection.close();
