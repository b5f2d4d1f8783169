import fc from 'fast-check'
import { FIELDS, type History } from './history.ts'
import type { WriteFault } from './small-engine.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Act = (history: History) => void

/** One thing that may happen, with words for a report. */
class Step implements fc.Command<object, History> {
  readonly words: string
  readonly act: Act

  constructor(words: string, act: Act) {
    this.words = words
    this.act = act
  }

  check = () => true
  run(_model: object, history: History): void {
    this.act(history)
  }
  toString = () => this.words
}

const step = (words: string, act: Act) => new Step(words, act)
const letter = fc.constantFrom('a', 'b', 'c', 'd')
const EDITS: Readonly<Record<string, readonly (string | null)[]>> = {
  ...{ score: ['48', '90', null], reason: ['mine', null], status: ['assist', 'lost'] },
  ...{
    note: ['a', 'b', 'mine', null],
    plan: ['free', 'pro', 'team', null],
    nick: ['mine', 'b', null],
  },
  ...{ peak: ['3', '8', '20', null], count: ['7', null], free: ['mine', 'a', 'b', null] },
}
const FAULTS: readonly WriteFault[] = [
  ...(['none', 'refused', 'lost', 'landed'] as const),
  ...(['killed looking', 'killed before', 'killed after'] as const),
]

/** What the product tells, by the property that it is about. */
const USE: Readonly<Record<string, fc.Arbitrary<Step>>> = {
  score: fc.oneof(
    fc
      .integer({ min: 40, max: 80 })
      .map((score) => step(`score ${score}`, (h) => h.use({ score }))),
    fc
      .constantFrom(-2, -1, 1, 2)
      .map((by) => step(`score by ${by}`, (h) => h.use({ score: h.inputs.score + by }))),
  ),
  note: letter.map((note) => step(`note ${note}`, (h) => h.use({ note }))),
  nick: letter.map((nick) => step(`nick ${nick}`, (h) => h.use({ nick }))),
  free: letter.map((free) => step(`free ${free}`, (h) => h.use({ free }))),
  peak: fc.integer({ min: 1, max: 12 }).map((peak) => step(`peak ${peak}`, (h) => h.use({ peak }))),
  count: fc
    .integer({ min: 1, max: 5 })
    .map((count) => step(`count ${count}`, (h) => h.use({ count }))),
  plan: fc
    .constantFrom('free', 'pro', 'team', null)
    .map((plan) => step(`plan ${plan}`, (h) => h.use({ plan }))),
}

/** What may happen besides. */
const OTHERS: readonly fc.Arbitrary<Step>[] = [
  fc.constantFrom(...FAULTS).map((fault) => step(`reconcile, ${fault}`, (h) => h.reconcile(fault))),
  fc.constant(step('retry', (h) => h.retry())),
  fc.constant(step('merge', (h) => h.merge())),
  fc.constant(step('conversion', (h) => h.convert())),
  fc.constant(step('delete', (h) => h.remove())),
  fc.boolean().map((hasLeft) =>
    step(hasLeft ? 'opts out' : 'comes back', (h) => {
      h.hasLeft = hasLeft
      h.desire()
    }),
  ),
  fc
    .constantFrom(1, 61)
    .map((n) => step(`the clock is set back ${n} minutes`, (h) => h.pass(-n * MINUTE))),
]

/** What happens in every history. */
const ALWAYS: readonly fc.Arbitrary<Step>[] = [
  fc.constant(step('reconcile', (h) => h.reconcile())),
  // An event comes late, again or in another order: each time the record is read as it is.
  fc.constant(step('an event', (h) => h.engine.look(h.now))),
  fc.constant(step('desire', (h) => h.desire())),
  fc
    .constantFrom(MINUTE, 10 * MINUTE, HOUR - MINUTE, HOUR, 2 * HOUR, 5 * HOUR, DAY - MINUTE, DAY)
    .map((ms) => step(`${ms / MINUTE} minutes pass`, (h) => h.pass(ms))),
]

const valueFor = (field: string) => fc.constantFrom(...(EDITS[field] ?? []))
const edits = (field: string) =>
  valueFor(field).map((value) =>
    step(`a person sets ${field} to ${value}`, (h) => h.edit(field, value)),
  )
const rewrites = (field: string) =>
  valueFor(field).map((value) =>
    step(`a workflow sets ${field} to ${value}`, (h) => h.rewrite(field, value)),
  )

/**
 * Histories of a record. Each is about some of the properties and some of what may happen: where everything happens,
 * little of it happens often enough to tell.
 */
export const histories: fc.Arbitrary<Iterable<fc.Command<object, History>>> = fc
  .tuple(fc.subarray(FIELDS, { minLength: 1, maxLength: 4 }), fc.subarray([...OTHERS]))
  .chain(([fields, others]) => {
    const about = fields.flatMap((field) =>
      [edits(field), rewrites(field), USE[field] ?? []].flat(),
    )
    return fc.commands([...about, ...ALWAYS, ...others], { maxCommands: 40, size: '+1' })
  })
