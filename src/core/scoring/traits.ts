import { RE2JS } from 're2js'
import type { TraitCondition } from '../mapping/model-signals.ts'
import type { Traits } from './features.ts'

/** Compiles a condition on one trait; one value that meets all of it is enough. */
export function traitTest(condition: TraitCondition): (traits: Traits) => boolean {
  const { trait, exists } = condition
  if (exists === false) return (traits) => (traits[trait]?.length ?? 0) === 0
  const tests = valueTests(condition)
  return (traits) => traits[trait]?.some((value) => tests.every((test) => test(value))) ?? false
}

/** The greatest number among the values of a trait that meet the condition; null without one. */
export function traitNumber(condition: TraitCondition): (traits: Traits) => number | null {
  const tests = valueTests(condition)
  return (traits) => {
    let greatest: number | null = null
    for (const value of traits[condition.trait] ?? []) {
      const n = numberOf(value)
      if (n === null || !tests.every((test) => test(value))) continue
      if (greatest === null || n > greatest) greatest = n
    }
    return greatest
  }
}

function valueTests({ equals, in: among, gte, lte, matches }: TraitCondition) {
  const tests: ((value: string) => boolean)[] = []
  if (equals !== undefined) {
    const wanted = String(equals)
    tests.push((value) => value === wanted)
  }
  if (among) {
    const wanted = new Set(among.map(String))
    tests.push((value) => wanted.has(value))
  }
  if (gte !== undefined) tests.push((value) => (numberOf(value) ?? Number.NaN) >= gte)
  if (lte !== undefined) tests.push((value) => (numberOf(value) ?? Number.NaN) <= lte)
  if (matches !== undefined) {
    const compiled = RE2JS.compile(matches)
    tests.push((value) => compiled.matcher(value).find())
  }
  return tests
}

function numberOf(value: string): number | null {
  if (value.trim() === '') return null
  const n = Number(value)
  return Number.isFinite(n) ? n : null
}
