import * as z from 'zod'
import type { ReleaseWindow, Weekday } from '../core/release/window.ts'
import { DAY_MINUTES, WEEKDAYS, weekdayIndex } from '../core/release/window.ts'
import { complain, type Reading, read, refused, scalar, shown } from './complaint.ts'

/** A week has 168 hours; more windows than this are a mistake of a generator. */
const MAX_WINDOWS = 50
const TIME_PATTERN = '([01]?\\d|2[0-4]):[0-5]\\d'
const WINDOW_FORMAT = 'for example days: mon-thu or days: [mon, wed]'

const days = () => scalar(readDays, { title: 'weekdays', type: ['string', 'array'] })
const timeOfDay = () => scalar(readTime, { title: 'time of day', pattern: `^${TIME_PATTERN}$` })
const zone = () => scalar(readZone, { title: 'time zone' })

const WindowSection = z
  .strictObject({
    days: days()
      .meta({ default: 'mon-sun' })
      .describe('Weekdays: `mon-thu`, `sat`, or a list of those.')
      .optional(),
    from: timeOfDay().describe('Opens at this time of day, for example "09:00".'),
    to: timeOfDay().describe('Closes at this time of day; one before `from` is on the next day.'),
    zone: zone().describe(
      'Time zone of days and times, for example `Europe/Berlin`. Changes of the clocks are followed.',
    ),
  })
  .superRefine(({ from, to }, context) => {
    if (from === DAY_MINUTES)
      complain(context, { ...NOT_A_BEGINNING, message: 'is 24:00, when no day begins' }, ['from'])
    else if (from === to)
      complain(context, { ...NOT_A_BEGINNING, message: 'is the time at which it closes' }, ['from'])
  })
  .transform(({ days, from, to, zone }): ReleaseWindow => {
    return { days: days ?? [...WEEKDAYS], fromMinute: from, toMinute: to, zone }
  })

export const WindowsSection = z.array(WindowSection).max(MAX_WINDOWS)

const NOT_A_BEGINNING = {
  code: 'CONFIG_CONFLICT',
  remedy: 'Write from: "00:00" and to: "24:00" for the whole day.',
}

function readDays(input: unknown): Reading<Weekday[]> {
  const words = (Array.isArray(input) ? input : [input]).map((one) =>
    typeof one === 'string' ? daysIn(one.trim().toLowerCase()) : null,
  )
  if (words.length === 0 || words.some((one) => one === null))
    return refused(
      'CONFIG_BAD_DAYS',
      `is ${shown(input)}, which names no weekdays`,
      `Write ${WINDOW_FORMAT}.`,
    )
  const named = new Set(words.flatMap((one) => one ?? []))
  return read(WEEKDAYS.filter((day) => named.has(day)))
}

/** `mon`, `mon-thu`, and `sat-mon` over the end of the week. */
function daysIn(text: string): Weekday[] | null {
  const [first = '', last = first, ...rest] = text.split('-')
  const from = weekdayIndex(first)
  const to = weekdayIndex(last)
  if (from < 0 || to < 0 || rest.length > 0) return null
  return WEEKDAYS.filter((_, index) =>
    from <= to ? index >= from && index <= to : index >= from || index <= to,
  )
}

function readTime(input: unknown): Reading<number> {
  const found = typeof input === 'string' ? new RegExp(`^${TIME_PATTERN}$`).exec(input) : null
  const [hours = 0, minutes = 0] = (found?.[0] ?? '').split(':').map(Number)
  const minute = hours * 60 + minutes
  if (found === null || minute > DAY_MINUTES)
    return refused(
      'CONFIG_BAD_TIME',
      `is ${shown(input)}, which is no time of day`,
      'Write hours and minutes in quotes, for example "09:00".',
    )
  return read(minute)
}

function readZone(input: unknown): Reading<string> {
  if (typeof input === 'string' && isZone(input)) return read(input)
  return refused(
    'CONFIG_BAD_ZONE',
    `is ${shown(input)}, which is no time zone`,
    'Write its name in the tz database, for example Europe/Berlin, or UTC.',
  )
}

/** Only names: an offset alone would ignore the changes of the clocks that people mean. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** As it is written in the file. */
export function windowText({ days, fromMinute, toMinute, zone }: ReleaseWindow): string {
  const names = days.length === WEEKDAYS.length ? 'mon-sun' : `[${days.join(', ')}]`
  return `{ days: ${names}, from: "${timeText(fromMinute)}", to: "${timeText(toMinute)}", zone: ${zone} }`
}

const timeText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
