import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { History } from '../support/model-check/history.ts'
import { runsOf } from '../support/model-check/runs.ts'
import { histories } from '../support/model-check/steps.ts'

it('whatever happens, a record comes to rest where it should be, is never written twice, keeps what a person may keep, and is fought over three times at most', () => {
  fc.assert(
    fc.property(histories, (commands) => {
      const history = new History()
      fc.modelRun(() => ({ model: {}, real: history }), commands)
      history.settle()
      expect(history.faults()).toEqual([])
    }),
    runsOf('histories of a record', 2_500),
  )
}, 60_000)
