import { Koa3 } from './adapters/koa.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(Koa3)
testAnyRequests(Koa3)
testTokenSources(Koa3)
