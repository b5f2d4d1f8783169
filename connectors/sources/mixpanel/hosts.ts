/** Where a Mixpanel project keeps its data. */
export type MixpanelRegion = 'us' | 'eu' | 'in'

export interface MixpanelHosts {
  /** Of the raw export. */
  readonly dataUrl: string
  /** Of the query API: profiles. */
  readonly queryUrl: string
}

const HOSTS: Readonly<Record<MixpanelRegion, MixpanelHosts>> = {
  us: { dataUrl: 'https://data.mixpanel.com', queryUrl: 'https://mixpanel.com' },
  eu: { dataUrl: 'https://data-eu.mixpanel.com', queryUrl: 'https://eu.mixpanel.com' },
  in: { dataUrl: 'https://data-in.mixpanel.com', queryUrl: 'https://in.mixpanel.com' },
}

/**
 * The hosts of a region, less what is overridden. Where only the data host is: one of Mixpanel's own
 * brings its query host along, and any other (a proxy, the sandbox) plays both.
 */
export function mixpanelHosts(
  region: MixpanelRegion,
  override: { readonly dataUrl?: string | undefined; readonly queryUrl?: string | undefined } = {},
): MixpanelHosts {
  const { dataUrl = HOSTS[region].dataUrl } = override
  const own = Object.values(HOSTS).find((hosts) => sameHost(hosts.dataUrl, dataUrl))
  return { dataUrl, queryUrl: override.queryUrl ?? own?.queryUrl ?? dataUrl }
}

const sameHost = (a: string, b: string): boolean => new URL(a).host === new URL(b).host
