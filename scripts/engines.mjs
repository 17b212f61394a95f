// Makes sure that the servers the tests talk to are installed, and says openly what it does about it.
// `npm test` itself installs nothing.

/** @type {{ command: string, install: () => void }[]} */
const engines = []

if (engines.length === 0) {
  console.log('engines: the tests need no server besides Node and npm packages; nothing to install.')
}
for (const { command, install } of engines) {
  console.log(`engines: installing ${command}`)
  install()
}
