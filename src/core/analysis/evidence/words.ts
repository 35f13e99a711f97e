import { percent } from '../criteria.ts'
import type { Asking, CheckEvidence, ValueEvidence } from './evidence.ts'

/** What the figures of a verdict say, in the words that every face shows. */

type Of<K extends keyof CheckEvidence> = Pick<CheckEvidence, K>

/** `4.1% (48 of 1,170)`, `3.2 per 100 (12 in 375)`. */
export function sideText(
  { unit, about }: Of<'unit' | 'about'>,
  { bad, total }: { bad: number; total: number },
): string {
  if (total === 0) return about === 'declared' ? 'nothing' : 'no requests'
  const between = unit === 'percent' ? 'of' : 'in'
  return `${shareText({ unit }, bad / total)} (${count(bad)} ${between} ${count(total)})`
}

export const shareText = ({ unit }: Of<'unit'>, share: number): string =>
  unit === 'percent' ? percent(100 * share) : `${digits(100 * share)} per 100`

/** How much worse it is at least; `null` where nothing is shown. */
export function atLeastText({
  atLeast: { ratio, points, share },
  unit,
  harm,
}: Of<'atLeast' | 'unit' | 'harm'>): string | null {
  const isLess = harm === 'less'
  const times = (value: string): string =>
    isLess ? `stable has ${value} times as much` : `${value} times stable`
  const by = (value: string): string =>
    `${value} ${unit === 'percent' ? 'points' : 'per 100'} ${isLess ? 'below' : 'over'} stable`
  const parts = [
    ...(ratio !== null && ratio > 1 ? [times(digits(ratio))] : []),
    ...(points !== null && points > 0 ? [by(digits(points))] : []),
    ...(share !== null && share > 0 ? [shareText({ unit }, share)] : []),
  ]
  return parts.length === 0 ? null : parts.join(', ')
}

/** What would have passed throughout; `null` where that is not known. */
export const passingText = ({ passing, unit, harm }: Of<'passing' | 'unit' | 'harm'>): string | null =>
  passing === null ? null : `${harm === 'less' ? 'from' : 'up to'} ${shareText({ unit }, passing)}`

/** How much more would tell; `null` for what is decided, and where nothing would. */
export function neededText({
  verdict,
  about,
  needed: { what, toNotice, toRuleOut },
}: Of<'verdict' | 'about' | 'needed'>): string | null {
  if (verdict === 'worse') return null
  const of = about === 'declared' ? 'more of the candidate' : 'more requests'
  const parts = [
    ...(toNotice === null ? [] : [`about ${count(toNotice)} ${of} to notice ${what}`]),
    ...(toRuleOut === null || toRuleOut === 0 ? [] : [`about ${count(toRuleOut)} to rule it out`]),
  ]
  return parts.length === 0 ? null : parts.join(', ')
}

/** `p 0.0021: 1 in 476 healthy rollouts would look this bad at some time`. */
export const chanceText = ({ peakLogE, pValue, oneIn }: Of<'peakLogE' | 'pValue' | 'oneIn'>): string =>
  peakLogE > 0
    ? `p ${pValue.toPrecision(2)}: 1 in ${count(oneIn)} healthy rollouts would look this bad at some time`
    : 'nothing speaks against it'

/** `batch 12`, `window 3`. */
export const crossedText = ({ about, crossedAtBatch }: Of<'about' | 'crossedAtBatch'>): string =>
  `${about === 'declared' ? 'window' : 'batch'} ${crossedAtBatch ?? '?'}`

/** `140, evidence divided by 2, weaker evidence from 12 minutes`. */
export function looksText({ looks, about, dispersion }: Of<'looks' | 'about' | 'dispersion'>): string {
  const { phi, evidence, minutes } = dispersion
  const shown = `${count(looks)}${about === 'declared' ? (looks === 1 ? ' window' : ' windows') : ''}`
  switch (evidence) {
    case 'unknown':
      return `${shown}, counts taken as independent`
    case 'full':
      return `${shown}, evidence divided by ${digits(phi)}`
    case 'weaker':
      return `${shown}, evidence divided by ${digits(phi)}, weaker evidence from ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
  }
}

/** `12 windows with numbers, 1 empty, 2 failed`. */
export function answersText({ counted, empty, failed }: Asking): string {
  const parts = [
    `${counted} ${counted === 1 ? 'window' : 'windows'} with numbers`,
    ...(empty === 0 ? [] : [`${empty} empty`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ]
  return parts.join(', ')
}

/** Between which values the candidate would have been all right; `null` where that is not known. */
export function valuesPassing({ passing }: Pick<ValueEvidence, 'passing'>): string | null {
  if (passing === null) return null
  const { least, most } = passing
  if (least === null) return `up to ${digits(most ?? 0)}`
  return most === null ? `from ${digits(least)}` : `${digits(least)} to ${digits(most)}`
}

/** Why a value has no figures of chance. */
export const NO_STATISTICS =
  'none: one number for each version has no statistics behind it, so there is no e-value'

/** `12% below`, `like`; `null` where stable is zero. */
export function distanceText(percentOff: number | null): string | null {
  if (percentOff === null) return null
  return percentOff === 0
    ? 'like stable'
    : `${digits(Math.abs(percentOff))}% ${percentOff > 0 ? 'above' : 'below'} stable`
}

export const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 })
/** Three digits that count. */
export const digits = (value: number): string =>
  Math.abs(value) < 1000
    ? value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
    : count(Math.round(value))
