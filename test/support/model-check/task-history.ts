import fc from 'fast-check'
import type { SandboxRecord } from '../../../sandbox/hubspot/hubspot-sandbox.ts'
import type { TaskWorld } from './task-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Accounts of one history: they share its runs, its faults and its clock. */
export const ACCOUNTS = 6

const AT_ONE = ['ready', 'ready', 'cool', 'begin', 'complete', 'delete'] as const
const SAYS = ['UNQUALIFIED', 'OPEN_DEAL', 'IN_PROGRESS', ''] as const

export type TaskHappening =
  | readonly [(typeof AT_ONE)[number], number]
  | readonly ['says', number, string]
  | readonly ['plan']
  | readonly ['sync']
  | readonly ['die', number]
  | readonly ['sync under', 'reset' | 'reset-after' | 'half-body', 'create' | 'close']
  | readonly ['pass', number]

/** Some of the accounts, as the bits of a number. */
const which: fc.Arbitrary<number> = fc.integer({ min: 1, max: 2 ** ACCOUNTS - 1 })
const syncs: fc.Arbitrary<TaskHappening> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['sync'] as const) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('die' as const), fc.integer({ min: 1, max: 12 })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('sync under' as const),
      fc.constantFrom(...(['reset', 'reset-after', 'half-body'] as const)),
      fc.constantFrom(...(['create', 'close'] as const)),
    ),
  },
)
const happening: fc.Arbitrary<TaskHappening> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...AT_ONE), which) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('says' as const), which, fc.constantFrom(...SAYS)),
  },
  { weight: 2, arbitrary: fc.constant(['plan'] as const) },
  { weight: 5, arbitrary: syncs },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('pass' as const), fc.constantFrom(MINUTE, HOUR, 26 * HOUR)),
  },
)

/** What happens in one history: some companies are ready, a sync, then anything. */
export const taskHappenings: fc.Arbitrary<readonly TaskHappening[]> = fc
  .tuple(which, syncs, fc.array(happening, { maxLength: 16, size: 'max' }))
  .map(([ready, sync, others]) => [['ready', ready], sync, ...others])

/** One company, and what can be told of its tasks without knowing how Ripen works. */
interface Company {
  readonly ref: string
  readonly domain: string
  isReady: boolean
  episodes: number
  /** Tasks that a person took in hand, as they were then. */
  readonly taken: Map<string, SandboxRecord>
}

/** What happens to the tasks of some companies. */
export class TaskHistory {
  readonly #world: TaskWorld
  readonly #companies: Company[] = []

  constructor(world: TaskWorld) {
    this.#world = world
  }

  async begin(name: string): Promise<void> {
    for (let n = 0; n < ACCOUNTS; n++) {
      const domain = `${name}-${n}.example`
      const ref = await this.#world.account(domain)
      this.#companies.push({ ref, domain, isReady: false, episodes: 0, taken: new Map() })
    }
    await this.#world.plan()
    await this.#world.sync()
  }

