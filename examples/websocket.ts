import { createServer } from 'node:http'
import { MemoryRevocationStore, TokenVerifier } from 'cognito-revocation'
import {
  authenticateUpgrade,
  closeWebSocketOnRevocation,
  selectSubprotocol,
} from 'cognito-revocation/connections'
import { WebSocketServer } from 'ws'

const verifier = new TokenVerifier({
  userPoolId: 'us-east-1_AbCdEfGhI',
  clientId: '1example23456789',
  tokenUse: 'access',
  revocation: new MemoryRevocationStore(), // the one that your logout writes to
})

// In the browser: new WebSocket('wss://example.com', ['chat', `bearer.${accessToken}`])
const authenticate = authenticateUpgrade(verifier, { tokenFrom: { webSocketProtocol: 'bearer.' } })
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 65_536,
  handleProtocols: selectSubprotocol('chat'), // never the one with the token
})

const server = createServer((_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end())

server.on('upgrade', async (request, socket, head) => {
  const claims = await authenticate(request, socket)
  if (claims === undefined) return // it has been answered
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    const watch = closeWebSocketOnRevocation(webSocket, verifier, claims)
    webSocket.on('message', async (data) => {
      const text = data.toString()
      if (!text.startsWith('token ')) return webSocket.send(`${claims.sub}: ${text}`)
      try {
        watch.renew(await verifier.verify(text.slice('token '.length)))
      } catch {
        webSocket.send('token refused') // the watch goes on with the token that it had
      }
    })
  })
})

server.listen(3000)
