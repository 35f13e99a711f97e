import type { LocalPlace } from '../core/shared/local-url.ts'

/** Synthetic requests through the data plane while a rollout runs, so that lost requests are measured, not assumed. */
export interface Prober {
  readonly kind: string
  start(request: ProbeRequest): ProbeRun
}

/** A base address, and how to get there where it does not say it. */
export type ProbeRequest = LocalPlace & { paths: readonly string[]; intervalMs: number; probeKey: string }

export interface ProbeRun {
  /** Totals since the start. Lost: no complete answer, or one the data plane made up because no instance could. */
  totals(): { sent: number; lost: number }
  /** Ends at once; answers under way are not waited for and not counted. */
  stop(): void
}
