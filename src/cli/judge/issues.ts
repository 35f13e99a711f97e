import type * as z from 'zod'
import { knownKeysAt, type SchemaNode } from '../../config/json-schema.ts'
import { didYouMean, listed, nearestOf } from '../../config/nearest.ts'
import { pathText, valueAt } from '../../core/shared/json-path.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'

type Issue = z.core.$ZodIssue
export type Given = { name: string; value: unknown; schema: SchemaNode }

/** More than this nobody reads, and a file may be wrong in each of many batches. */
const MAX_PROBLEMS = 10
const SHOWN_CHARACTERS = 60

/** What is wrong with a file of JSON, each with the place: `metrics[0].batches[3].stable.bad`. */
export function problemsIn(issues: readonly Issue[], given: Given): Problem[] {
  return issues
    .slice(0, MAX_PROBLEMS)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(issue.path, key, given))
        : [badValue(issue, given)],
    )
    .slice(0, MAX_PROBLEMS)
}

function unknownKey(path: readonly PropertyKey[], key: string, { name, schema }: Given): Problem {
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`
  return problem('JUDGE_UNKNOWN_KEY', {
    message: `${name}: unknown key ${shown(key)}${where}.`,
    cause:
      'A key that is not known would be ignored, and the verdict would not be the one that was asked for.',
    remedy: didYouMean(key, knownKeysAt(schema, path)),
  })
}

function badValue(issue: Issue, { name, value }: Given): Problem {
  const at = valueAt(value, issue.path)
  const place = issue.path.length === 0 ? 'what it holds' : pathText(issue.path)
  const { is, remedy } = complaint(issue, at)
  return problem('JUDGE_BAD_VALUE', { message: `${name}: ${place} ${is}.`, remedy })
}

function complaint(issue: Issue, at: unknown): { is: string; remedy: string } {
  if (at === undefined && issue.code !== 'custom')
    return { is: 'is missing', remedy: `Add it${wordsOf(issue)}. \`sluice judge --help\` has an example.` }
  switch (issue.code) {
    case 'invalid_type':
      return {
        is: `is ${shown(at)}, but must be ${NAMES[issue.expected] ?? issue.expected}`,
        remedy: `Write ${NAMES[issue.expected] ?? issue.expected}.`,
      }
    case 'too_small':
      return outOfRange(`at least ${issue.minimum}`, at)
    case 'too_big':
      return outOfRange(`at most ${issue.maximum}`, at)
    case 'invalid_value':
    case 'invalid_union':
      return wrongWord(issue, at)
    default:
      return { is: issue.message, remedy: 'Correct the numbers at this place, then judge again.' }
  }
}

function outOfRange(limit: string, at: unknown): { is: string; remedy: string } {
  const is = Array.isArray(at)
    ? `has ${at.length} entries, but must have ${limit}`
    : typeof at === 'string'
      ? `is ${shown(at)}, but must have ${limit} characters`
      : `is ${shown(at)}, but must be ${limit}`
  return { is, remedy: `Use ${limit}.` }
}

function wrongWord(issue: Issue, at: unknown): { is: string; remedy: string } {
  const words = optionsOf(issue)
  const nearest = typeof at === 'string' ? nearestOf(at, words) : null
  const known = listed(words).replace(/ and (?=[^,]*$)/, ' or ')
  return {
    is: `is ${shown(at)}, but must be ${known}`,
    remedy: nearest === null ? `Write ${known}.` : `Did you mean "${nearest}"? Possible: ${known}.`,
  }
}

function wordsOf(issue: Issue): string {
  const words = optionsOf(issue)
  return words.length === 0 ? '' : `: ${listed(words).replace(/ and (?=[^,]*$)/, ' or ')}`
}

/** The words that a place takes: of a plain choice, or of the key that tells kinds apart. */
function optionsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  const options: unknown = 'options' in issue ? issue.options : []
  return Array.isArray(options) ? options.map(String) : []
}

const NAMES: Partial<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  number: 'a number',
}

function shown(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 3)}...` : text
}
