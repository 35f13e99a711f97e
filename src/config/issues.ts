import type * as z from 'zod'
import { pathText, valueAt } from '../core/shared/json-path.ts'
import { type Complaint, ComplaintParams, complaintForEmpty, MISSING, shown } from './complaint.ts'
import { type ConfigProblem, configProblem, inFileOrder } from './config-problem.ts'
import type { ConfigDocument } from './document.ts'
import { homeOf, knownKeysAt, nodesAt, type SchemaNode } from './json-schema.ts'
import { laterKeyRemedy } from './later-keys.ts'
import { didYouMean, listed, nearestOf } from './nearest.ts'
import { unfitKeyRemedy } from './unfit-keys.ts'

type Issue = z.core.$ZodIssue
type Context = { file: string; document: ConfigDocument; schema: SchemaNode }

/** Turns what zod found into problems with line, column and a remedy. */
export function problemsOfIssues(issues: readonly Issue[], context: Context): ConfigProblem[] {
  const flat = issues
    .slice(0, MAX_ISSUES)
    .flatMap((issue) => flatten(issue, []))
    .map(shortened)
  return inFileOrder(
    flat
      .filter((issue) => !isExplainedByNeighbour(issue, flat, context))
      .flatMap((issue) =>
        issue.code === 'unrecognized_keys' ? unknownKeys(issue, context) : [oneProblem(issue, context)],
      ),
  )
}

/** Far more than are ever printed; keeps the work small for a file that is no configuration at all. */
const MAX_ISSUES = 200

const shortened = (issue: Issue): Issue =>
  issue.code === 'unrecognized_keys' ? { ...issue, keys: issue.keys.slice(0, MAX_ISSUES) } : issue

/** One cause, one problem: `pth:` explains why `path` is missing, `image:` why `command` is. */
function isExplainedByNeighbour(issue: Issue, all: readonly Issue[], { document }: Context): boolean {
  if (issue.code === 'custom' && hasUnknownKey(issue, all)) return true
  const key = issue.path.at(-1)
  if (
    typeof key !== 'string' ||
    issue.code === 'unrecognized_keys' ||
    valueAt(document.value, issue.path) !== undefined
  )
    return false
  const parent = pathText(issue.path.slice(0, -1))
  const unknown = all.flatMap((other) =>
    other.code === 'unrecognized_keys' && pathText(other.path) === parent ? other.keys : [],
  )
  if (unknown.some((other) => nearestOf(other, [key]) !== null)) return true
  return key === 'command' && unknown.some((other) => laterKeyRemedy(issue.path.slice(0, -1), other) !== null)
}

/** What a section lacks as a whole is not lacking where a key of it is misspelt. */
const hasUnknownKey = ({ path }: Issue, all: readonly Issue[]): boolean =>
  all.some((other) => other.code === 'unrecognized_keys' && pathText(other.path) === pathText(path))

/** Paths inside a union or a key are relative to it. Of a union only the branch the person meant is reported. */
function flatten(issue: Issue, above: PropertyKey[]): Issue[] {
  const path = [...above, ...issue.path]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }]
  const meant = issue.errors.filter((branch) => !branch.some(isOtherShape))
  const [first, ...others] = meant
  if (first === undefined) return [asWrongWord(issue, path)]
  const best = others.reduce((least, branch) => (weightOf(branch) < weightOf(least) ? branch : least), first)
  return best.flatMap((inner) => flatten(inner, path))
}

const isOtherShape = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')

const weightOf = (branch: readonly Issue[]): number =>
  branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)

/** No branch takes this kind of value: say which words would do. */
function asWrongWord(issue: Issue & { code: 'invalid_union' }, path: PropertyKey[]): Issue {
  const flat = issue.errors.flat()
  const words = flat.flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []))
  const mapping = flat.some((inner) => inner.code === 'invalid_type' && inner.expected === 'object')
  return { code: 'invalid_value', values: words, path, message: mapping ? 'or-mapping' : '' }
}

function unknownKeys(
  issue: Issue & { code: 'unrecognized_keys' },
  { file, document, schema }: Context,
): ConfigProblem[] {
  return issue.keys.map((key) => {
    const at = document.keyAt([...issue.path, key])
    const where = issue.path.length === 0 ? 'the file' : pathText(issue.path)
    const later = laterKeyRemedy(issue.path, key)
    if (later !== null)
      return configProblem(file, at, {
        code: 'CONFIG_NOT_YET',
        message: `${pathText([...issue.path, key])} is not served by this version`,
        remedy: later,
      })
    const known = knownKeysAt(schema, issue.path)
    const unfit = unfitKeyRemedy(issue.path, key)
    const home = nearestOf(key, known) === null ? homeOf(schema, key) : null
    const remedy =
      unfit ??
      (home === null ? didYouMean(key, known) : `It belongs under "${home}". ${didYouMean(key, known)}`)
    return configProblem(file, at, {
      code: 'CONFIG_UNKNOWN_KEY',
      message: `unknown key ${JSON.stringify(key)} in ${where}`,
      remedy,
    })
  })
}

