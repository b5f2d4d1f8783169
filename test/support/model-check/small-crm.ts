/** Who gave a property its value, and when by the wall clock. */
export interface Held {
  readonly value: string | null
  readonly by: 'nobody' | 'ripen' | 'person'
  readonly at: number
  /** What the property should have said when a person changed it. */
  readonly over: string | null
}

/** What Ripen wrote, as the CRM saw it. */
export interface SeenWrite {
  readonly field: string
  readonly before: Held
  readonly value: string | null
  readonly at: number
}

const EMPTY: Held = { value: null, by: 'nobody', at: 0, over: null }

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
    return Object.fromEntries(fields.map((name) => [name, this.held(name).value]))
  }

  write(values: Readonly<Record<string, unknown>>, at: number): void {
    for (const [field, given] of Object.entries(values)) {
      const value = given === null ? null : String(given)
      const before = this.held(field)
      this.writes.push({ field, before, value, at })
      this.#fields.set(field, { value, by: 'ripen', at, over: null })
    }
  }

  edit(field: string, value: string | null, at: number, over: string | null): void {
    if (this.held(field).value === value) return
    this.#fields.set(field, { value, by: 'person', at, over })
  }

  /** The record goes on under another id, as after a merge or a conversion. */
  move(): void {
    if (this.id !== null) this.id = `c${++this.#made}`
  }

  remove(): void {
    this.id = null
    this.#fields.clear()
  }
}
