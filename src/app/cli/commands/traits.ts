import { resolve } from 'node:path'
import { loadTraits, type TraitsLoad } from '../../load-traits.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface TraitsOptions extends CommonOptions {
  readonly file: string
  readonly as: string
}

/** `ripen traits`: loads a CSV file that says something of people or companies. */
export async function traitsCommand(options: TraitsOptions): Promise<void> {
  await withApp(options, async ({ context }) => {
    const loaded = await loadTraits(context, resolve(options.file), options.as)
    if (options.json) return printJson(loaded)
    print(describe(loaded))
    print('Next: ripen score')
  })
}

function describe(loaded: TraitsLoad): string {
  const { lines, known, unknown, begun, ended, leftOut } = loaded
  const told = [`${lines} lines: ${begun} values are new, ${ended} have ended`]
  told.push(`${known} of those they are about are known`)
  if (unknown > 0) told.push(`${unknown} are not yet, and are kept until they are`)
  if (leftOut > 0) told.push(`${leftOut} lines are about people who were forgotten, and left out`)
  return told.join('; ')
}
