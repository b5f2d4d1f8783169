/**
 * Ids that name nobody, as Amplitude's HTTP API refuses them (HTTP V2 API, "device_id and user_id
 * requirements"), compared without case.
 */
export const JUNK_IDS: readonly string[] = [
  '',
  'anonymous',
  'nil',
  'none',
  'null',
  'n/a',
  'na',
  'undefined',
  'unknown',
  '{}',
  '[]',
  '0',
  '-1',
  'true',
  'false',
  'test',
  'user',
  'guest',
  '00000000-0000-0000-0000-000000000000',
]
