import { MiddyRest } from './adapters/middy.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'

// The other event shapes get the same requests in middy-function.test.ts, without HTTP.
testHostileRequests(MiddyRest)
testAnyRequests(MiddyRest)
