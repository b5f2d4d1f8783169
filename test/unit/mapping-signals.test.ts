import { describe, it } from '@jest/globals'
import { account, expectProblems, person, type Wrong, withSignal } from '../support/model-text.ts'

describe('a word of before is refused with what to write now:', () => {
  it.each<Wrong>([
    {
      name: 'per: occurrence',
      text: person.replace('per: 1', 'per: occurrence'),
      want: [/^models\/m\.yaml:9:65: signals\.1\.per: write per: 1, points for each time$/],
    },
    {
      name: 'per: once',
      text: person.replace('per: 1', 'per: once'),
      want: [/signals\.1\.per: leave per out; flat points are given once$/],
    },
    {
      name: 'per: active-day',
      text: person.replace('per: 1', 'per: active-day'),
      want: [/signals\.1\.per: write per: 1 and measure: active-days$/],
    },
    {
      name: 'people that do not say how they count',
      text: account.replace('per: 1, max: 40 }', 'max: 40 }'),
      want: [
        /^models\/m\.yaml:9:30: signals\.0\.people: say how it counts: per: 1 for points for each, at-least for a threshold, or tiers$/,
      ],
    },
  ])('$name', expectProblems)
})

describe('a mistyped signal gets one error, about the field that is wrong:', () => {
  const kinds =
    /^models\/m\.yaml:9:5: signals\.1: say what it measures by one of action, actions, time-from with to, trait, people, or all, any and none$/
  it.each<Wrong>([
    {
      name: 'a field of an action',
      text: withSignal('action: a, mesure: week, points: 30'),
      want: [/^models\/m\.yaml:9:47: signals\.1\.mesure: unknown field; remove it/],
    },
    {
      name: 'points that are misspelled',
      text: withSignal('action: a, pionts: 30'),
      want: [/:9:47: signals\.1\.pionts: unknown field/],
    },
    {
      name: 'a measure that there is not',
      text: withSignal('action: a, measure: often, points: 30'),
      want: [/:9:47: signals\.1\.measure: .*"count"\|"active-days"\|/],
    },
    {
      name: 'a field that a trait lacks',
      text: withSignal('trait: plan, in: [pro], points: 30, within: 7d'),
      want: [/:9:72: signals\.1\.within: unknown field/],
    },
    {
      name: 'a word for people that there is not',
      text: withSignal('people: all, at-least: 1, points: 30'),
      want: [/:9:36: signals\.1\.people: .*"known"\|"active"\|"new"/],
    },
    {
      name: 'one action in a list',
      text: withSignal('actions: [a], points: 30'),
      want: [/:9:36: signals\.1\.actions: .*>=2/],
    },
    {
      name: 'a word for actions that there is not',
      text: withSignal('actions: cor, points: 30'),
      want: [/signals\.1\.actions: write core or a list of two actions or more$/],
    },
    {
      name: 'a combination of text',
      text: withSignal('all: activated, points: 30'),
      want: [/:9:36: signals\.1\.all: .*expected array/],
    },
    {
      name: 'a limit of no known form',
      text: withSignal('action: a, measure: ratio, limit: ten, at-least: 80, points: 30'),
      want: [/signals\.1\.limit: write a number above 0, \{ trait: … \} or \{ action: … \}$/],
    },
    {
      name: 'a value of a trait that is a list',
      text: withSignal('trait: plan, in: [[pro]], points: 30'),
      want: [/signals\.1\.in\.0: write text, a number, true or false$/],
    },
    {
      name: 'a pattern that cannot be read',
      text: withSignal('trait: role, matches: "(head", points: 30'),
      want: [/signals\.1\.matches: RE2 cannot read this pattern/],
    },
    {
      name: 'fractions of points',
      text: person.replace('points: 30', 'points: 2.5'),
      want: [/^models\/m\.yaml:8:59: signals\.0\.points: .*expected int/],
    },
    {
      name: 'points that are text',
      text: person.replace('points: 30', 'points: thirty'),
      want: [/^models\/m\.yaml:8:59: signals\.0\.points: .*expected number, received string$/],
    },
    {
      name: 'nothing that it measures, and then the kinds there are',
      text: withSignal('points: 30'),
      want: [kinds],
    },
    {
      name: 'a misspelled kind, and then the kinds there are',
      text: withSignal('event: a, points: 30'),
      want: [kinds, /:9:36: signals\.1\.event: unknown field/],
    },
  ])('$name', expectProblems)
})

