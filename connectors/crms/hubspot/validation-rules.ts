import type { CrmObject, CrmProperty } from '../../../src/core/ports/crm.ts'
import type { Finding } from '../../../src/core/ports/crm-check.ts'
import type { ValidationRule } from './property-definitions.ts'

/** What a rule does to the values that we write. */
type Verdict = 'passes' | 'refuses some' | 'unknown'

/** Rules that say nothing about values of this type, or nothing that ours could break. */
const HARMLESS_FOR_NUMBERS = new Set(['DECIMAL'])

/**
 * What an administrator's rules mean for the values that may be written. HubSpot refuses a record for a value
 * that breaks a rule, whoever writes it.
 */
export function judgeRules(
  place: CrmObject,
  property: Pick<CrmProperty, 'name' | 'type' | 'values'>,
  rules: readonly ValidationRule[],
): Finding[] {
  return rules.flatMap((rule): Finding[] => {
    const verdict = verdictOf(property, rule)
    if (verdict === 'passes') return []
    const refuses = verdict === 'refuses some'
    return [
      {
        level: refuses ? 'error' : 'warning',
        about: 'rules',
        what: `${place} property ${property.name} has the rule ${nameOf(rule)}, which ${
          refuses ? 'refuses values that are written' : 'may refuse values that are written'
        }`,
        mend: refuses
          ? 'take the rule off in HubSpot, or take another property: records with such a value are parked'
          : 'see that the rule lets these values pass: records with a value that it refuses are parked',
        of: { object: place, property: property.name },
      },
    ]
  })
}

function verdictOf(
  { type, values }: Pick<CrmProperty, 'type' | 'values'>,
  rule: ValidationRule,
): Verdict {
  const bound = Number(rule.ruleArguments[0])
  switch (rule.ruleType) {
    case 'MIN_NUMBER':
      return within(values?.numbers?.least, (least) => least >= bound)
    case 'MAX_NUMBER':
      return within(values?.numbers?.greatest, (greatest) => greatest <= bound)
    case 'MAX_LENGTH':
      return within(values?.longest, (longest) => longest <= bound)
    default:
      return type === 'number' && HARMLESS_FOR_NUMBERS.has(rule.ruleType) ? 'passes' : 'unknown'
  }
}

/** Without a bound of ours some value will break the rule; without knowledge of our values nobody can tell. */
function within(bound: number | null | undefined, fits: (bound: number) => boolean): Verdict {
  if (bound === undefined) return 'unknown'
  return bound !== null && fits(bound) ? 'passes' : 'refuses some'
}

/** The arguments are an administrator's text: only short and plain ones are repeated. */
function nameOf({ ruleType, ruleArguments }: ValidationRule): string {
  const type = /^[A-Z_]{1,60}$/.test(ruleType) ? ruleType : 'of an unknown kind'
  const words = ruleArguments.filter((argument) => /^[\w.:+-]{1,40}$/.test(argument))
  return [type, ...words].join(' ')
}
