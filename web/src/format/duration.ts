const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `320` -> `320ms`, `4200` -> `4.2s`, `42_000` -> `42s`, `90_000` -> `1m 30s`, `7_500_000` -> `2h 5m`; `null` -> `–`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '–'
  const span = Math.max(0, ms)
  if (span < 1000) return `${Math.round(span)}ms`
  if (span < 10_000) return `${Number((Math.floor(span / 100) / 10).toFixed(1))}s`
  if (span < MINUTE) return `${Math.floor(span / 1000)}s`
  if (span < HOUR) return pair(span, { size: MINUTE, unit: 'm' }, { size: 1000, unit: 's' })
  if (span < DAY) return pair(span, { size: HOUR, unit: 'h' }, { size: MINUTE, unit: 'm' })
  return pair(span, { size: DAY, unit: 'd' }, { size: HOUR, unit: 'h' })
}

/** Whole seconds only, for a clock that ticks once a second: `900` -> `1s`, `0` -> `0s`. */
export const formatCountdown = (ms: number): string => formatSeconds(Math.ceil(Math.max(0, ms) / 1000))

const formatSeconds = (seconds: number): string =>
  seconds < 10 ? `${seconds}s` : formatDuration(seconds * 1000)

type Unit = { size: number; unit: string }

function pair(span: number, big: Unit, small: Unit): string {
  const rest = Math.floor((span % big.size) / small.size)
  const head = `${Math.floor(span / big.size)}${big.unit}`
  return rest === 0 ? head : `${head} ${rest}${small.unit}`
}
