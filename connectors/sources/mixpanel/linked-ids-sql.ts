import type { FieldType, StructColumn } from '../struct-columns.ts'

const ANON_ID = '$."$anon_id"'
/** Where the ids stand that an identity event names. */
const LINK_PATHS = [
  '$."$identified_id"',
  ANON_ID,
  '$.alias',
  '$."$distinct_ids"[0]',
  '$."$distinct_ids"[1]',
]
const REFUSALS = ['$."$failure_reason"', '$."$identity_failure_reason"']
const EVENTS = ['$identify', '$create_alias', '$merge']

export const linkParams = () => ({
  linkPaths: LINK_PATHS,
  refusals: REFUSALS,
  linkEvents: EVENTS,
})

/**
 * What a Mixpanel identity event names: `$identify` a user and an anonymous device, `$create_alias`
 * another name of the one who sent it, `$merge` two ids (Mixpanel, "Identifying users", Original API).
 * Null for all other events, and for one that Mixpanel itself refused.
 */
export function linksSql(event: string, properties: string): string {
  const texts = (paths: string) => `json_extract_string(${properties}, ${paths}::varchar[])`
  return `case when not list_contains($linkEvents::varchar[], ${event}) then null
    when len(list_filter(${texts('$refusals')}, lambda text: text <> '')) > 0 then null
    else ${texts('$linkPaths')} end`
}

/** The properties that `linksOfFields` looks at. */
export const LINK_FIELDS: readonly { readonly name: string; readonly type: FieldType }[] = [
  { name: '$identified_id', type: 'VARCHAR' },
  { name: '$anon_id', type: 'VARCHAR' },
  { name: 'alias', type: 'VARCHAR' },
  { name: '$distinct_ids', type: 'JSON' },
  { name: '$failure_reason', type: 'VARCHAR' },
  { name: '$identity_failure_reason', type: 'VARCHAR' },
]

/** What `linksSql` yields, from fields that were read already. */
export function linksOfFields(event: string, { read }: StructColumn): string {
  const text = (name: string) => read(name, 'VARCHAR')
  const ids = [0, 1].map((n) => `json_extract_string(${read('$distinct_ids', 'JSON')}, '$[${n}]')`)
  const said = [text('$identified_id'), text('$anon_id'), text('alias'), ...ids]
  return `case when not list_contains($linkEvents::varchar[], ${event}) then null
    when ${text('$failure_reason')} <> '' or ${text('$identity_failure_reason')} <> '' then null
    else [${said.join(', ')}] end`
}

/** Devices of the simplified API say that they are some. */
const id = (text: string, otherwise: string) => `case
  when ${text} = '' then null
  when starts_with(${text}, '$device:') then 'd:' || substr(${text}, 9)
  else '${otherwise}' || ${text} end`

const ids = LINK_PATHS.map((path, index) =>
  id(`links[${index + 1}]`, path === ANON_ID ? 'd:' : 'a:'),
)

/** Who the event was sent by, and whom Mixpanel has merged that id into since. */
const MERGED = `before_identity <> '' and distinct_id <> '' and before_identity <> distinct_id`

/**
 * The column `linked_ids` from the texts that `linksSql` found, and from an id that was merged into another; it needs
 * the columns `before_identity` and `distinct_id`.
 */
export const LINKED_IDS = `case when links is not null then
    list_filter([${ids.join(', ')}], lambda linked: linked is not null)
  when ${MERGED} then [${['before_identity', 'distinct_id'].map((text) => id(text, 'a:')).join(', ')}] end`

/** An id for an event that names nobody else. */
export const FIRST_LINK = `coalesce(nullif(links[1], ''), nullif(links[4], ''))`
