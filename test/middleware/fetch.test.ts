import { FetchFunction, FetchWrapper } from './adapters/fetch.js'
import { testAnyRequests } from './any-requests.js'
import { testFieldLines } from './field-lines.js'
import { testHostileRequests } from './hostile-requests.js'
import { testTokenSources } from './token-sources.js'

testHostileRequests(FetchFunction)
testFieldLines(FetchFunction)
testAnyRequests(FetchFunction)
testAnyRequests(FetchWrapper)
testTokenSources(FetchFunction)
