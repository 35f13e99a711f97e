/** Whose numbers are asked for. `release` is `null` where only the version is known. */
export type MetricSubject = {
  service: string
  environment: string
  version: string
  release: string | null
}

/** A stretch of time in milliseconds since the Unix epoch: `fromMs` belongs to it, `toMs` does not. */
export type MetricWindow = { fromMs: number; toMs: number }
