import { Express5 } from './adapters/express.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(Express5)
testAnyRequests(Express5)
testTokenSources(Express5)
