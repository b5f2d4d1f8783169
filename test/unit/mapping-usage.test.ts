import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../src/core/errors.ts'
import { parseYaml } from '../../src/core/mapping/parse-yaml.ts'
import { usageMappingSchema } from '../../src/core/mapping/usage-mapping.ts'

const plan = `version: 1
email: [user.email, event.$email]
traits:
  plan: [user.plan]
ignore: [Heartbeat]
actions:
  limit_80:
    label: Used 80 % of a limit
    family: limit
    from:
      - event: Limit Status
        source: mixpanel
        where: { percent_used: { gte: 80 } }
  invited:
    label: Invited
    family: collaboration
    core: true
    from: [{ event: invite_sent }]
`
const read = (text: string) => parseYaml(text, 'usage.yaml', usageMappingSchema)

/** What is wrong first. */
function problemOf(text: string): string {
  try {
    read(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')[0] ?? ''
  }
  return ''
}

describe('the tracking plan', () => {
  it('is read as it is written', () => {
    expect(read(plan)).toEqual({
      version: 1,
      email: ['user.email', 'event.$email'],
      traits: { plan: ['user.plan'] },
      account: [],
      ignore: ['Heartbeat'],
      keep: 'mapped',
      actions: {
        limit_80: {
          label: 'Used 80 % of a limit',
          family: 'limit',
          core: false,
          from: [
            { event: 'Limit Status', source: 'mixpanel', where: { percent_used: { gte: 80 } } },
          ],
        },
        invited: {
          label: 'Invited',
          family: 'collaboration',
          core: true,
          from: [{ event: 'invite_sent' }],
        },
      },
    })
  })

  it('keeps one value or several of an action', () => {
    const keeping = (keep: string) =>
      read(plan.replace('    core: true\n', `    value: { of: event.n, keep: ${keep} }\n`)).actions[
        'invited'
      ]?.value
    expect(keeping('sum')).toEqual({ of: 'event.n', keep: ['sum'] })
    expect(keeping('[max, distinct]')).toEqual({ of: 'event.n', keep: ['max', 'distinct'] })
  })

  it('needs neither traits nor ignored events', () => {
    const short = plan.replace(/traits:\n.*\n/, '').replace('ignore: [Heartbeat]\n', '')
    expect(read(short)).toMatchObject({ traits: {}, ignore: [] })
  })

  it.each([
    {
      name: 'an action with a capital',
      text: plan.replace('invited:', 'Invited:'),
      want: /^usage\.yaml:14:3: actions\.Invited: .*lower-case letters, digits and _/,
    },
    {
      name: 'an unknown family',
      text: plan.replace('family: limit', 'family: limits'),
      want: /^usage\.yaml:9:5: actions\.limit_80\.family: .*"limit"/,
    },
    {
      name: 'an action from nothing',
      text: plan.replace('[{ event: invite_sent }]', '[]'),
      want: /^usage\.yaml:18:5: actions\.invited\.from: /,
    },
    {
      name: 'an unknown comparison',
      text: plan.replace('gte: 80', 'gt: 80'),
      want: /^usage\.yaml:13:34: actions\.limit_80\.from\.0\.where\.percent_used\.gt: unknown field/,
    },
    {
      name: 'a condition that asks nothing',
      text: plan.replace('{ gte: 80 }', '{}'),
      want: /^usage\.yaml:13:18: .*percent_used: give one of equals, in, gte, lte, exists, matches$/,
    },
    {
      name: 'a pattern that looks ahead',
      text: plan.replace('{ gte: 80 }', "{ matches: 'a(?=b)' }"),
      want: /^usage\.yaml:13:34: .*percent_used\.matches: RE2 cannot read this pattern \(.*\(\?=/,
    },
    {
      name: 'a pattern that refers back',
      text: plan.replace('{ gte: 80 }', "{ matches: '(a)\\1' }"),
      want: /^usage\.yaml:13:34: .*percent_used\.matches: RE2 cannot read this pattern/,
    },
    {
      name: 'a value that is kept in an unknown way',
      text: plan.replace('    core: true\n', '    value: { of: event.n, keep: mean }\n'),
      want: /^usage\.yaml:17:27: actions\.invited\.value\.keep: /,
    },
    {
      name: 'a value that is none of the event',
      text: plan.replace('    core: true\n', '    value: { of: user.n, keep: sum }\n'),
      want: /^usage\.yaml:17:14: actions\.invited\.value\.of: write event\.<property>$/,
    },
    {
      name: 'a place that says not where',
      text: plan.replace('[user.plan]', '[plan]'),
      want: /^usage\.yaml:4:10: traits\.plan\.0: write user\.<property>, event\.<property> or group/,
    },
    {
      name: 'no place for e-mail addresses',
      text: plan.replace('[user.email, event.$email]', '[]'),
      want: /^usage\.yaml:2:1: email: /,
    },
    {
      name: 'no action',
      text: plan.replace(/actions:.*/s, 'actions: {}\n'),
      want: /^usage\.yaml:6:1: actions: name one action at least$/,
    },
    {
      name: 'a version that is not known',
      text: plan.replace('version: 1', 'version: 2'),
      want: /^usage\.yaml:1:1: version: .*expected 1/,
    },
  ])('$name is refused where it stands', ({ text, want }) => {
    expect(problemOf(text)).toMatch(want)
  })
})
