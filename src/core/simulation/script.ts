import * as z from 'zod'

const Ms = z.int().nonnegative()

/** What is said of one version; what is not said stays as it was before. */
export const SideScript = z.object({
  errorRatePercent: z.number().min(0).max(100).exactOptional(),
  p50Ms: z.number().positive().exactOptional(),
  p99Ms: z.number().positive().exactOptional(),
  /** So many of its instances crash when the part begins. */
  crashes: z.int().min(0).exactOptional(),
  /** Until an instance that is started is ready; `null` never is. */
  startMs: Ms.nullable().exactOptional(),
})
export type SideScript = z.infer<typeof SideScript>

/** What holds for a time, in ms since the rollout began; `null` is to the end. A later part overrides an earlier one. */
export const ScriptPart = z.object({
  fromMs: Ms,
  toMs: Ms.nullable(),
  requestsPerSecond: z.number().min(0).exactOptional(),
  stable: SideScript,
  candidate: SideScript,
  /** How the checks of the file come out. */
  verify: z.enum(['passes', 'fails']).exactOptional(),
})
export type ScriptPart = z.infer<typeof ScriptPart>

export const ScriptedAct = z.object({ atMs: Ms, act: z.enum(['promote', 'pause', 'resume', 'abort']) })
export type ScriptedAct = z.infer<typeof ScriptedAct>

/** What users, instances and people do while a plan is carried out in virtual time. */
export const Script = z.object({
  /** The same seed gives the same course. */
  seed: z.int().nonnegative(),
  parts: z.array(ScriptPart),
  people: z.array(ScriptedAct),
})
export type Script = z.infer<typeof Script>

export type Side = 'stable' | 'candidate'
export type SideNow = { errorRatePercent: number; p50Ms: number; p99Ms: number; startMs: number | null }

/** What holds where nothing is said. */
export const SCRIPT_DEFAULTS = {
  requestsPerSecond: 100,
  side: { errorRatePercent: 0, p50Ms: 40, p99Ms: 200, startMs: 2000 },
} as const

const holding = ({ parts }: Script, atMs: number): ScriptPart[] =>
  parts.filter(({ fromMs, toMs }) => fromMs <= atMs && (toMs === null || atMs < toMs))

/** The last part that says it. */
export const rateAt = (script: Script, atMs: number): number =>
  holding(script, atMs).findLast(({ requestsPerSecond }) => requestsPerSecond !== undefined)
    ?.requestsPerSecond ?? SCRIPT_DEFAULTS.requestsPerSecond

export const checksPassAt = (script: Script, atMs: number): boolean =>
  holding(script, atMs).findLast(({ verify }) => verify !== undefined)?.verify !== 'fails'

/** A part that names only one of the two quantiles moves the other one with it. */
export function sideAt(script: Script, side: Side, atMs: number): SideNow {
  let now: SideNow = { ...SCRIPT_DEFAULTS.side }
  for (const part of holding(script, atMs)) now = withLatency({ ...now, ...said(part[side]) }, part[side])
  return now
}

function said({ errorRatePercent, startMs }: SideScript): Partial<SideNow> {
  return {
    ...(errorRatePercent === undefined ? {} : { errorRatePercent }),
    ...(startMs === undefined ? {} : { startMs }),
  }
}

function withLatency(now: SideNow, { p50Ms, p99Ms }: SideScript): SideNow {
  const ratio = SCRIPT_DEFAULTS.side.p99Ms / SCRIPT_DEFAULTS.side.p50Ms
  if (p50Ms === undefined && p99Ms === undefined) return now
  return { ...now, p50Ms: p50Ms ?? (p99Ms ?? 0) / ratio, p99Ms: p99Ms ?? (p50Ms ?? 0) * ratio }
}

/** Crashes that begin within the span, first included and last not. */
export const crashesIn = ({ parts }: Script, side: Side, span: { fromMs: number; toMs: number }): number =>
  parts
    .filter(({ fromMs }) => fromMs >= span.fromMs && fromMs < span.toMs)
    .reduce((sum, part) => sum + (part[side].crashes ?? 0), 0)
