/** So many wrong tokens a minute are a person's typing errors; more are somebody guessing. */
export const MAX_FAILED_LOGINS = 10
const WINDOW_MS = 60_000

/** Counts failed logins. While the limit is reached every token is refused; sessions and the socket go on. */
export type LoginLimit = {
  /** Milliseconds until tokens are looked at again; 0 = now. */
  blockedForMs(): number
  recordFailure(): void
}

export function createLoginLimit(now: () => number): LoginLimit {
  let failures: number[] = []
  const recent = () => {
    failures = failures.filter((at) => at > now() - WINDOW_MS)
    return failures
  }
  return {
    blockedForMs() {
      const [oldest, ...others] = recent()
      return oldest !== undefined && others.length + 1 >= MAX_FAILED_LOGINS ? oldest + WINDOW_MS - now() : 0
    },
    recordFailure() {
      if (recent().length < MAX_FAILED_LOGINS) failures.push(now())
    },
  }
}
