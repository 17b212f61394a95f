import { NestOnExpress, NestOnFastify } from './adapters/nestjs.js'
import { testAnyRequests } from './any-requests.js'
import { testHostileRequests } from './hostile-requests.js'

for (const adapter of [NestOnExpress, NestOnFastify]) {
  testHostileRequests(adapter)
  testAnyRequests(adapter)
}
