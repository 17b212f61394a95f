import { Express4 } from './adapters/express.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'

testHostileRequests(Express4)
testAnyRequests(Express4)
