import { readPropertyTraits } from '../../../src/infra/postgres/property-traits.ts'
import { storeSeenTraits } from '../../../src/infra/postgres/trait-store.ts'
import { rulesOf } from '../sync-rules.ts'
import type { SyncWorld } from '../sync-world.ts'

const HOUR = 3_600_000

/** One property for each policy that a CRM of texts can show. */
export const PORTAL_RULES = {
  pql_score: { from: 'score', type: 'number' },
  pql_reason: { from: 'reason_1' },
  pql_note: { from: 'email', 'respect-edit': '2h' },
  pql_nick: { from: 'last_name', policy: 'fill-empty' },
  pql_free: { from: 'company_name' },
  pql_plan: { from: 'trait.plan', policy: 'two-way' },
}
const RULES = rulesOf(PORTAL_RULES)

/** What happens to one of the people. */
export type OwnHappening =
  | readonly ['score', number]
  | readonly ['note' | 'nick' | 'free' | 'plan', string]
  | readonly ['edit', keyof typeof PORTAL_RULES, string]
  | readonly ['merge' | 'archive' | 'restore' | 'leave' | 'come back']

/** A value that a person gave by hand, and when. */
interface Edit {
  readonly value: string
  readonly at: number
}

/** One person's contact, and what can be told of it without knowing how Ripen works. */
export class PortalPerson {
  readonly #world: SyncWorld
  readonly #ref: string
  #inputs = { score: 50, note: 'a', nick: 'a', free: 'a' }
  #hasLeft = false
  /** When she changed the note by hand, what it said then, and that nothing of ours agreed since. */
  #note: Edit | null = null
  #nick: string | null = null
  #plan: Edit | null = null
  #planToldAt = 0
  readonly #plansGiven = new Set<string>()
  #lastId = ''
  #merges = 0
  readonly #lost: string[] = []

  constructor(world: SyncWorld, ref: string) {
    this.#world = world
    this.#ref = ref
  }

