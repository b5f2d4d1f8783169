/** The host name of a website as people type it, lower-case and without `www.`; null for what is none. */
export function domainOf(website: string | null): string | null {
  if (website === null) return null
  const text = website.trim()
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(address)) return null
  const host = new URL(address).hostname
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^www\d?\./, '')
  return host.includes('.') ? host : null
}

/** Whether a host is of a domain: the domain itself, or something below it. */
export function isOfDomain(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}
