/** Who gave a property its value, and when by the wall clock. */
export interface Held {
  readonly value: string | null
  readonly by: 'nobody' | 'ripen' | 'person'
  readonly at: number
  /** A person gave it over a value of Ripen's. */
  readonly overOurs: boolean
  /** Ripen has read it since. */
  isSeen: boolean
}

/** What Ripen wrote, as the CRM saw it. */
export interface SeenWrite {
  readonly field: string
  readonly before: Held
  readonly value: string | null
  readonly at: number
}

const EMPTY: Held = { value: null, by: 'nobody', at: 0, overOurs: false, isSeen: false }

/** One record of a CRM in memory: it knows who did what to it. */
export class SmallCrm {
  /** Null while it is deleted. */
  id: string | null = null
  readonly #fields = new Map<string, Held>()
  /** Every value that Ripen's writes changed, or left as it was. */
  readonly writes: SeenWrite[] = []
  #made = 0

  create(): string {
    this.#fields.clear()
    this.id = `c${++this.#made}`
    return this.id
  }

  held(field: string): Held {
    return this.#fields.get(field) ?? EMPTY
  }

  read(fields: readonly string[]): Record<string, string | null> {
    for (const held of this.#fields.values()) held.isSeen = true
    return Object.fromEntries(fields.map((name) => [name, this.held(name).value]))
  }

  write(values: Readonly<Record<string, unknown>>, at: number): void {
    for (const [field, given] of Object.entries(values)) {
      const value = given === null ? null : String(given)
      const before = this.held(field)
      this.writes.push({ field, before, value, at })
      this.#fields.set(field, { value, by: 'ripen', at, overOurs: false, isSeen: false })
    }
  }

  edit(field: string, value: string | null, at: number): void {
    const before = this.held(field)
    if (before.value === value) return
    const overOurs = before.by === 'ripen' || before.overOurs
    this.#fields.set(field, { value, by: 'person', at, overOurs, isSeen: false })
  }

  /** The record goes on under another id, as after a merge. */
  move(): void {
    if (this.id !== null) this.id = `c${++this.#made}`
  }

  /** It goes on as a record of another kind, which takes over these properties alone. */
  convert(kept: readonly string[]): void {
    if (this.id === null) return
    this.move()
    for (const [name, { value }] of [...this.#fields]) {
      if (!kept.includes(name) && value !== null) this.#fields.delete(name)
    }
  }

  remove(): void {
    this.id = null
    this.#fields.clear()
  }
}
