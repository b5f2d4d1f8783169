import { createInterface } from 'node:readline/promises'
import { ConfigError } from '../../../core/errors.ts'
import { normaliseEmail } from '../../../core/identity/email.ts'
import {
  findByEmail,
  type Receipt,
  readReceipt,
  requestForget,
} from '../../../infra/postgres/forget-store.ts'
import { table } from '../tables.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface ForgetOptions extends CommonOptions {
  readonly yes?: boolean
}

/** `ripen forget`: removes a person from everything that is stored, with a receipt. */
export async function forgetCommand(who: string, options: ForgetOptions): Promise<void> {
  const email = normaliseEmail(who)
  if (email === null) throw new ConfigError(`${who} is no e-mail address`)
  await withApp({ ...options, publish: false }, async ({ context, engine }) => {
    const found = await findByEmail(context.db, email)
    const nodes = [...new Set([`email/${email}`, ...(found?.nodes ?? [])])]
    if (!options.yes && !(await confirmed(email, found ? nodes.length : 0))) {
      return print(options.json ? 'null' : 'Nothing was removed.')
    }
    const id = await requestForget(context.db, nodes)
    engine.start(['forget', 'rollup', 'identity'], [])
    await engine.wake(['forget'])
    await engine.idle(['forget'])
    // Before others' numbers are worked out anew: the receipt is due whatever becomes of them.
    const receipt = await readReceipt(context.db, id)
    if (options.json) printJson(receipt)
    else print(describe(receipt))
    await engine.idle(['rollup', 'identity'])
  })
}

/** @throws {ConfigError} where nobody can be asked. */
async function confirmed(email: string, known: number): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new ConfigError('nobody can be asked here whether it is meant; give --yes')
  }
  const what =
    known > 0
      ? `${email} is known by ${known} ids and addresses. All of them, with events, scores and history, are removed for good`
      : `${email} is nobody's address here. It is looked for in the stored events and kept out of later pulls`
  const dialogue = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await dialogue.question(`${what}. Type yes to go on: `)).trim() === 'yes'
  } finally {
    dialogue.close()
  }
}

function describe({ id, removed, inCrm, hashes, finishedAt }: Receipt): string {
  const rows = Object.entries(removed.rows).map(([name, n]) => [`  ${name}`, `${n} rows`])
  const files = removed.files.map(({ file, rows: n }) => [`  ${file}`, `${n} rows`])
  const left = inCrm.map((one) => [
    `  ${one.crm}`,
    `${one.object} ${one.id}`,
    one.todo === 'erase' ? 'erase it there' : 'may name the person; look it over',
  ])
  return [
    `Forgotten at ${finishedAt}. Receipt ${id}`,
    'Removed from tables',
    rows.length ? table(rows) : '  nothing',
    'Removed from lake files',
    files.length ? table(files) : '  nothing',
    `${hashes} hashes keep the person out of later pulls.`,
    'Left in the CRM',
    left.length ? table(left) : '  nothing that we know of',
  ].join('\n')
}
