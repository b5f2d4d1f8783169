import { type FileProblem, placeOf, wordsOf } from '../../core/mapping/parse-yaml.ts'
import { wrapped } from './tables.ts'

/** Problems of files, each on a line of its own that begins with its place. */
export function describeProblems(problems: readonly FileProblem[]): string[] {
  const widest = Math.max(...problems.map((one) => placeOf(one).length))
  return problems.flatMap((one) => {
    const [first = '', ...more] = wrapped(wordsOf(one), widest + 2)
    return [
      `${placeOf(one).padEnd(widest)}  ${first}`,
      ...more.map((line) => `${' '.repeat(widest + 2)}${line}`),
    ]
  })
}
