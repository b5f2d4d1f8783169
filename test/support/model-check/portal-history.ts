import fc from 'fast-check'
import { readParked, retryParked } from '../../../src/infra/postgres/parked-store.ts'
import { type SyncWorld, writeCalls } from '../sync-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** One property for each policy that a CRM of texts can show. */
export const PORTAL_RULES = {
  pql_score: { from: 'score', type: 'number' },
  pql_reason: { from: 'reason_1' },
  pql_note: { from: 'email', 'respect-edit': '2h' },
  pql_nick: { from: 'last_name', policy: 'fill-empty' },
  pql_free: { from: 'company_name' },
}

export type Happening =
  | readonly ['score', number]
  | readonly ['note' | 'nick' | 'free', string]
  | readonly ['edit', keyof typeof PORTAL_RULES, string]
  | readonly ['reconcile' | 'merge' | 'archive' | 'restore' | 'compare' | 'retry']
  | readonly ['hear', number]
  | readonly ['fault', 'reset' | 'reset-after' | 'half-body']
  | readonly ['pass', number]

const letter = fc.constantFrom('a', 'b', 'c')
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.tuple(fc.constant('score' as const), fc.integer({ min: 40, max: 60 })),
  fc.tuple(fc.constantFrom('note' as const, 'nick' as const, 'free' as const), letter),
  fc.tuple(
    fc.constant('edit' as const),
    fc.constantFrom(...(Object.keys(PORTAL_RULES) as (keyof typeof PORTAL_RULES)[])),
    fc.constantFrom('50', '99', ''),
  ),
  fc.tuple(
    fc.constantFrom(
      ...(['reconcile', 'reconcile', 'reconcile', 'compare', 'retry'] as const),
      ...(['merge', 'archive', 'restore'] as const),
    ),
  ),
  fc.tuple(fc.constant('hear' as const), fc.nat(1_000)),
  fc.tuple(fc.constant('fault' as const), fc.constantFrom('reset', 'reset-after', 'half-body')),
  fc.tuple(fc.constant('pass' as const), fc.constantFrom(MINUTE, HOUR, 3 * HOUR)),
)

/** What happens to one person's contact, in a world that others share. */
export class PortalHistory {
  readonly #world: SyncWorld
  readonly #ref: string
  #inputs = { score: 50, note: 'a', nick: 'a', free: 'a' }
  /** When she changed the note by hand, what it said then, and that nothing of ours agreed since. */
  #note: { readonly value: string; readonly at: number } | null = null
  #nick: string | null = null
  #lastId = ''
  #merges = 0
  readonly lost: string[] = []

  constructor(world: SyncWorld, ref: string) {
    this.#world = world
    this.#ref = ref
  }

  #desired() {
    const { score, note, nick, free } = this.#inputs
    const told = { pql_note: note, pql_nick: nick, pql_free: free }
    return { pql_score: score, pql_reason: `r${score}`, ...told }
  }

  async want(): Promise<void> {
    await this.#world.want(this.#ref, this.#desired())
    if (this.#note?.value === this.#inputs.note) this.#note = null
  }

  async #reconcile(): Promise<void> {
    // A call without an answer is settled by the next one.
    await this.#world.reconcile().catch(() => {})
    this.#judge()
  }

  /** What a person may keep is still there. */
  #judge(): void {
    const says = this.#says()
    if (!says) return
    const { now } = this.#world
    if (
      this.#note &&
      now - this.#note.at < 2 * HOUR &&
      (says['pql_note'] ?? '') !== this.#note.value
    ) {
      this.lost.push(`note ${this.#note.value} became ${says['pql_note']}`)
    }
    if (this.#nick && says['pql_nick'] !== this.#nick) this.lost.push(`nick ${this.#nick}`)
  }

  #says() {
    return this.#world.said().get(`${this.#ref}@acme.example`)
  }

  async happen([what, ...args]: Happening): Promise<void> {
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
      case 'edit':
        return this.#edit(id, String(first), second ?? '')
      case 'reconcile':
        return this.#reconcile()
      case 'compare':
        await this.#world.compare().catch(() => {})
        return
      case 'hear':
        await this.#world.hear({ shuffle: Number(first), repeat: 1 }).catch(() => {})
        return
      case 'retry':
        await retryParked(this.#world.database.db, 'hubspot')
        return
      case 'pass':
        this.#world.now += Number(first)
        return
      case 'fault':
        sandbox.faults.push({
          method: 'POST',
          path: /contacts\/batch\/(update|upsert)/,
          kind: first as 'reset',
        })
        return
      case 'merge':
        return this.#merge(id)
      case 'archive':
        if (id !== '') sandbox.archive('contacts', id)
        this.#lastId = id || this.#lastId
        this.#forget()
        return
      case 'restore':
        if (id === '' && this.#lastId !== '') sandbox.restore('contacts', this.#lastId)
        return
    }
  }

  /** What happens to a record that is gone is nobody's edit any more. */
  #forget(): void {
    this.#note = null
    this.#nick = null
  }

  #edit(id: string, property: string, value: string): void {
    if (id === '' || (this.#says()?.[property] ?? '') === value) return
    this.#world.sandbox.edit('contacts', id, { [property]: value })
    if (property === 'pql_note') this.#note = { value, at: this.#world.now }
    if (property === 'pql_nick') this.#nick = value === '' ? null : value
  }

  #merge(id: string): void {
    if (id === '') return
    const { sandbox } = this.#world
    const [other = ''] = sandbox.seed({
      contacts: [{ email: `${this.#ref}.old${++this.#merges}@acme.example` }],
    }).contacts
    sandbox.merge('contacts', id, other)
  }

  /** Nobody does anything any more: Ripen comes to rest. @returns what is wrong then. */
  async settle(): Promise<string[]> {
    const { sandbox, database } = this.#world
    sandbox.faults.clear()
    for (let round = 0; round < 3; round++) {
      this.#world.now += 25 * HOUR
      await this.#world.hear()
      await this.#world.compare()
      await retryParked(database.db, 'hubspot')
      await this.#reconcile()
    }
    const writes = writeCalls(this.#world)
    this.#world.now += 25 * HOUR
    await this.#world.hear({ repeat: 1 })
    await this.#world.compare()
    await this.want()
    await this.#reconcile()
    const more = writeCalls(this.#world) - writes
    const parked = await readParked(database.db, null)
    return [
      ...(more > 0 ? [`${more} write calls at rest`] : []),
      ...parked.map(({ property, reason }) => `parked ${property}: ${reason}`),
      ...this.#differences(),
      ...this.lost,
    ]
  }

  #differences(): string[] {
    const says = this.#says()
    // Whoever was deleted by hand is not made again.
    if (!says) return []
    const { score, note, free } = this.#inputs
    const shown = Number(says['pql_score'])
    const wrong: string[] = []
    if (Math.abs(shown - score) >= 5) wrong.push(`score ${shown} for ${score}`)
    if (says['pql_reason'] !== `r${shown}`) wrong.push(`reason ${says['pql_reason']} of ${shown}`)
    if (says['pql_note'] !== note) wrong.push(`note ${says['pql_note']} for ${note}`)
    if (says['pql_free'] !== free) wrong.push(`free ${says['pql_free']} for ${free}`)
    if (!says['pql_nick']) wrong.push('nick is empty')
    return wrong
  }
}
