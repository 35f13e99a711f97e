/** Where time comes from. The engine and everything it decides see only this; tests and simulation bring their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since some moment in the past; never goes back and knows nothing of changed clocks. For leases and limits. */
  monotonic(): number
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
