import type { ValueProblem } from './hubspot-error.ts'
import type { ObjectType } from './object-types.ts'

/** One rule as the validations endpoint shows it. */
export interface ValidationRule {
  readonly ruleType: string
  readonly ruleArguments: readonly string[]
}

/** Rules that administrators have set for the values of properties; every write has to keep them. */
export class ValidationRules {
  private readonly rules = new Map<string, readonly ValidationRule[]>()

  set(type: ObjectType, property: string, rules: readonly ValidationRule[]): void {
    const key = `${type} ${property}`
    if (rules.length === 0) this.rules.delete(key)
    else this.rules.set(key, rules)
  }

  list(type: ObjectType): { propertyName: string; propertyValidationRules: ValidationRule[] }[] {
    return [...this.rules]
      .filter(([key]) => key.startsWith(`${type} `))
      .map(([key, rules]) => ({
        propertyName: key.slice(type.length + 1),
        propertyValidationRules: [...rules],
      }))
  }

  /** Why a value is refused; an empty one clears and is always fine. */
  problemOf(type: ObjectType, name: string, value: string): ValueProblem | undefined {
    if (value === '') return undefined
    const broken = this.rules.get(`${type} ${name}`)?.find((rule) => !keeps(rule, value))
    if (broken === undefined) return undefined
    const message = `${value} breaks the rule ${broken.ruleType} of ${name}`
    return { name, error: `FAILED_VALIDATION_${broken.ruleType}`, message }
  }
}

function keeps({ ruleType, ruleArguments }: ValidationRule, value: string): boolean {
  const [argument = ''] = ruleArguments
  switch (ruleType) {
    case 'MIN_NUMBER':
      return Number(value) >= Number(argument)
    case 'MAX_NUMBER':
      return Number(value) <= Number(argument)
    case 'MIN_LENGTH':
      return value.length >= Number(argument)
    case 'MAX_LENGTH':
      return value.length <= Number(argument)
    case 'DECIMAL':
      return (value.split('.')[1] ?? '').length <= Number(argument)
    case 'ALPHANUMERIC':
      return alphanumericForm(argument).test(value)
    case 'REGEX':
      return new RegExp(argument).test(value)
    default:
      return true
  }
}

function alphanumericForm(argument: string): RegExp {
  if (argument === 'NUMERIC_ONLY') return /^\d*$/
  return argument === 'ALPHA_ONLY' ? /^\p{L}*$/u : /^[\p{L}\d]*$/u
}
