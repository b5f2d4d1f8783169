import { removeCredential } from '../../../infra/secrets/credential-store.ts'
import { knownCrm } from '../crm-of.ts'
import { type CommonOptions, print, printJson, withApp } from '../with-app.ts'

interface DisconnectOptions extends CommonOptions {
  readonly crm: string
}

/** `ripen disconnect`: removes the tokens of a CRM. */
export async function disconnectCommand(options: DisconnectOptions): Promise<void> {
  const removed = await withApp({ ...options, publish: false }, (app) => {
    knownCrm(app, options.crm)
    return removeCredential(app.context.db, options.crm)
  })
  if (options.json) return printJson({ crm: options.crm, removed })
  print(
    removed
      ? `The tokens of ${options.crm} are removed. The app is still let in there: take its access away in ${options.crm} too.`
      : `${options.crm} was not connected.`,
  )
}
