import { parseDuration } from '../core/shared/duration.ts'
import { type Reading, read, refused, shown } from './complaint.ts'

/** Nothing in a rollout lasts longer than a year; also keeps sums inside safe integers. */
export const MAX_DURATION_MS = 366 * 86_400_000
/** Longer texts are no durations; keeps the pattern cheap. */
const MAX_TEXT = 32

type DurationLimits = { minMs?: number; maxMs?: number }

/** Reads `1s`, `10m`, `1h30m` as milliseconds. A bare number is refused: nobody knows its unit. */
export function readDuration(
  input: unknown,
  { minMs = 0, maxMs = MAX_DURATION_MS }: DurationLimits = {},
): Reading<number> {
  if (isNumeral(input))
    return noUnit(input, `Write ${input}s for seconds, or use another unit: ms, s, m, h, d.`)
  const ms = typeof input === 'string' && input.length <= MAX_TEXT ? parseDuration(input) : null
  if (ms === null)
    return refused(
      'CONFIG_BAD_DURATION',
      `is ${shown(input)}, which is no duration`,
      'Write a number with a unit, for example 500ms, 30s, 10m or 1h30m.',
    )
  if (ms < minMs) return outOfRange(input, `at least ${durationText(minMs)}`)
  if (ms > maxMs) return outOfRange(input, `at most ${durationText(maxMs)}`)
  return read(ms)
}

type PercentLimits = { min?: number; max?: number }

/** Reads `5%` or `0.1%` as a number of percent. */
export function readPercent(input: unknown, { min = 0, max = 100 }: PercentLimits = {}): Reading<number> {
  if (isNumeral(input)) return noUnit(input, `Write ${input}% if you mean ${input} percent.`)
  const digits =
    typeof input === 'string' && input.length <= MAX_TEXT
      ? /^(\d+(?:\.\d+)?)\s?%$/.exec(input)?.[1]
      : undefined
  if (digits === undefined)
    return refused(
      'CONFIG_BAD_PERCENT',
      `is ${shown(input)}, which is no percentage`,
      'Write a number with a percent sign, for example 5% or 0.1%.',
    )
  const percent = Number(digits)
  if (percent < min) return outOfRange(input, `at least ${min}%`)
  if (percent > max) return outOfRange(input, `at most ${max}%`)
  return read(percent)
}

/** Reads `5%` or `0.5%` as whole per mille, the grain of the data plane. */
export function readWeight(input: unknown): Reading<number> {
  const reading = readPercent(input, { min: 0.1 })
  if (reading.kind === 'refused') return reading
  const permille = Math.round(reading.value * 10)
  if (Math.abs(permille - reading.value * 10) > 1e-9)
    return refused(
      'CONFIG_OUT_OF_RANGE',
      `is ${shown(input)}, finer than a tenth of a percent`,
      `Write ${permille / 10}%: weights are exact to 0.1%.`,
    )
  return read(permille)
}

/** The exact duration as people write it: `90_500` -> `1m30s500ms`. Reads back as the same number. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 10_000 && ms % 1000 !== 0) return `${ms}ms`
  let rest = ms
  let text = ''
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

export const percentText = (percent: number): string => `${Number(percent.toFixed(6))}%`

const isNumeral = (input: unknown): input is number | string =>
  typeof input === 'number' ||
  (typeof input === 'string' && /^\d+(\.\d+)?$/.test(input) && input.length <= MAX_TEXT)

const noUnit = (input: number | string, remedy: string): Reading<never> =>
  refused('CONFIG_UNIT_MISSING', `is ${input} without a unit`, remedy)

const outOfRange = (input: unknown, allowed: string): Reading<never> =>
  refused('CONFIG_OUT_OF_RANGE', `is ${shown(input)}, but must be ${allowed}`, `Write a value of ${allowed}.`)

/** A default of ours in milliseconds. */
export function msOf(text: string): number {
  const reading = readDuration(text)
  if (reading.kind === 'refused') throw new Error(`the default ${text} is no duration`)
  return reading.value
}
