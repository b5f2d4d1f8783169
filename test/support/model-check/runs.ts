const number = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value)) throw new Error(`${name}=${text} is no whole number`)
  return value
}

/** The same of histories that take a second and more: the first one that fails is told as it was, and not made shorter. */
export function slowRunsOf(what: string, numRuns: number) {
  return { ...runsOf(what, numRuns), endOnFailure: true }
}

/**
 * How many histories are made up, and from which seed: the same ones each time, so that a build can be repeated, unless
 * RIPEN_TEST_SEED and RIPEN_TEST_RUNS say otherwise. Both are printed.
 */
export function runsOf(what: string, numRuns: number): { numRuns: number; seed: number } {
  const runs = {
    numRuns: number('RIPEN_TEST_RUNS') ?? numRuns,
    seed: number('RIPEN_TEST_SEED') ?? 1,
  }
  process.stdout.write(`${what}: RIPEN_TEST_RUNS=${runs.numRuns} RIPEN_TEST_SEED=${runs.seed}\n`)
  return runs
}
