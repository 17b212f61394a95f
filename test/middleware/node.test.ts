import { NodeHandler, NodeMiddleware } from './adapters/node.js'
import { testAnyRequests } from './any-requests.js'
import { testFieldLines } from './field-lines.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(NodeMiddleware)
testFieldLines(NodeMiddleware)
testAnyRequests(NodeMiddleware)
testAnyRequests(NodeHandler)
testTokenSources(NodeMiddleware)
