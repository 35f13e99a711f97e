import type { Limited } from '../admission.ts'
import type { HeldCertificate, MetricSums } from './messages.ts'

/** Requests that limits turned away, in two processes; `null` where none are set. */
export function addLimited(a: Limited | null, b: Limited | null): Limited | null {
  if (a === null || b === null) return a ?? b
  return { requests: a.requests + b.requests, rate: a.rate + b.rate }
}

export function addSums(a: MetricSums, b: MetricSums): MetricSums {
  const sums = { ...a }
  for (const [release, { latencySumMs, ejections }] of Object.entries(b)) {
    const known = sums[release] ?? { latencySumMs: 0, ejections: 0 }
    sums[release] = {
      latencySumMs: known.latencySumMs + latencySumMs,
      ejections: known.ejections + ejections,
    }
  }
  return sums
}

/** Of two processes at one door: the one with which something is wrong, or that still shows the certificate from before. */
export function worseCertificate(a: HeldCertificate, b: HeldCertificate): HeldCertificate {
  if ((a.shown.problem === null) !== (b.shown.problem === null)) return a.shown.problem === null ? b : a
  return a.fingerprint !== b.fingerprint && b.since < a.since ? b : a
}
