const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads `250ms`, `30s`, `10m`, `1h30m`, `2d`; `null` when it is not a duration. Milliseconds. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)
  let totalMs = 0
  for (const [, amount, unit] of parts) totalMs += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return Math.round(totalMs)
}

/** `90_000` -> `1m30s`, `1500` -> `1.5s`. At most two units. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`
  if (ms < 1000) return '1s'
  if (ms < 60_000) return `${trim(ms / 1000)}s`
  for (const [big, small] of [
    ['m', 's'],
    ['h', 'm'],
    ['d', 'h'],
  ] as const) {
    const next = big === 'm' ? UNIT_MS.h : big === 'h' ? UNIT_MS.d : Number.POSITIVE_INFINITY
    if (ms >= next) continue
    const rest = Math.floor((ms % UNIT_MS[big]) / UNIT_MS[small])
    return `${Math.floor(ms / UNIT_MS[big])}${big}${rest > 0 ? `${rest}${small}` : ''}`
  }
  return `${ms}ms`
}

const trim = (value: number): string => `${Math.floor(value * 10) / 10}`
