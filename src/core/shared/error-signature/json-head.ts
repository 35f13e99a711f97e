import * as z from 'zod'
import { frameOf } from './frame.ts'

/** From here on: pino and bunyan count 50 for an error and 60 for a fatal one. */
const PINO_ERROR = 50
/** Syslog counts down: 3 is an error. Only where the line says that it is of this kind (GELF). */
const SYSLOG_ERROR = 3

const LEVEL_KEYS = [
  'level',
  'severity',
  'lvl',
  'levelname',
  'log.level',
  'log_level',
  'loglevel',
  '@l',
] as const
const MESSAGE_KEYS = ['msg', 'message', 'short_message', '@m', '@mt', 'event', 'text'] as const
const ERROR_KEYS = ['err', 'error', 'exception', 'exc_info', 'stack_trace', 'stack', '@x'] as const

export const isErrorLevel = (word: string): boolean =>
  /^(?:err|error|eror|fatal|critical|crit|severe|panic|alert|emerg|emergency)$/i.test(word)

const Fields = z.record(z.string(), z.unknown())
type Fields = z.infer<typeof Fields>

/** A line of a log in JSON. `undefined`: it is none; `null`: it is one, and no error. */
export function jsonHeadOf(line: string): { text: string; frame: string | null } | null | undefined {
  const fields = parse(line)
  if (fields === null) return undefined
  if (!isError(fields)) return null
  const thrown = ERROR_KEYS.map((key) => thrownOf(fields[key])).find((one) => one !== null) ?? null
  const said = MESSAGE_KEYS.map((key) => fields[key]).find(
    (value) => typeof value === 'string' && value !== '',
  )
  const words = typeof said === 'string' ? said : ''
  const more = thrown === null || words.includes(thrown.text) ? '' : thrown.text
  const texts = thrown?.text.endsWith(words) ? [thrown.text] : [words, more]
  const text = texts.filter((part) => part !== '').join(': ')
  return { text: text === '' ? 'error without words' : text, frame: thrown?.frame ?? null }
}

function parse(line: string): Fields | null {
  const start = line.indexOf('{')
  if (start < 0 || start > 2 || !line.trimEnd().endsWith('}')) return null
  try {
    const parsed = Fields.safeParse(JSON.parse(line.slice(start)))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

function isError(fields: Fields): boolean {
  const level = LEVEL_KEYS.map((key) => fields[key]).find((value) => value !== undefined)
  if (typeof level === 'string') return isErrorLevel(level) || Number(level) >= PINO_ERROR
  if (typeof level === 'number')
    return 'short_message' in fields ? level <= SYSLOG_ERROR : level >= PINO_ERROR
  const inner = Fields.safeParse(fields.log)
  return inner.success && typeof inner.data.level === 'string' && isErrorLevel(inner.data.level)
}

function thrownOf(value: unknown): { text: string; frame: string | null } | null {
  if (typeof value === 'string') return value === '' ? null : fromStack(value)
  const fields = Fields.safeParse(value)
  if (!fields.success) return null
  const { type, name, message, stack } = fields.data
  const kind = typeof type === 'string' ? type : typeof name === 'string' ? name : ''
  const words = typeof message === 'string' ? message : ''
  const text = [kind, words].filter((part) => part !== '').join(': ')
  const traced = typeof stack === 'string' ? fromStack(stack) : null
  return text === '' ? traced : { text, frame: traced?.frame ?? null }
}

/** A stack as one text: what was thrown stands first, or last where the newest call stands last. */
function fromStack(stack: string): { text: string; frame: string | null } {
  const lines = stack.slice(0, 8000).split(/\r?\n/)
  const isPython = /^Traceback \(/.test(stack)
  const frames = lines.flatMap((line) => frameOf(line) ?? [])
  const words = (isPython ? lines.findLast((line) => /^\S/.test(line)) : lines[0]) ?? ''
  return { text: words, frame: (isPython ? frames.at(-1) : frames[0]) ?? null }
}
