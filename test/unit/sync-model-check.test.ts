import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { History, STEPS } from '../support/model-check/history.ts'

const HISTORIES = 3_000

it('whatever happens, a record comes to rest where it should be, is never written twice, and keeps what a person may keep', () => {
  fc.assert(
    fc.property(fc.commands(STEPS, { maxCommands: 40, size: '+1' }), (commands) => {
      const history = new History()
      fc.modelRun(() => ({ model: {}, real: history }), commands)
      history.settle()
      expect(history.faults()).toEqual([])
    }),
    { numRuns: HISTORIES, interruptAfterTimeLimit: 45_000, markInterruptAsFailure: false },
  )
}, 60_000)