function oneProblem(issue: Issue, { file, document, schema }: Context): ConfigProblem {
  const value = valueAt(document.value, issue.path)
  const complaint = complaintOf(issue, value, nodesAt(schema, issue.path))
  const subject = issue.path.length === 0 ? 'the file' : pathText(issue.path)
  const at = onKey(issue) ? document.keyAt(issue.path) : document.valueAt(issue.path)
  return configProblem(file, at, { ...complaint, message: `${subject} ${complaint.message}` })
}

function complaintOf(issue: Issue, value: unknown, nodes: readonly SchemaNode[]): Complaint {
  if (value === undefined) return { ...MISSING, remedy: missingRemedy(issue.path, nodes) }
  if (value === null) return complaintForEmpty
  switch (issue.code) {
    case 'custom': {
      const params = ComplaintParams.parse(issue.params)
      return { ...params, message: issue.message }
    }
    case 'invalid_type':
      return {
        code: 'CONFIG_WRONG_TYPE',
        message: `is ${shown(value)}, but must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`,
        remedy: typeRemedy(issue.expected),
      }
    case 'invalid_value':
      return wrongWord(issue, value)
    case 'too_small':
    case 'too_big':
      return outOfRange(issue, value)
    case 'invalid_key':
    case 'invalid_format':
      return {
        code: 'CONFIG_BAD_NAME',
        message: `${onKey(issue) ? '' : `is ${shown(value)}, which `}is no possible name`,
        remedy: nameRemedy(issue.path),
      }
    default:
      throw new Error(`the file schema has no check of kind ${issue.code}`)
  }
}

const onKey = (issue: Issue): boolean => issue.code === 'invalid_key'

const TYPE_NAMES: Partial<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

const TYPE_REMEDIES: Partial<Record<string, string>> = {
  object: 'Write the keys below it, indented by two spaces.',
  record: 'Write NAME: value pairs below it, indented by two spaces.',
  array: 'Write a list, for example [a, b].',
  string: 'Put quotes around the value.',
  number: 'Write a number without quotes and without a unit.',
  int: 'Write a whole number without quotes and without a unit.',
  boolean: 'Write true or false.',
}
const typeRemedy = (expected: string): string => TYPE_REMEDIES[expected] ?? `Write ${expected}.`

function wrongWord(issue: Issue & { code: 'invalid_value' }, value: unknown): Complaint {
  const words = issue.values.map(String)
  const orMapping = issue.message === 'or-mapping' ? ' or a mapping' : ''
  const expected = words.length === 0 ? 'a mapping' : `${listed(words).replace(' and ', ' or ')}${orMapping}`
  const nearest = typeof value === 'string' ? nearestOf(value, words) : null
  const remedy = nearest === null ? `Write ${expected}.` : `Did you mean "${nearest}"? Possible: ${expected}.`
  return {
    code: words.length === 0 ? 'CONFIG_WRONG_TYPE' : 'CONFIG_WRONG_VALUE',
    message: `is ${shown(value)}, but must be ${expected}`,
    remedy,
  }
}

function outOfRange(issue: Issue & { code: 'too_small' | 'too_big' }, value: unknown): Complaint {
  const counted = typeof value === 'number' ? '' : typeof value === 'string' ? ' characters' : ' entries'
  const limit =
    issue.code === 'too_small' ? `at least ${issue.minimum}${counted}` : `at most ${issue.maximum}${counted}`
  const is = Array.isArray(value) ? `has ${value.length} entries` : `is ${shown(value)}`
  return {
    code: 'CONFIG_OUT_OF_RANGE',
    message: `${is}, but must be ${limit}`.replace('entries, but must be', 'entries, but must have'),
    remedy: `Use ${limit}.`,
  }
}

const nameRemedy = (path: readonly PropertyKey[]): string =>
  path.at(-2) === 'env'
    ? 'Use letters, digits and underscores for the name of a variable, for example LOG_LEVEL.'
    : 'Use lower-case letters, digits and dashes, at most 63, beginning with a letter, for example shop-api.'

const EXAMPLES: Partial<Record<string, string>> = {
  service: 'service: shop',
  run: 'run: { command: "node server.js --port {{port}}" }',
  command: 'command: node server.js --port {{port}}',
  listen: 'listen: 127.0.0.1:8080',
  health: 'health: { path: /up }',
  path: 'path: /up',
  weight: 'weight: 5%',
  name: 'name: release-channel',
  secret: 'secret: WEBHOOK_SECRET',
  canary: 'canary: standard',
  revert: 'revert: { after: 10m }',
}

function missingRemedy(path: readonly PropertyKey[], nodes: readonly SchemaNode[]): string {
  const example = EXAMPLES[String(path.at(-1))]
  const meaning = nodes.find((node) => node.description !== undefined)?.description
  return `${example === undefined ? 'Add it.' : `Add it, for example "${example}".`}${meaning === undefined ? '' : ` ${meaning}`}`
}
