import { Express5 } from './adapters/express.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'

testHostileRequests(Express5)
testAnyRequests(Express5)
