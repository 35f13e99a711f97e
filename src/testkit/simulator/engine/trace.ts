/** What happened, a line each, for people. Lines are made only when somebody wants them. */
export type Trace = {
  line(who: string, what: () => string): void
  lines(): readonly string[]
}

export function createTrace(isWanted: boolean, now: () => number): Trace {
  const lines: string[] = []
  return {
    line: (who, what) => {
      if (isWanted) lines.push(`${(now() / 1000).toFixed(3).padStart(8)}s ${who.padEnd(9)} ${what()}`)
    },
    lines: () => lines,
  }
}

/** Short enough for a line. */
export function brief(value: unknown, limit = 240): string {
  const text = value === undefined ? '' : JSON.stringify(value)
  return text.length > limit ? `${text.slice(0, limit)}...` : text
}
