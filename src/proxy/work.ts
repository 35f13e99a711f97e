/** Something an instance is doing for a client right now, as far as a drain needs to know it. */
export interface Work {
  readonly kind: WorkKind
  readonly route: string
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** Says good-bye in the words of the protocol. Only long-lived work can. */
  closeGracefully(): void
  /** Ends it at once, because a drain limit ran out. */
  cut(): void
  /** Looks at its time limits; called every `SWEEP_MS` with the monotonic time. */
  sweep(now: number): void
}

/** `request` has an end in sight; `websocket` and `stream` live until somebody leaves. */
export type WorkKind = 'request' | 'websocket' | 'stream'
