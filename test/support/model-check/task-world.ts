import type { RunNotes } from '../../../jobs/context.ts'
import { desire } from '../../../jobs/steps/desire.ts'
import { reconcile } from '../../../jobs/steps/reconcile.ts'
import type { Score } from '../../../src/core/scoring/score.ts'
import { readEffective } from '../../../src/infra/mappings/published.ts'
import { ScoreRows } from '../../../src/infra/postgres/score-rows.ts'
import { readScores, storeScores } from '../../../src/infra/postgres/score-store.ts'
import { openThread, type Thread } from '../thread.ts'

const CRM = 'hubspot'
const MODEL = 'accounts'
const TIMEOUT_MS = 500

/** An installation on a portal whose accounts are scored by hand; everything from there on is the real thing. */
export interface TaskWorld {
  readonly thread: Thread
  now: number
  /** An account that sales knows, scored and not ready. */
  account(domain: string): Promise<string>
  score(ref: string, usageStatus: 'qualified' | 'cooling'): Promise<void>
  /** Plans what there is to plan. */
  plan(): Promise<void>
  /** Syncs; dies when so many calls have gone out. */
  sync(diesAfter?: number): Promise<void>
  close(): Promise<void>
}

const NOTES: RunNotes = { note: () => {}, count: () => {} }

export async function openTaskWorld(): Promise<TaskWorld> {
  const thread = await openThread({
    working: false,
    environment: { RIPEN_CRM_TIMEOUT_MS: String(TIMEOUT_MS) },
    hubspot: { now: () => world.now },
  })
  const { app, vendors } = thread
  const { context } = app
  const { db } = context
  const { set } = await readEffective(db)
  const model = set.models.get(MODEL)
  if (!model) throw new Error(`no model ${MODEL}`)
  const store = (score: Score, previous: Score | null) =>
    db.transaction().execute(async (tx) => {
      const asOf = new Date(world.now)
      const history = { previous, cause: 'usage', evidenceAt: asOf.toISOString() }
      const rows = new ScoreRows()
      rows.add(score, history)
      await storeScores(tx, model, { asOf, isAsked: true }, rows)
    })
  const setNow = () => thread.setNow(new Date(world.now))
  const world: TaskWorld = {
    thread,
    now: Date.parse('2026-09-10T08:00:00Z'),
    async account(domain) {
      const ref = `acc_${domain.replaceAll(/\W/g, '_')}`
      await db
        .insertInto('account')
        .values({ id: ref, key: domain, domain, name: domain })
        .execute()
      vendors.hubspot.seed({ companies: [{ domain, hubspot_owner_id: '41000001' }] })
      await store(firstScore(ref, model.version, new Date(world.now).toISOString()), null)
      return ref
    },
    async score(ref, usageStatus) {
      const previous = (await readScores(db, MODEL, [ref])).get(ref)
      if (!previous || previous.usageStatus === usageStatus) return
      const at = new Date(world.now).toISOString()
      const score = usageStatus === 'qualified' ? 60 : 30
      const qualifiedAt = usageStatus === 'qualified' ? at : previous.qualifiedAt
      await store(
        { ...previous, score, usageStatus, qualifiedAt, statusSince: at, evidenceAt: at },
        previous,
      )
    },
    async plan() {
      setNow()
      await desire(context, 'all', null, new AbortController().signal, NOTES)
    },
    async sync(diesAfter) {
      setNow()
      // The time passes in which nobody knows what became of a call.
      await db
        .updateTable('task_intent')
        .set({ settle_after: new Date(0) })
        .where('state', '=', 'creating')
        .execute()
      const death = new AbortController()
      let calls = 0
      vendors.onRequest(({ phase }) => {
        if (phase === 'arrived' && ++calls === diesAfter) death.abort(new Error('killed'))
      })
      try {
        await reconcile(context, CRM, null, death.signal, NOTES)
      } finally {
        vendors.onRequest(null)
      }
    },
    close: async () => {},
  }
  setNow()
  return world
}

function firstScore(subjectId: string, version: number, at: string): Score {
  return {
    ...{ subjectId, version, score: 30, grade: 'C', usageStatus: 'nurture', salesStatus: 'none' },
    ...{ statusSince: at, heldUntil: null, roseLast: true, qualifiedAt: null, change: 0 },
    ...{ changed: [], trend: 'steady', contributions: [], missing: [] },
    facts: {
      ...{ lastActive: at, firstSeen: at, activeDays30: 3, excludedBy: null },
      ...{ activeUsers: 3, qualifiedUsers: 1, championId: null, otherIds: [] },
    },
    ...{ evidenceAt: at, nextChangeAt: null },
  }
}
