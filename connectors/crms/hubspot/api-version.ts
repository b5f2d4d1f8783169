/**
 * The client knows only the numbered paths (v3, v4), which HubSpot stops supporting in the course
 * of 2027. The dated versions take and give the same for all our calls; only the paths differ.
 */
const NUMBERED =
  /\/crm\/(?:v3\/(objects|properties|owners|pipelines|property-validations|limits|lists)|v4\/(associations))(?=\/|\?|$)/
const NUMBERED_ACCOUNT = /\/account-info\/v3(?=\/)/
const NUMBERED_EVENTS = /\/events\/v3(?=\/)/

/**
 * OAuth has no older version that keeps secrets out of the address, so this one does not follow
 * HUBSPOT_API_VERSION.
 */
export const OAUTH_PATH = '/oauth/2026-03/token'

/** The address of the same call in a dated version such as `2026-03`; unchanged when it is undefined. */
export function toDatedUrl(url: string, apiVersion: string | undefined): string {
  if (apiVersion === undefined) return url
  const dated = url
    .replace(
      NUMBERED,
      (_, name: string | undefined, associations: string | undefined) =>
        `/crm/${name ?? associations}/${apiVersion}`,
    )
    .replace(NUMBERED_ACCOUNT, `/account-info/${apiVersion}`)
    .replace(NUMBERED_EVENTS, `/events/${apiVersion}`)
  // The list of owners ends with a slash by number only.
  return dated.replace(/\/(?=\?|$)/, '')
}
