import { FastifyHook, FastifyPlugin } from './adapters/fastify.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

// The plugin's hook is the same, and chooses by the route besides.
testHostileRequests(FastifyPlugin)
testAnyRequests(FastifyPlugin)
testAnyRequests(FastifyHook)
testTokenSources(FastifyPlugin)
