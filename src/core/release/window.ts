import * as z from 'zod'

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const Weekday = z.enum(WEEKDAYS)
export type Weekday = z.infer<typeof Weekday>

const NAMES: readonly string[] = WEEKDAYS

/** Monday is 0; -1 for what is no weekday. */
export const weekdayIndex = (name: string): number => NAMES.indexOf(name)

const MINUTE_MS = 60_000
export const DAY_MINUTES = 1440
const WEEK_MINUTES = 7 * DAY_MINUTES
/** Each turn ends at an opening or behind a change of the clocks; a zone has a few of those in a year. */
const TURN_LIMIT = 20

/**
 * Hours in which rollouts may begin, on the clock of a zone. `toMinute` at or below `fromMinute` ends on the next day.
 *
 * @example { days: ['mon', 'tue'], fromMinute: 540, toMinute: 960, zone: 'Europe/Berlin' }
 */
export const ReleaseWindow = z.object({
  days: z.array(Weekday).min(1),
  fromMinute: z
    .int()
    .min(0)
    .max(DAY_MINUTES - 1),
  toMinute: z.int().min(0).max(DAY_MINUTES),
  zone: z.string(),
})
export type ReleaseWindow = z.infer<typeof ReleaseWindow>

/** No windows at all: always open. */
export const isOpen = (windows: readonly ReleaseWindow[], at: number): boolean =>
  windows.length === 0 || windows.some((window) => isOpenIn(window, at))

/** The first moment from `now` on at which a window is open; `null` when none of them ever opens. */
export function nextOpening(windows: readonly ReleaseWindow[], now: number): number | null {
  if (isOpen(windows, now)) return now
  const openings = windows.flatMap((window) => nextOpeningOf(window, now) ?? [])
  return openings.length === 0 ? null : Math.min(...openings)
}

function isOpenIn(window: ReleaseWindow, at: number): boolean {
  const { day, minute } = wallClock(window.zone, at)
  const { days, fromMinute, toMinute } = window
  if (toMinute > fromMinute) return days.includes(dayOf(day)) && minute >= fromMinute && minute < toMinute
  const beganToday = days.includes(dayOf(day)) && minute >= fromMinute
  return beganToday || (days.includes(dayOf(day - 1)) && minute < toMinute)
}

/**
 * Goes to where the window would open if the clocks did not change on the way. Where they do, that place is off by the
 * change: it is looked through minute by minute, because a day may lack the very hour in which the window begins.
 */
function nextOpeningOf(window: ReleaseWindow, now: number): number | null {
  let at = Math.ceil(now / MINUTE_MS) * MINUTE_MS
  for (let turn = 0; turn < TURN_LIMIT; turn += 1) {
    if (isOpenIn(window, at)) return at
    const expected = at + minutesToStart(window, at) * MINUTE_MS
    const changedMs = offsetMs(window.zone, expected) - offsetMs(window.zone, at)
    const from = Math.max(at, expected - Math.max(0, changedMs))
    const to = expected + Math.max(0, -changedMs)
    for (let minute = from; minute <= to; minute += MINUTE_MS) if (isOpenIn(window, minute)) return minute
    at = to + MINUTE_MS
  }
  return null
}

/** By the wall clock, more than zero and at most a week. */
function minutesToStart({ days, fromMinute, zone }: ReleaseWindow, at: number): number {
  const { day, minute } = wallClock(zone, at)
  const present = day * DAY_MINUTES + minute
  const ahead = days.map((name) => {
    const start = WEEKDAYS.indexOf(name) * DAY_MINUTES + fromMinute
    return (start - present + WEEK_MINUTES) % WEEK_MINUTES || WEEK_MINUTES
  })
  return Math.min(...ahead)
}

const dayOf = (index: number): Weekday => WEEKDAYS[(index + 7) % 7] ?? 'mon'

/** How far the wall clock is ahead of UTC, in whole minutes. */
function offsetMs(zone: string, at: number): number {
  const { year, month, date, minute } = wallClock(zone, at)
  const asUtc = Date.UTC(year, month - 1, date) + minute * MINUTE_MS
  return asUtc - Math.floor(at / MINUTE_MS) * MINUTE_MS
}

type WallClock = { year: number; month: number; date: number; day: number; minute: number }

/** What a clock on the wall of the zone shows: arithmetic on zone and moment alone, by the runtime's table of zones. */
function wallClock(zone: string, at: number): WallClock {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  const numberOf = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  return {
    year: numberOf('year'),
    month: numberOf('month'),
    date: numberOf('day'),
    day: weekdayIndex(parts.get('weekday')?.toLowerCase() ?? ''),
    minute: numberOf('hour') * 60 + numberOf('minute'),
  }
}

/** Making a format costs a hundred times more than using it. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  formats.set(zone, format)
  return format
}
