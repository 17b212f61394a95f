/** What every server answers with. */
export const BODY = JSON.stringify({ hello: 'world' })
