import { quantileMs } from '../../shared/histogram.ts'
import { formatWeight } from '../../shared/weight.ts'
import type { RolloutState } from '../state.ts'
import type { ShadowView } from './shadow-result-view.ts'
import { shadowingNow, shadowingOf } from './shadowing.ts'

/** The comparison so far; `null` where the plan has none. */
export function shadowView(rollout: RolloutState): ShadowView | null {
  const shadowing =
    rollout.plan.steps.map(({ step }) => shadowingOf(step)).find((one) => one !== null) ?? null
  if (shadowing === null) return null
  const { shadow } = rollout
  const counts: Omit<ShadowView, 'isOn' | 'sharePermille' | 'sentence'> = {
    pairs: shadow?.candidate.requests ?? 0,
    answered: shadow?.answered ?? 0,
    statusDiffers: shadow?.statusDiffers ?? 0,
    bodyDiffers: shadow?.bodyDiffers ?? 0,
    bodyUnknown: shadow?.bodyUnknown ?? 0,
    errors: { candidate: shadow?.candidate.errors ?? 0, stable: shadow?.stable.errors ?? 0 },
    p95Ms: {
      candidate: quantileMs(shadow?.candidate.latencyBuckets ?? [], 0.95),
      stable: quantileMs(shadow?.stable.latencyBuckets ?? [], 0.95),
    },
    skipped: { busy: shadow?.busy ?? 0, large: shadow?.large ?? 0, unfinished: shadow?.unfinished ?? 0 },
  }
  const { sharePermille, bodies } = shadowing
  const isOn = shadowingNow(rollout) !== null
  return { isOn, sharePermille, ...counts, sentence: sentenceOf(counts, bodies.kind !== 'off') }
}

type Counts = Omit<ShadowView, 'isOn' | 'sharePermille' | 'sentence'>

function sentenceOf(counts: Counts, comparesBodies: boolean): string {
  const { pairs, answered, statusDiffers, bodyDiffers, bodyUnknown, errors, p95Ms } = counts
  if (pairs === 0) return `no request was copied and answered yet${skippedText(counts)}`
  const bodies = comparesBodies
    ? `, ${bodyDiffers} in the body${bodyUnknown === 0 ? '' : ` (${bodyUnknown} bodies were not compared)`}`
    : ''
  const latency =
    p95Ms.candidate === null || p95Ms.stable === null
      ? ''
      : `; p95 ${Math.round(p95Ms.candidate)} ms, stable ${Math.round(p95Ms.stable)} ms`
  return `${pairs} requests were copied: of ${answered} answers ${statusDiffers} differ in the status${bodies}; errors ${errors.candidate}, stable ${errors.stable}${latency}${skippedText(counts)}`
}

function skippedText({ skipped: { busy, large, unfinished } }: Pick<Counts, 'skipped'>): string {
  const parts = [
    ...(busy === 0 ? [] : [`${busy} not copied, since too many were under way`]),
    ...(large === 0 ? [] : [`${large} not copied, since their body is too large`]),
    ...(unfinished === 0 ? [] : [`${unfinished} without a result`]),
  ]
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`
}

/** `shadow 35%` for the place where other steps say their share of traffic. */
export function shadowText(rollout: RolloutState): string | null {
  const shadowing = shadowingNow(rollout)
  return shadowing === null ? null : `copies of ${formatWeight(shadowing.sharePermille)} of the requests`
}
