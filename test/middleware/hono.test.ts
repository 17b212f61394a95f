import { HonoOnNode } from './adapters/hono.js'
import { testAnyRequests } from './any-requests.js'
import { testFieldLines } from './field-lines.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(HonoOnNode)
testFieldLines(HonoOnNode)
testAnyRequests(HonoOnNode)
testTokenSources(HonoOnNode)
