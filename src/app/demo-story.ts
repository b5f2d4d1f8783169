import { readEffective } from '../infra/mappings/published.ts'
import type { Db } from '../infra/postgres/database.ts'
import type { RepAct } from './demo-reps.ts'

/** One line of what happened to an account. */
export interface StoryLine {
  /** ISO 8601 UTC. */
  readonly at: string
  readonly text: string
}

/** What happened to one account, as the history has it. */
export interface AccountStory {
  readonly domain: string
  /** Tasks that were made for it. */
  readonly tasks: number
  readonly usageStatus: string
  readonly salesStatus: string
  readonly lines: readonly StoryLine[]
}

/** Tells an account's changes of status, its tasks and what reps did, in the order of time. */
export async function accountStory(
  db: Db,
  domain: string,
  acts: readonly RepAct[],
): Promise<AccountStory> {
  const { id, model } = await accountOf(db, domain)
  const tasks = await db
    .selectFrom('task_intent')
    .select(['qualified_at', 'completed_at', 'note', 'state'])
    .where('account_ref', '=', id)
    .where('crm_task_id', 'is not', null)
    .execute()
  const score = await db
    .selectFrom('score')
    .select(['usage_status', 'sales_status'])
    .where('subject_id', '=', id)
    .where('model', '=', model)
    .executeTakeFirst()
  const own = acts.filter((act) => act.domain === domain)
  const lines = [
    ...(await changesOf(db, id, model)),
    ...tasks.flatMap(({ qualified_at: at, state }) => {
      return at ? line(at, 3, state === 'noted' ? 'a note is on the deal' : 'a task is made') : []
    }),
    ...tasks.flatMap(({ completed_at: at, note, state }) =>
      at ? line(at, 4, `the task is ${state}${note === null ? '' : `: ${note}`}`) : [],
    ),
    ...own.map(({ at, did }) => ({ at, rank: 0, text: `the rep ${did}` })),
  ]
  lines.sort((a, b) => (a.at === b.at ? a.rank - b.rank : a.at < b.at ? -1 : 1))
  return {
    domain,
    tasks: tasks.filter(({ state }) => state !== 'noted').length,
    usageStatus: score?.usage_status ?? 'none',
    salesStatus: score?.sales_status ?? 'none',
    lines: lines.map(({ at, text }) => ({ at, text })),
  }
}

const line = (at: Date, rank: number, text: string) => ({ at: at.toISOString(), rank, text })

async function accountOf(db: Db, domain: string) {
  const row = await db
    .selectFrom('account')
    .innerJoin('score', 'score.subject_id', 'account.id')
    .select(['account.id', 'score.model'])
    .where('account.domain', '=', domain)
    .executeTakeFirst()
  if (!row) throw new Error(`${domain} has no score`)
  return row
}

/** Changes of a status, and of the score where it passes what a status asks for. */
async function changesOf(db: Db, id: string, model: string) {
  const rows = await db
    .selectFrom('score_change')
    .select([
      'as_of',
      'from_score',
      'to_score',
      'from_status',
      'to_status',
      'from_sales',
      'to_sales',
    ])
    .where('subject_id', '=', id)
    .where('model', '=', model)
    .orderBy('id')
    .execute()
  const { set } = await readEffective(db)
  const enter = set.models.get(model)?.status.enter ?? Number.POSITIVE_INFINITY
  return rows.flatMap((row) => {
    const isHeld =
      row.to_score >= enter && (row.from_score ?? 0) < enter && row.to_status !== 'qualified'
    const said = row.to_sales === null ? [] : [`sales: ${row.from_sales} → ${row.to_sales}`]
    const moved =
      row.from_status === row.to_status || row.from_status === null
        ? []
        : [`${row.from_status} → ${row.to_status}`]
    const held = isHeld ? ['held back'] : []
    if (said.length + moved.length + held.length === 0) return []
    const score =
      row.from_score === row.to_score ? '' : `score ${row.from_score} → ${row.to_score}, `
    return line(
      row.as_of,
      said.length > 0 ? 1 : 2,
      `${score}${[...said, ...moved, ...held].join(', ')}`,
    )
  })
}