  async begin(): Promise<void> {
    const email = `${this.#ref}@acme.example`
    const { db } = this.#world.database
    await db
      .insertInto('person')
      .values({ id: this.#ref, email, email_kind: 'business', told: '[]' })
      .execute()
    await this.#tellPlan('free')
    await this.want()
  }

  /** What the product says of her plan. */
  async #tellPlan(plan: string): Promise<void> {
    const { now, database } = this.#world
    const told = { about: this.#ref, values: { plan }, since: { plan: now } }
    await database.db
      .transaction()
      .execute((tx) => storeSeenTraits(tx, 'billing', [told], new Date(now)))
    this.#planToldAt = now
  }

  async #desired() {
    const { score, note, nick, free } = this.#inputs
    const at = new Date(this.#world.now)
    const traits = await readPropertyTraits(
      this.#world.database.db,
      'hubspot',
      RULES,
      [this.#ref],
      at,
    )
    const plan = traits.get(this.#ref)?.['pql_plan'] ?? null
    const told = { pql_note: note, pql_nick: nick, pql_free: free, pql_plan: plan }
    const all = { pql_score: score, pql_reason: `r${score}`, ...told }
    if (!this.#hasLeft) return all
    return Object.fromEntries(Object.keys(all).map((name) => [name, null]))
  }

  async want(): Promise<void> {
    const desired = await this.#desired()
    await this.#world.want(this.#ref, desired)
    if ((this.#note?.value || null) === (desired['pql_note'] ?? null)) this.#note = null
  }

  #says() {
    return this.#world.said().get(`${this.#ref}@acme.example`)
  }

  /** What a person may keep is still there. */
  judge(): void {
    const says = this.#says()
    if (!says) return
    const { now } = this.#world
    const [note, nick, plan] = [says['pql_note'] ?? '', says['pql_nick'], says['pql_plan'] ?? '']
    const isRespected = this.#note !== null && now - this.#note.at < 2 * HOUR
    if (isRespected && note !== this.#note?.value) {
      this.#lost.push(`note ${this.#note?.value} became ${note}`)
    }
    if (this.#nick && nick !== this.#nick) this.#lost.push(`nick ${this.#nick} became ${nick}`)
    const isLatest = this.#plan !== null && this.#plan.at > this.#planToldAt && !this.#hasLeft
    if (isLatest && plan !== this.#plan?.value) {
      this.#lost.push(`plan ${this.#plan?.value} became ${plan}`)
    }
  }

  async happen([what, ...args]: OwnHappening): Promise<void> {
    const { sandbox } = this.#world
    const id = this.#world.contactId(this.#ref)
    const [first, second] = args as [string | number, string | undefined]
    switch (what) {
      case 'score':
      case 'note':
      case 'nick':
      case 'free':
        this.#inputs = { ...this.#inputs, [what]: first }
        return this.want()
      case 'plan':
        await this.#tellPlan(String(first))
        return this.want()
      case 'edit':
        return this.#edit(id, String(first), second ?? '')
      case 'leave':
      case 'come back':
        this.#hasLeft = what === 'leave'
        // Who leaves takes with her what stood there.
        this.#plan = null
        return this.want()
      case 'merge':
        return this.#merge(id)
      case 'archive':
        if (id !== '') sandbox.archive('contacts', id)
        this.#lastId = id || this.#lastId
        this.forget()
        return
      case 'restore':
        if (id === '' && this.#lastId !== '') sandbox.restore('contacts', this.#lastId)
        return
    }
  }

  /** What happens to a record that is gone, or by a clock that was set back, is nobody's edit any more. */
  forget(): void {
    this.#note = null
    this.#nick = null
    this.#plan = null
  }

  #edit(id: string, property: string, value: string): void {
    if (id === '' || (this.#says()?.[property] ?? '') === value) return
    this.#world.sandbox.edit('contacts', id, { [property]: value })
    const edit = { value, at: this.#world.now }
    if (property === 'pql_note') this.#note = edit
    if (property === 'pql_nick') this.#nick = value === '' ? null : value
    if (property !== 'pql_plan') return
    // Between two looks nobody can tell a value that came again from one that stayed.
    this.#plan = value === '' || this.#plansGiven.has(value) ? null : edit
    this.#plansGiven.add(value)
  }

  #merge(id: string): void {
    if (id === '') return
    const { sandbox } = this.#world
    const [other = ''] = sandbox.seed({
      contacts: [{ email: `${this.#ref}.old${++this.#merges}@acme.example` }],
    }).contacts
    sandbox.merge('contacts', id, other)
  }

  /** What is wrong with her contact at rest. */
  wrong(): string[] {
    const says = this.#says()
    // Whoever was deleted by hand is not made again.
    if (!says) return this.#lost
    return [...this.#lost, ...this.#differences(says)].map((text) => `${this.#ref}: ${text}`)
  }

  #differences(says: Readonly<Record<string, unknown>>): string[] {
    const said = (name: string) => String(says[name] ?? '')
    const { score, note, free } = this.#inputs
    if (this.#hasLeft) {
      const cleared = ['pql_score', 'pql_reason', 'pql_note', 'pql_free']
      return cleared.filter((name) => said(name) !== '').map((name) => `${name} ${said(name)}`)
    }
    const shown = Number(said('pql_score'))
    const wrong: string[] = []
    if (said('pql_score') === '' || Math.abs(shown - score) >= 5) {
      wrong.push(`score ${said('pql_score')} for ${score}`)
    }
    if (said('pql_reason') !== `r${shown}`) wrong.push(`reason ${said('pql_reason')} of ${shown}`)
    if (said('pql_note') !== note) wrong.push(`note ${said('pql_note')} for ${note}`)
    if (said('pql_free') !== free) wrong.push(`free ${said('pql_free')} for ${free}`)
    if (said('pql_nick') === '') wrong.push('nick is empty')
    return wrong
  }
}
