import { describe, it } from '@jest/globals'
import {
  account,
  expectProblems,
  person,
  type Wrong,
  withFields,
  withSignal,
} from '../support/model-text.ts'

describe('a model that cannot work is refused where it is wrong:', () => {
  const parts = (components: string, text = person) =>
    withFields(`components:\n${components}`, text).replace(
      /(id: (?:activated|invited),)/g,
      '$1 component: a,',
    )
  it.each<Wrong>([
    {
      name: 'a signal id that is given twice',
      text: person.replace('id: invited', 'id: activated'),
      want: [
        /^models\/m\.yaml:9:7: signals\.1\.id: signal activated is given twice; give each an id/,
      ],
    },
    ...['limit', 'excluded', 'least-active'].map((id) => ({
      name: `the id ${id}, which explains something else`,
      text: person.replace('id: invited', `id: ${id}`),
      want: [
        new RegExp(
          `^models/m\\.yaml:9:7: signals\\.1\\.id: ${id} is a reserved id; choose another$`,
        ),
      ],
    })),
    {
      name: 'an exit at enter',
      text: person.replace('exit: 40', 'exit: 50'),
      want: [/^models\/m\.yaml:10:22: status\.exit: exit must lie below enter$/],
    },
    {
      name: 'an exit above enter',
      text: person.replace('exit: 40', 'exit: 60'),
      want: [/status\.exit: exit must lie below enter$/],
    },
    {
      name: 'an assist above exit',
      text: person.replace('assist: 25', 'assist: 41'),
      want: [/^models\/m\.yaml:10:32: status\.assist: assist must not lie above exit/],
    },
    {
      name: 'a threshold that nobody can reach',
      text: person.replace('enter: 50', 'enter: 71'),
      want: [/^models\/m\.yaml:10:11: status\.enter: nobody can qualify: .* 70 points/],
    },
    {
      name: 'bands that do not start at 0',
      text: person.replace('from: 0', 'from: 1'),
      want: [/^models\/m\.yaml:12:17: bands\.0\.from: the first band starts at 0$/],
    },
    {
      name: 'bands that do not rise',
      text: person.replace('from: 80', 'from: 0'),
      want: [/^models\/m\.yaml:13:17: bands\.1\.from: bands must rise$/],
    },
    {
      name: 'an account model that does not say who is qualified',
      text: account.replace('people-model: people\n', ''),
      want: [/^models\/m\.yaml:1:1: people-model: .*names the model that scores its people$/],
    },
    {
      name: 'what only accounts have, in a model of persons',
      text: withFields('people-model: people\nleast-active: 3'),
      want: [
        /^models\/m\.yaml:7:1: people-model: only models whose subject is account .* remove it$/,
        /^models\/m\.yaml:8:1: least-active: only models whose subject is account .* remove it$/,
      ],
    },
    {
      name: 'a population without a condition',
      text: withFields('population:\n  - { trait: plan }'),
      want: [
        /^models\/m\.yaml:8:5: population\.0: give one of equals, in, gte, lte, matches, exists$/,
      ],
    },
    {
      name: 'an exclusion without a condition',
      text: withFields('exclude:\n  - { label: Left out, trait: plan }'),
      want: [/^models\/m\.yaml:8:5: exclude\.0: give one of equals/],
    },
    {
      name: 'an exclusion by nothing',
      text: withFields('exclude:\n  - { label: Left out }'),
      want: [/^models\/m\.yaml:8:5: exclude\.0: say who is left out by trait or by signal$/],
    },
    {
      name: 'signals that there are not, wherever they are named',
      text: withFields(
        'exclude: [{ label: Left out, signal: gone }]\nrequires: [activated, going]\nhand-raiser: [raised]',
      ),
      want: [
        /^models\/m\.yaml:7:30: exclude\.0\.signal: gone is no signal of this model; known are activated, invited$/,
        /^models\/m\.yaml:8:23: requires\.1: going is no signal/,
        /^models\/m\.yaml:9:15: hand-raiser\.0: raised is no signal/,
      ],
    },
    {
      name: 'a combination of signals that there are not',
      text: withSignal('all: [activated, gone], none: [going], points: 40'),
      want: [
        /^models\/m\.yaml:9:53: signals\.1\.all\.1: gone is no signal of this model/,
        /signals\.1\.none\.0: going is no signal of this model/,
      ],
    },
    {
      name: 'a combination of itself',
      text: withSignal('all: [invited], points: 40'),
      want: [
        /^models\/m\.yaml:9:5: signals\.1: goes round in a circle: invited → invited; take one out$/,
      ],
    },
    {
      name: 'combinations that go round in a circle',
      text: withSignal('any: [other], points: 40').replace(
        'status:',
        '  - { id: third, label: T, all: [invited, activated], points: 1 }\n  - { id: other, label: O, none: [third], points: 1 }\nstatus:',
      ),
      want: [
        /:9:5: signals\.1: goes round in a circle: invited → other → third → invited; take one out$/,
      ],
    },
    {
      name: 'weights that are too little',
      text: parts('  - { id: a, label: A, weight: 90 }'),
      want: [/^models\/m\.yaml:7:1: components: the weights add up to 90, not to 100; add 10$/],
    },
    {
      name: 'weights that are too much',
      text: parts(
        '  - { id: a, label: A, weight: 70 }\n  - { id: b, label: B, weight: 60 }',
      ).replace('id: invited, component: a', 'id: invited, component: b'),
      want: [
        /^models\/m\.yaml:7:1: components: the weights add up to 130, not to 100; take 30 away$/,
      ],
    },
    {
      name: 'weights of which one is a bound',
      text: parts('  - { id: a, label: A, weight: 70 }\n  - { id: b, label: B, max: 30 }').replace(
        'id: invited, component: a',
        'id: invited, component: b',
      ),
      want: [
        /^models\/m\.yaml:9:5: components\.1: components have either max or weight, all alike$/,
      ],
    },
    {
      name: 'a component without bound or weight',
      text: parts('  - { id: a, label: A }'),
      want: [/^models\/m\.yaml:8:5: components\.0: give max, or weight for every component$/],
    },
    {
      name: 'points to give among signals that have no weight',
      text: parts('  - { id: a, label: A, max: 80, full: 50 }'),
      want: [/^models\/m\.yaml:8:33: components\.0\.full: goes with weight only; remove it$/],
    },
    {
      name: 'a component that is not there',
      text: parts('  - { id: a, label: A, max: 80 }').replace(
        'invited, component: a',
        'invited, component: b',
      ),
      want: [/^models\/m\.yaml:11:20: signals\.1\.component: b is no component; known are a$/],
    },
    {
      name: 'a component in a model without any',
      text: person.replace('id: invited,', 'id: invited, component: a,'),
      want: [/signals\.1\.component: a is no component; the model has none$/],
    },
    {
      name: 'a signal without a component',
      text: parts('  - { id: a, label: A, max: 80 }').replace(
        'id: invited, component: a,',
        'id: invited,',
      ),
      want: [
        /^models\/m\.yaml:11:7: signals\.1\.id: names no component, and the model has a; name one$/,
      ],
    },
    {
      name: 'a component without a signal',
      text: parts('  - { id: a, label: A, max: 80 }\n  - { id: b, label: B, max: 20 }'),
      want: [/^models\/m\.yaml:9:7: components\.1\.id: no signal belongs to b; remove it$/],
    },
    {
      name: 'a rule for the rejected of no known form',
      text: person.replace('stale-after: 45d', 'stale-after: 45d, after-rejection: nver'),
      want: [/status\.after-rejection: write never, or \{ cool-down: 90d, gain: 10 \}$/],
    },
    {
      name: 'a kind that there is not',
      text: person.replace('kind: conversion', 'kind: renewal'),
      want: [/^models\/m\.yaml:4:1: kind: .*"conversion"\|"expansion"\|"onboarding"\|"retention"/],
    },
    {
      name: 'a window of hours',
      text: person.replace('window: 30d', 'window: 30h'),
      want: [/^models\/m\.yaml:6:1: window: write whole days, such as 30d$/],
    },
    {
      name: 'a dwell without a unit',
      text: person.replace('stale-after: 45d', 'stale-after: 45d, min-dwell: 1'),
      want: [/^models\/m\.yaml:10:75: status\.min-dwell: write a duration such as 15m, 4h or 30d$/],
    },
    {
      name: 'a status without an end',
      text: person.replace(', stale-after: 45d', ''),
      want: [/^models\/m\.yaml:10:1: status\.stale-after: missing; write whole days, such as 30d$/],
    },
    {
      name: 'no signal',
      text: person.replace(/signals:\n.*\n.*\n/, 'signals: []\n'),
      want: [/^models\/m\.yaml:7:1: signals: .*>=1/],
    },
    {
      name: 'an id with capitals',
      text: person.replace('id: people', 'id: People'),
      want: [/^models\/m\.yaml:1:1: id: use lower-case letters, digits and -$/],
    },
  ])('$name', expectProblems)
})
