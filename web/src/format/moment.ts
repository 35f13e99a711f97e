/** The reader chooses; the other one is always in the title. */
export type Zone = 'local' | 'utc'

/** `14:32:10`, and with the day in front when it is not today: `20 Nov 14:32:10`. */
export function formatMoment(at: number, zone: Zone, now: number): string {
  const clock = formatClock(at, zone)
  return formatDay(at, zone) === formatDay(now, zone) ? clock : `${formatDay(at, zone)} ${clock}`
}

export const formatClock = (at: number, zone: Zone): string =>
  new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...zoneOption(zone),
  }).format(at)

const formatDay = (at: number, zone: Zone): string =>
  new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...zoneOption(zone) }).format(at)

/** `21 Nov 2026, 15:32:10 (UTC+1) / 21 Nov 2026, 14:32:10 UTC`. */
export function formatBothZones(at: number): string {
  const full = (zone: Zone) =>
    new Intl.DateTimeFormat('en-GB', {
      dateStyle: 'medium',
      timeStyle: 'medium',
      ...zoneOption(zone),
    }).format(at)
  return `${full('local')} (${formatOffset(at)}) / ${full('utc')} UTC`
}

/** `UTC+1`, `UTC-3:30`, `UTC+0`. */
export function formatOffset(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset()
  const rest = Math.abs(minutes) % 60
  const hours = Math.floor(Math.abs(minutes) / 60)
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

const zoneOption = (zone: Zone): { timeZone?: string } => (zone === 'utc' ? { timeZone: 'UTC' } : {})
