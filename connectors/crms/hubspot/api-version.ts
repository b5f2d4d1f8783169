/**
 * The client knows only the numbered paths (v3, v4), which HubSpot stops supporting in the course
 * of 2027. The dated versions take and give the same for all our calls; only the paths differ.
 */
const NUMBERED =
  /\/crm\/(?:v3\/(objects|properties|owners|pipelines)|v4\/(associations))(?=\/|\?|$)/

/** The address of the same call in a dated version such as `2026-03`; unchanged when it is undefined. */
export function toDatedUrl(url: string, apiVersion: string | undefined): string {
  if (apiVersion === undefined) return url
  const dated = url.replace(
    NUMBERED,
    (_, name: string | undefined, associations: string | undefined) =>
      `/crm/${name ?? associations}/${apiVersion}`,
  )
  // The list of owners ends with a slash by number only.
  return dated.replace(/\/(?=\?|$)/, '')
}
