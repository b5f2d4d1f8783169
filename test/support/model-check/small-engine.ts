import type { ObjectMapping } from '../../../src/core/mapping/crm-mapping.ts'
import { protectsEdits } from '../../../src/core/mapping/field-policy.ts'
import type { Properties } from '../../../src/core/sync/desired-record.ts'
import { freed, isOurs, isTheirs, type Ledger } from '../../../src/core/sync/ledger.ts'
import { type NextWrite, nextWrite } from '../../../src/core/sync/next-write.ts'
import {
  afterRead,
  afterWrite,
  beforeWrite,
  withParked,
} from '../../../src/core/sync/seen-record.ts'
import type { SmallCrm } from './small-crm.ts'

/** How a write call ends. */
export type WriteFault =
  | 'none'
  | 'refused'
  | 'lost'
  | 'landed'
  | 'killed looking'
  | 'killed before'
  | 'killed after'

const hash = (text: string) => `#${text}`

/** What the steps around the pure core do, for one record, with nothing between them and the CRM. */
export class SmallEngine {
  desired: Properties
  seen: Properties | null = null
  ledger: Ledger = {}
  crmId: string | null = null
  inDoubt = false
  isOpen = true
  dueAt: number | null = null
  said: { readonly value: string; readonly at: number } | null = null

  readonly rules: ObjectMapping
  readonly crm: SmallCrm

  constructor(rules: ObjectMapping, crm: SmallCrm, desired: Properties) {
    this.rules = rules
    this.crm = crm
    this.desired = desired
  }

  want(desired: Properties): void {
    this.desired = desired
    this.isOpen = true
  }

  retry(): void {
    this.ledger = freed(this.ledger)
    this.isOpen = true
  }

  /** Brings the record where it should be; a fault hits its write. */
  reconcile(now: number, fault: WriteFault = 'none'): void {
    if (this.dueAt !== null && this.dueAt <= now) this.isOpen = true
    if (!this.isOpen && !this.inDoubt) return
    const before = this.#stored()
    this.#locate()
    if (this.crmId !== null && (this.inDoubt || this.seen === null)) this.#read(now)
    let next = this.#next(now)
    const guarded = Object.keys(next.properties ?? {}).some((name) => {
      const property = this.rules.properties[name]
      return property !== undefined && protectsEdits(property)
    })
    if (guarded && this.crmId !== null) {
      this.#read(now)
      next = this.#next(now)
    }
    // Whoever dies while it only looks has stored nothing.
    if (fault === 'killed looking') Object.assign(this, before)
    else if (next.properties) this.#write(next, next.properties, now, fault)
    else this.#settle(next)
  }

  #stored() {
    const { seen, ledger, crmId, inDoubt, isOpen, dueAt, said } = this
    return { seen, ledger, crmId, inDoubt, isOpen, dueAt, said }
  }

  /** Something was told of the record, or it is compared: it is read. */
  look(now: number): void {
    if (this.inDoubt || this.crmId === null || this.seen === null) return
    if (this.crm.id !== this.crmId) {
      this.#follow()
      this.isOpen = true
      return
    }
    this.#read(now)
    const next = this.#next(now)
    this.ledger = withParked(this.ledger, next.fields)
    if (next.properties) this.isOpen = true
    else this.dueAt = next.wakeAt
  }

  #locate(): void {
    if (this.crmId !== null && this.crm.id !== this.crmId) this.#follow()
    if (this.crmId === null && this.crm.id !== null) {
      this.crmId = this.crm.id
      this.seen = null
    }
    if (this.crmId === null) this.inDoubt = false
  }

  #follow(): void {
    const isGone = this.crm.id === null
    this.crmId = this.crm.id
    this.seen = null
    if (isGone) this.ledger = {}
  }

  #known() {
    const { desired, seen, ledger } = this
    return { desired, seen: this.crmId === null ? null : seen, ledger }
  }

  #next(now: number): NextWrite {
    return nextWrite(this.rules, this.#known(), now)
  }

  #read(now: number): void {
    const values = this.crm.read(Object.keys(this.rules.properties))
    const { seen, ledger } = afterRead(this.rules, this.#known(), values, now, hash)
    this.seen = seen
    this.ledger = ledger
    this.inDoubt = false
    this.#hear(values['plan'] ?? null, now)
  }

  /** What the CRM says for itself of a property that both sides fill is a trait. */
  #hear(text: string | null, now: number): void {
    const mark = this.ledger['plan'] ?? {}
    const hashed = hash(text ?? '')
    const ours = isOurs(mark, hashed) && !isTheirs(mark, hashed)
    if (text === null || ours) this.said = null
    else if (this.said?.value !== text) this.said = { value: text, at: now }
  }

  #settle(next: NextWrite): void {
    this.ledger = withParked(this.ledger, next.fields)
    this.isOpen = false
    this.dueAt = next.wakeAt
  }

  #write(next: NextWrite, properties: Properties, now: number, fault: WriteFault): void {
    const before = this.ledger
    this.ledger = beforeWrite(
      this.rules,
      { ...this.#known(), ledger: withParked(this.ledger, next.fields) },
      next,
      now,
      hash,
    )
    this.inDoubt = true
    if (fault === 'killed before' || fault === 'lost') return
    if (fault === 'refused') {
      this.ledger = before
      this.inDoubt = false
      this.isOpen = false
      return
    }
    const id = this.crmId ?? this.crm.create()
    this.crm.write(properties, now)
    if (fault !== 'none') return
    const after = afterWrite(this.rules, this.#known(), properties)
    this.crmId = id
    this.seen = after.seen
    this.ledger = after.ledger
    this.inDoubt = false
    this.isOpen = false
    this.dueAt = next.wakeAt
  }
}
