import { stringList } from '../../options.js'

/**
 * The option `handleProtocols` of ws: chooses the first of the subprotocols that a client offers, in its order, which
 * is one of these. A token that is offered along as a subprotocol is never chosen, that is, never sent back; ws without
 * this chooses the first, whatever it is.
 *
 * @param supported the application's subprotocols; a browser that is answered with none breaks off
 * @throws TypeError
 * @example
 * import { selectSubprotocol } from 'cognito-revocation/connections'
 * const server = new WebSocketServer({ noServer: true, handleProtocols: selectSubprotocol('chat') })
 */
export function selectSubprotocol(
  supported: string | readonly string[],
): (offered: ReadonlySet<string>) => string | false {
  const list = stringList('selectSubprotocol', 'supported', supported)
  return (offered) => [...offered].find((each) => list.includes(each)) ?? false
}
