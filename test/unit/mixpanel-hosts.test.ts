import { describe, expect, it } from '@jest/globals'
import { mixpanelHosts } from '../../connectors/sources/mixpanel/hosts.ts'

describe('the hosts of Mixpanel', () => {
  it.each([
    {
      name: 'are those of the region: us',
      given: mixpanelHosts('us'),
      want: ['https://data.mixpanel.com', 'https://mixpanel.com'],
    },
    {
      name: 'are those of the region: eu',
      given: mixpanelHosts('eu'),
      want: ['https://data-eu.mixpanel.com', 'https://eu.mixpanel.com'],
    },
    {
      name: 'are those of the region: in',
      given: mixpanelHosts('in'),
      want: ['https://data-in.mixpanel.com', 'https://in.mixpanel.com'],
    },
    {
      name: 'may be overridden, both by one that is not of Mixpanel',
      given: mixpanelHosts('us', { dataUrl: 'http://127.0.0.1:4010' }),
      want: ['http://127.0.0.1:4010', 'http://127.0.0.1:4010'],
    },
    {
      name: 'belong together where the data host is named',
      given: mixpanelHosts('us', { dataUrl: 'https://data-eu.mixpanel.com/' }),
      want: ['https://data-eu.mixpanel.com/', 'https://eu.mixpanel.com'],
    },
    {
      name: 'may be overridden each',
      given: mixpanelHosts('us', { queryUrl: 'http://127.0.0.1:4011' }),
      want: ['https://data.mixpanel.com', 'http://127.0.0.1:4011'],
    },
  ])('$name', ({ given, want }) => {
    expect([given.dataUrl, given.queryUrl]).toEqual(want)
  })
})
