import { describe, expect, it } from '@jest/globals'
import { usageMappingSchema } from '../../src/core/mapping/usage-mapping.ts'
import { eventUse } from '../../src/core/usage/event-use.ts'

const plan = usageMappingSchema.parse({
  version: 1,
  email: ['user.email'],
  ignore: ['Heartbeat'],
  actions: {
    built: {
      label: 'Built',
      family: 'usage',
      from: [{ event: 'Created' }, { source: 'mixpanel', event: 'made' }],
    },
    priced: {
      label: 'Priced',
      family: 'intent',
      from: [{ event: 'Created', where: { kind: { equals: 'quote' } } }],
    },
  },
})

describe('an event name', () => {
  it.each([
    { source: 'amplitude', name: 'Created', use: 'mapped', actions: ['built', 'priced'] },
    { source: 'mixpanel', name: 'made', use: 'mapped', actions: ['built'] },
    { source: 'amplitude', name: 'made', use: 'unmapped', actions: [] },
    { source: 'amplitude', name: 'created', use: 'unmapped', actions: [] },
    { source: 'amplitude', name: 'Heartbeat', use: 'ignored', actions: [] },
    { source: 'amplitude', name: 'session_start', use: 'reserved', actions: [] },
    { source: 'amplitude', name: '[Amplitude] Revenue', use: 'reserved', actions: [] },
  ])('$name of $source is $use', ({ source, name, use, actions }) => {
    expect(eventUse(plan, source, name)).toEqual({ use, actions })
  })
})
