/** Names of rows that are no events: they say something about a person, an account or two ids. */
export const PROFILE_ROW = '$profile'
export const GROUP_PROFILE_ROW = '$group_profile'
export const IDENTITY_MAPPING_ROW = '$identity_mapping'

/**
 * The name of a row that is no event: it says that two vendor ids which only link, one in `device_id`
 * and one in `alias_id`, are one user.
 */
export const ALIAS_MERGE = '$amplitude_merge'

/** Rows by these names are on no event day: they are counted nowhere and in no rollup. */
export const NO_EVENTS: readonly string[] = [
  PROFILE_ROW,
  GROUP_PROFILE_ROW,
  IDENTITY_MAPPING_ROW,
  ALIAS_MERGE,
]

/**
 * Event names that vendors write themselves; they are no usage. Amplitude: HTTP V2 API "reserved
 * event names" and session events; Mixpanel: identity events and `$ae_` (automatic) events.
 */
export const RESERVED_EVENTS: readonly string[] = [
  '$identify',
  '$groupidentify',
  '$create_alias',
  '$merge',
  'session_start',
  'session_end',
  '$ae_session',
  '$ae_first_open',
  '$ae_updated',
  '$ae_crashed',
  '$campaign_delivery',
  ...NO_EVENTS,
]

/** Names that begin so are reserved too. */
export const RESERVED_PREFIXES: readonly string[] = [
  '[Amplitude]',
  '[Experiment]',
  '[Guides-Surveys]',
]