  get #hubspot() {
    return this.#world.thread.vendors.hubspot
  }

  #companyId(domain: string): string {
    const found = this.#hubspot
      .records('companies')
      .find(({ properties: p }) => p['domain'] === domain)
    return found?.id ?? ''
  }

  /** All tasks that there ever were about a company. */
  #tasksOf({ domain }: Company): readonly SandboxRecord[] {
    return this.#hubspot.records('tasks').filter(({ properties: p }) => {
      return (p['hs_task_subject'] ?? '').startsWith(`${domain} `)
    })
  }

  async happen(happening: TaskHappening): Promise<void> {
    switch (happening[0]) {
      case 'plan':
        return this.#world.plan()
      case 'sync':
        return this.#sync()
      case 'die':
        return this.#sync(happening[1])
      case 'pass':
        this.#world.now += happening[1]
        return
      case 'sync under': {
        const [, kind, at] = happening
        const isCreate = at === 'create'
        const path = isCreate ? /\/tasks$/ : /\/tasks\/\d+$/
        this.#hubspot.faults.push({ method: isCreate ? 'POST' : 'PATCH', path, kind })
        await this.#sync()
        this.#hubspot.faults.clear()
        return
      }
      case 'says':
        for (const company of this.#among(happening[1])) this.#says(company, happening[2])
        return
      default:
        for (const company of this.#among(happening[1])) await this.#atOne(happening[0], company)
        return happening[0] === 'ready' ? this.#world.plan() : undefined
    }
  }

  #among(which: number): readonly Company[] {
    return this.#companies.filter((_, index) => ((which >> index) & 1) === 1)
  }

  #says({ domain }: Company, value: string): void {
    this.#hubspot.people.edit('companies', this.#companyId(domain), { hs_lead_status: value })
  }

  async #atOne(what: (typeof AT_ONE)[number], company: Company): Promise<void> {
    switch (what) {
      case 'ready':
        if (!company.isReady) company.episodes++
        company.isReady = true
        return this.#world.score(company.ref, 'qualified')
      case 'cool':
        company.isReady = false
        return company.episodes > 0 ? this.#world.score(company.ref, 'cooling') : undefined
      default:
        return this.#take(what, company)
    }
  }

  #take(what: 'begin' | 'complete' | 'delete', company: Company): void {
    const open = this.#tasksOf(company).filter(
      ({ archived, properties }) => !archived && properties['hs_task_status'] !== 'COMPLETED',
    )
    for (const { id } of open) {
      if (what === 'complete') this.#hubspot.people.completeTask(id)
      else if (what === 'delete') this.#hubspot.archive('tasks', id)
      else this.#hubspot.people.edit('tasks', id, { hs_task_status: 'IN_PROGRESS' })
      const task = this.#hubspot.records('tasks').find((one) => one.id === id)
      if (task) company.taken.set(id, { ...task, properties: { ...task.properties } })
    }
  }

  async #sync(diesAfter?: number): Promise<void> {
    // A call without an answer, and a death, are settled by the next run.
    await this.#world.sync(diesAfter).catch(() => {})
  }

  /** Nobody does anything any more. @returns what is wrong then. */
  async settle(): Promise<string[]> {
    this.#hubspot.faults.clear()
    for (let round = 0; round < 2; round++) {
      this.#world.now += 2 * HOUR
      await this.#world.plan()
      await this.#world.sync()
    }
    this.#hubspot.resetCalls()
    this.#world.now += MINUTE
    await this.#world.plan()
    await this.#world.sync()
    const more = this.#hubspot.calls().filter(({ kind }) => kind === 'write').length
    return [
      ...(more > 0 ? [`${more} write calls at rest`] : []),
      ...this.#companies.flatMap((one) => this.#wrong(one)),
    ]
  }

  #wrong(company: Company): string[] {
    const tasks = this.#tasksOf(company)
    const markers = tasks.map(
      ({ properties: p }) => /RPN-[0-9A-F]{10}/.exec(p['hs_task_body'] ?? '')?.[0],
    )
    const twice = markers.filter((marker, index) => markers.indexOf(marker) !== index)
    const changed = tasks.filter((task) => !isKept(company.taken.get(task.id), task))
    return [
      ...twice.map((marker) => `a second task of ${company.domain} for one episode: ${marker}`),
      ...(tasks.length > company.episodes
        ? [`${tasks.length} tasks of ${company.domain} for ${company.episodes} episodes`]
        : []),
      ...changed.map(
        (task) =>
          `a task that a person had in hand says ${task.properties['hs_task_status']} ${task.archived}: ${task.properties['hs_task_body']}`,
      ),
    ]
  }
}

/** News may be told above what a task says; what a person made of it stays. */
function isKept(
  then: SandboxRecord | undefined,
  { archived, properties: now }: SandboxRecord,
): boolean {
  if (!then) return true
  const { hs_task_status: status, hs_task_body: body = '' } = then.properties
  return (
    archived === then.archived &&
    now['hs_task_status'] === status &&
    (now['hs_task_body'] ?? '').endsWith(body)
  )
}
