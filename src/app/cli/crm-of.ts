import type { ConnectedCrm } from '../../../jobs/context.ts'
import { ConfigError } from '../../core/errors.ts'
import type { CrmMapping } from '../../core/mapping/crm-mapping.ts'
import { playbooksOf } from '../../core/playbook/playbooks-of.ts'
import type { Crm } from '../../core/ports/crm.ts'
import type { CrmNeeds } from '../../core/ports/crm-check.ts'
import { crmNeeds } from '../../core/sync/crm-needs.ts'
import { crmSetup } from '../../core/sync/crm-setup.ts'
import type { App } from '../compose.ts'
import type { OAuthConnection } from '../oauth-connection.ts'
import { readMappings } from './with-app.ts'

/** @throws {ConfigError} naming those that there are. */
export function knownCrm(app: App, name: string): ConnectedCrm {
  const connected = app.context.crms.get(name)
  if (connected) return connected
  const known = [...app.context.crms.keys()].join(', ')
  throw new ConfigError(`--crm ${name} is not known; take one of ${known}`)
}

/**
 * The mapping of a CRM as the folder has it; it is not published.
 * @throws {ConfigError} when there is none, or it is wrong.
 */
export async function crmMapping(app: App, name: string, folder?: string): Promise<CrmMapping> {
  const mapping = (await readMappings(app, folder)).crms.get(name)
  if (mapping) return mapping
  throw new ConfigError(`${name}.yaml is missing in the mapping folder`)
}

/** What the folder does with a CRM, its playbooks among that. */
export async function crmNeedsOf(app: App, name: string, folder?: string): Promise<CrmNeeds> {
  const set = await readMappings(app, folder)
  return crmNeeds(await crmMapping(app, name, folder), playbooksOf(set, name))
}

/** @throws {ConfigError} naming the variables when there are no credentials. */
export function openCrm(app: App, name: string, mapping: CrmMapping): Crm {
  const { connect, variables } = knownCrm(app, name)
  if (!connect) throw new ConfigError(`${name} is not connected; set ${variables}`)
  return connect(crmSetup(mapping))
}

/** @throws {ConfigError} naming the variables when no app is set up. */
export function oauthOf(app: App, name: string): OAuthConnection {
  knownCrm(app, name)
  const connection = app.oauth.get(name)
  if (connection) return connection
  const prefix = name.toUpperCase()
  // Salesforce's login pages are the org's own.
  const address = name === 'salesforce' ? 'SALESFORCE_BASE_URL, ' : ''
  throw new ConfigError(
    `${name} has no app to connect with; set ${address}${prefix}_CLIENT_ID, ${prefix}_CLIENT_SECRET and RIPEN_ENCRYPTION_KEY`,
  )
}
