import { Express4 } from './adapters/express.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(Express4)
testAnyRequests(Express4)
testTokenSources(Express4)
