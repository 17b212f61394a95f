import type {
  Context,
  PreTokenGenerationTriggerEvent,
  PreTokenGenerationTriggerHandler,
  PreTokenGenerationV2TriggerEvent,
  PreTokenGenerationV2TriggerHandler,
  PreTokenGenerationV3TriggerHandler,
} from 'aws-lambda'
import { describe, expectTypeOf, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/index.js'
import { createPreTokenGenerationGuard } from '../../src/middleware/lambda/index.js'

const store = new MemoryRevocationStore()

describe('the handler of createPreTokenGenerationGuard', () => {
  it("is one of Lambda's, for each version of the event", () => {
    expectTypeOf(
      createPreTokenGenerationGuard<PreTokenGenerationTriggerEvent>({ store }),
    ).toExtend<PreTokenGenerationTriggerHandler>()
    expectTypeOf(
      createPreTokenGenerationGuard<PreTokenGenerationV2TriggerEvent>({ store }),
    ).toExtend<PreTokenGenerationV2TriggerHandler>()
    const third: PreTokenGenerationV3TriggerHandler = createPreTokenGenerationGuard({ store })
    void third
  })

  it('takes the event of the handler that is given', () => {
    const guard = createPreTokenGenerationGuard({
      store,
      handler: async (event: PreTokenGenerationV2TriggerEvent, context: Context) => {
        event.response.claimsAndScopeOverrideDetails = { idTokenGeneration: {} }
        void context.awsRequestId
        return event
      },
    })
    expectTypeOf(guard).parameter(0).toEqualTypeOf<PreTokenGenerationV2TriggerEvent>()
    expectTypeOf(guard).parameter(1).toEqualTypeOf<Context>()
  })

  it('must give the event back', () => {
    // @ts-expect-error: nothing is returned
    createPreTokenGenerationGuard({ store, handler: async (_event: PreTokenGenerationV2TriggerEvent) => {} })
    // @ts-expect-error: a store is needed
    createPreTokenGenerationGuard({})
  })
})