describe('a signal that cannot work is refused where it is wrong:', () => {
  it.each<Wrong>([
    {
      name: 'neither points nor tiers',
      text: withSignal('action: a'),
      want: [/^models\/m\.yaml:9:7: signals\.1\.id: give points or tiers, one of them$/],
    },
    {
      name: 'points and tiers',
      text: withSignal('action: a, points: 30, tiers: [{ from: 1, points: 2 }]'),
      want: [/signals\.1\.id: give points or tiers, one of them$/],
    },
    {
      name: 'tiers that fall',
      text: withSignal('action: a, tiers: [{ from: 5, points: 30 }, { from: 2, points: 40 }]'),
      want: [/^models\/m\.yaml:9:47: signals\.1\.tiers: tiers must rise$/],
    },
    {
      name: 'tiers for each',
      text: withSignal('action: a, tiers: [{ from: 5, points: 30 }], per: 1, max: 30'),
      want: [/:9:81: signals\.1\.per: goes with points, not with tiers; remove one$/],
    },
    {
      name: 'points for each without a bound',
      text: person.replace(', max: 40', ''),
      want: [/^models\/m\.yaml:9:5: signals\.1\.max: .*needs max, the most points it can give$/],
    },
    {
      name: 'bounds that cross',
      text: withSignal('action: a, at-least: 5, at-most: 3, points: 30'),
      want: [/:9:47: signals\.1\.at-least: lies above at-most, so it never holds; swap them$/],
    },
    {
      name: 'more days than the window has',
      text: withSignal('action: a, measure: active-days, at-least: 31, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 30, so it never holds; lower it$/],
    },
    {
      name: 'more days in a row than its own window has',
      text: withSignal('action: a, measure: streak, within: 7d, at-least: 8, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 7,/],
    },
    {
      name: 'eight days in a week',
      text: withSignal('action: a, measure: week-days, at-least: 8, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 7,/],
    },
    {
      name: 'a first use twice',
      text: withSignal('action: a, measure: first-ever, at-least: 2, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 1,/],
    },
    {
      name: 'a velocity above what there is',
      text: withSignal('action: a, measure: velocity, at-least: 1001, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 1000,/],
    },
    {
      name: 'more actions than there are',
      text: withSignal('actions: [a, b], at-least: 3, points: 30'),
      want: [/signals\.1\.at-least: the amount is never above 2,/],
    },
    {
      name: 'fewer times than none',
      text: withSignal('action: a, at-most: -1, points: 30'),
      want: [/signals\.1\.at-most: the amount is never below 0, so it never holds; raise it$/],
    },
    {
      name: 'a tier that nobody reaches',
      text: withSignal(
        'people: share-active, tiers: [{ from: 50, points: 9 }, { from: 110, points: 30 }]',
      ),
      want: [/signals\.1\.tiers: the amount is never above 100, so nobody reaches 110; lower it$/],
    },
    {
      name: 'a period before that nothing is held against',
      text: withSignal('action: a, against: 30d, volume: 3, points: 30'),
      want: [
        /signals\.1\.against: goes with measure: velocity only; remove it$/,
        /signals\.1\.volume: goes with measure: velocity only; remove it$/,
      ],
    },
    {
      name: 'a limit without a ratio',
      text: withSignal('action: a, limit: 10, value: max, points: 30'),
      want: [
        /signals\.1\.limit: goes with measure: ratio only; remove it$/,
        /signals\.1\.value: goes with measure: ratio only; remove it$/,
      ],
    },
    {
      name: 'a ratio without a limit',
      text: withSignal('action: a, measure: ratio, points: 30'),
      want: [/:9:5: signals\.1\.limit: missing; a ratio needs a limit: a number, /],
    },
    {
      name: 'a velocity that fades',
      text: withSignal('action: a, measure: velocity, half-life: 7d, points: 30'),
      want: [/signals\.1\.half-life: does not go with measure: velocity; remove it$/],
    },
    {
      name: 'people counted of one person',
      text: withSignal('action: a, measure: people, points: 30'),
      want: [/signals\.1\.measure: of one person there is one; add of: account$/],
    },
    {
      name: 'the account of an account',
      text: account.replace('people: active', 'action: a, of: account'),
      want: [/signals\.0\.of: an account model looks at the account anyway; remove it$/],
    },
    {
      name: 'qualified people in a model of persons',
      text: withSignal('people: qualified, at-least: 1, points: 30'),
      want: [/signals\.1\.people: qualified asks for scores .* subject is account$/],
    },
    {
      name: 'the champion in a model of persons',
      text: withSignal('people: champion, at-least: 80, points: 30'),
      want: [/signals\.1\.people: champion asks for scores/],
    },
    {
      name: 'a trait without a condition',
      text: withSignal('trait: plan, points: 30'),
      want: [/signals\.1\.trait: give one of equals, in, gte, lte, matches, exists, or tiers$/],
    },
  ])('$name', expectProblems)
})
