import { METRIC_PLACEHOLDERS } from '../core/shared/metric-template.ts'
import { readCommand } from './command-words.ts'
import { type Reading, read, refused, scalar, shown } from './complaint.ts'
import { checkPlaceholders } from './placeholders.ts'

/** Far longer than anybody writes by hand. */
const MAX_QUERY_LENGTH = 20_000
const NOTE = 'They are filled in for each question.'

/** A text that may name version and window. */
export const queryText = (title: string) => scalar(readQuery, { title })
export const metricAddress = () => scalar(readAddress, { title: 'URL', pattern: '^https?://' })
export const metricUrl = () => scalar(readUrl, { title: 'URL', pattern: '^https?://' })
export const metricCommand = () =>
  scalar((input) => readCommand(input, { known: METRIC_PLACEHOLDERS, note: NOTE }), {
    title: 'command',
    type: ['string', 'array'],
  })
export const routeClass = () => scalar(readRouteClass, { title: 'method and path' })
export const headerText = () => scalar(readHeaderText, { title: 'text' })
export const databaseFile = () => scalar(readFile, { title: 'path' })

function readQuery(input: unknown): Reading<string> {
  if (typeof input !== 'string' || input.trim() === '')
    return refused(
      'CONFIG_WRONG_TYPE',
      `is ${shown(input)}, but must be text`,
      'Put quotes around the value.',
    )
  if (input.length > MAX_QUERY_LENGTH || input.includes('\0'))
    return refused(
      'CONFIG_OUT_OF_RANGE',
      `is longer than ${MAX_QUERY_LENGTH} characters, or holds a zero byte`,
      'Put the long part on the other side, for example into a view or a recording rule.',
    )
  return checkPlaceholders(input, METRIC_PLACEHOLDERS, NOTE)
}

/** An address without anything to fill in. */
function readAddress(input: unknown): Reading<string> {
  const reading = readUrl(input)
  if (reading.kind === 'refused') return reading
  if (/\{\{|[?#]/.test(reading.value))
    return refused(
      'CONFIG_BAD_URL',
      'holds a placeholder, a query or a fragment',
      'Write the address alone, for example http://127.0.0.1:9090.',
    )
  return reading
}

function readUrl(input: unknown): Reading<string> {
  // A placeholder in braces is no part of a URL; a letter stands for it while the rest is checked.
  const url =
    typeof input === 'string' && /^https?:\/\//i.test(input) && !/\s/.test(input)
      ? URL.parse(input.replaceAll(/\{\{\w+\}\}/g, 'x'))
      : null
  if (url === null || typeof input !== 'string')
    return refused(
      'CONFIG_BAD_URL',
      `is ${shown(input)}, which is no http or https URL`,
      'Write the whole address, for example https://metrics.example.com/api.',
    )
  if (url.username !== '' || url.password !== '')
    return refused(
      'CONFIG_BAD_URL',
      'holds a user name or password',
      'Write user: NAME and password: NAME_OF_THE_SECRET instead.',
    )
  return checkPlaceholders(input, METRIC_PLACEHOLDERS, NOTE)
}

function readRouteClass(input: unknown): Reading<string> {
  if (typeof input === 'string' && /^[A-Z]{3,10} \/([A-Za-z][A-Za-z0-9_-]{0,31}|\*)?$/.test(input))
    return read(input)
  return refused(
    'CONFIG_BAD_ROUTE',
    `is ${shown(input)}, which is no class of routes`,
    'Write the method and the first part of the path, for example "POST /checkout", or "GET /*" for parts that look like ids.',
  )
}

function readHeaderText(input: unknown): Reading<string> {
  if (typeof input === 'string' && /^[\t\x20-\x7e]*$/.test(input)) return read(input)
  return refused(
    'CONFIG_WRONG_TYPE',
    `is ${shown(input)}, but must be text of one line`,
    'Write plain letters, or { secret: NAME } for a value that nobody may see.',
  )
}

function readFile(input: unknown): Reading<string> {
  if (typeof input === 'string' && input !== '' && !/^~|\0|^[a-z]+:\/\//i.test(input)) return read(input)
  return refused(
    'CONFIG_BAD_PATH',
    `is ${shown(input)}, but must be the path of a SQLite file`,
    'Write it in full, or relative to this file: ./shop.db. The address of a PostgreSQL server belongs into a secret, whose name stands after "database:".',
  )
}
