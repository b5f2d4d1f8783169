/**
 * A vendor id as a node of the identity graph: `<source>/u:<user id>`, `<source>/d:<device id>`,
 * `<source>/a:<alias id>`, or `email/<address>`.
 */
export type IdentityNode = string

export interface IdentityEdge {
  readonly a: IdentityNode
  readonly b: IdentityNode
  /** When the two were first seen together, in ms; 0 when nobody says. */
  readonly firstAt?: number
  /** The vendor itself says that the two are one: they count as one where ids are counted. */
  readonly declared?: boolean
}

export const isUser = (node: IdentityNode): boolean =>
  node.startsWith('/u:', node.indexOf('/')) && !isEmail(node)
export const isDevice = (node: IdentityNode): boolean =>
  node.startsWith('/d:', node.indexOf('/')) && !isEmail(node)
export const isEmail = (node: IdentityNode): boolean => node.startsWith('email/')

/** The id without its kind: in a tool with one name space, equal names are one id. */
export function nameOf(node: IdentityNode): string {
  const slash = node.indexOf('/')
  return isEmail(node) ? node : `${node.slice(0, slash)}/${node.slice(slash + 3)}`
}

/** How strong a join is, by what it goes over: an id of the account, a device, or an address. */
export type JoinKind = 'alias' | 'device' | 'email'

export function joinKind({ a, b }: Pick<IdentityEdge, 'a' | 'b'>): JoinKind {
  if (isEmail(a) || isEmail(b)) return 'email'
  return isDevice(a) || isDevice(b) ? 'device' : 'alias'
}
