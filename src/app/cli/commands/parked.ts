import { type ParkedEntry, readParked, retryParked } from '../../../infra/postgres/parked-store.ts'
import {
  type ParkedTask,
  readParkedTasks,
  retryParkedTasks,
} from '../../../infra/postgres/parked-task-store.ts'
import { requestWork } from '../../../infra/postgres/work.ts'
import { knownCrm } from '../crm-of.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

export interface ParkedOptions extends CommonOptions {
  readonly crm?: string
  readonly retry?: boolean
}

/** What `ripen parked` tells. */
interface ParkedReport {
  readonly parked: readonly (ParkedEntry | ParkedTask)[]
  /** Records, tasks and lines that get another try; null when nobody asked for it. */
  readonly retried: number | null
}

/**
 * `ripen parked`: which records, properties and tasks wait for a person, and why; with `--retry` they get another
 * try.
 */
export async function parkedCommand(options: ParkedOptions): Promise<void> {
  const report = await withApp(
    { ...options, publish: false },
    async (app): Promise<ParkedReport> => {
      const { db } = app.context
      if (options.crm !== undefined) knownCrm(app, options.crm)
      const of = options.crm ?? null
      const parked = [...(await readParked(db, of)), ...(await readParkedTasks(db, of))]
      if (!options.retry) return { parked, retried: null }
      let retried = 0
      for (const crm of new Set(parked.map((entry) => entry.crm))) {
        await db.transaction().execute(async (tx) => {
          retried += (await retryParked(tx, crm)) + (await retryParkedTasks(tx, crm))
          await requestWork(tx, 'reconcile', crm)
        })
      }
      return { parked, retried }
    },
  )
  if (options.json) return printJson(report)
  print(describe(report))
}

function describe({ parked, retried }: ParkedReport): string {
  if (parked.length === 0) return 'Nothing is parked.'
  const rows = parked.map(
    ({ crm, object, crmId, names, ref, property, reason, code, correlationId, since }) => [
      `${crm} ${object}`,
      names[0] ?? ref,
      crmId ?? '',
      property ?? '',
      `since ${since.toISOString().slice(0, 16)}Z`,
      [
        reason ?? '',
        code === null ? '' : `(${code})`,
        correlationId === null ? '' : `[${correlationId}]`,
      ]
        .filter(Boolean)
        .join(' '),
    ],
  )
  const told =
    retried === null
      ? []
      : [`${retried} records get another try: ripen sync, or a worker, makes it.`]
  return [table(rows), ...told].join('\n')
}
