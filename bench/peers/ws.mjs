// A relay of whole messages, as it is made of the library ws: node ws.mjs FOLDER-OF-PACKAGES LISTEN BACKEND
import { createRequire } from 'node:module'
const [packages, listen, backend] = process.argv.slice(2)
const { WebSocket, WebSocketServer } = createRequire(packages + '/')('ws')
const options = { perMessageDeflate: false, maxPayload: 1 << 20 }
const [host, port] = listen.split(':')
new WebSocketServer({ host, port: Number(port), backlog: 65535, ...options }).on('connection', (client, request) => {
  const other = new WebSocket(`ws://${backend}${request.url}`, options)
  const early = []
  other.on('open', () => early.splice(0).forEach(([data, binary]) => other.send(data, { binary })))
  client.on('message', (data, binary) =>
    other.readyState === WebSocket.OPEN ? other.send(data, { binary }) : early.push([data, binary]))
  other.on('message', (data, binary) => client.send(data, { binary }))
  client.on('close', () => other.terminate())
  other.on('close', () => client.terminate())
  client.on('error', () => other.terminate())
  other.on('error', () => client.terminate())
})
