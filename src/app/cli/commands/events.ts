import { readMemberships } from '../../../../jobs/steps/score-roster.ts'
import { type EventUse, eventUse } from '../../../core/usage/event-use.ts'
import { type EventName, readEventNames } from '../../../infra/lake/event-inventory.ts'
import { readPublished } from '../../../infra/mappings/published.ts'
import { liveWindows, storedSources } from '../../../infra/postgres/manifest.ts'
import { readSchemaChanges, type SchemaChange } from '../../../infra/postgres/schema-store.ts'
import { describeChange } from '../schema-text.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

type Listed = EventName & EventUse

/** `ripen events`: what the sources really contain, and what usage.yaml makes of it. */
export async function eventsCommand(options: CommonOptions): Promise<void> {
  const { events, schemaChanges } = await withApp(options, async ({ context }) => {
    const { set } = await readPublished(context.db)
    const memberships = await readMemberships(context.db)
    const all: Listed[] = []
    await context.duck.connect(async (connection) => {
      for (const source of await storedSources(context.db)) {
        const live = await liveWindows(context.db, source)
        const names = await readEventNames(connection, context.lakeDir, source, live, memberships)
        all.push(...names.map((one) => ({ ...one, ...eventUse(set.usage, source, one.name) })))
      }
    })
    return { events: all, schemaChanges: await readSchemaChanges(context.db) }
  })
  if (options.json) return printJson({ events, schemaChanges })
  print(events.length > 0 ? describe(events, schemaChanges) : 'nothing pulled yet: ripen pull')
}

function describe(events: readonly Listed[], changes: readonly SchemaChange[]): string {
  const head = ['EVENT', 'SOURCE', 'ROWS', 'PEOPLE', 'FIRST', 'LAST', 'USE']
  const rows = events.map((e) => [
    e.name,
    e.source,
    String(e.rows),
    String(e.people),
    e.firstSeen.slice(0, 10),
    e.lastSeen.slice(0, 10),
    e.actions.length > 0 ? e.actions.join(', ') : e.use,
  ])
  const list = table([head, ...rows])
  if (changes.length === 0) return list
  return `${list}\n\nWhat vendors changed\n${table(changes.map(describeChange))}`
}
