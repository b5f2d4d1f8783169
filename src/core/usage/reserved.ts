/**
 * The name of a row that is no event: it says that two vendor ids which only link, one in `device_id`
 * and one in `alias_id`, are one user.
 */
export const ALIAS_MERGE = '$amplitude_merge'

/**
 * Event names that vendors write themselves; they are no usage. Amplitude: HTTP V2 API "reserved
 * event names" and session events; Mixpanel: identity events and `$ae_` (automatic) events.
 */
export const RESERVED_EVENTS: readonly string[] = [
  '$identify',
  '$groupidentify',
  '$create_alias',
  '$merge',
  ALIAS_MERGE,
  'session_start',
  'session_end',
  '$ae_session',
  '$ae_first_open',
  '$ae_updated',
  '$ae_crashed',
  '$campaign_delivery',
]

/** Names that begin so are reserved too. */
export const RESERVED_PREFIXES: readonly string[] = [
  '[Amplitude]',
  '[Experiment]',
  '[Guides-Surveys]',
]
