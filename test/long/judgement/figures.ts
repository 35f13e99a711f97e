import { BAD_KINDS, type Kind } from './plan.ts'
import type { Released } from './released.ts'

/** What a reader wants to know of all rollouts, as lines of text. */
export function figuresOf(all: readonly Released[]): string {
  const of = (kind: Kind): Released[] => all.filter((one) => one.kind === kind)
  const bad = BAD_KINDS.flatMap(of)
  const reasons = bad.flatMap(({ verdict }) => (verdict === null ? [] : [nameOf(verdict.reason)]))
  const surprising = all.filter(({ kind, outcome, verdict }) =>
    kind === 'good' ? outcome !== 'promoted' || verdict !== null : outcome === 'promoted',
  )
  return [
    `good: ${outcomesOf(of('good'))}`,
    ...BAD_KINDS.map((kind) => `${kind}: ${exposureOf(of(kind))}`),
    `all bad: ${exposureOf(bad)}`,
    `verdicts about bad ones: ${counted(reasons)}`,
    `requests that no version answered: ${lostOf(all)}`,
    ...surprising.map(
      ({ service, version, kind, outcome, verdict }) =>
        `${kind} ${version} of ${service}: ${outcome}. ${verdict?.reason.message ?? ''}`,
    ),
  ].join('\n')
}

const outcomesOf = (all: readonly Released[]): string => counted(all.map(({ outcome }) => outcome))

function exposureOf(all: readonly Released[]): string {
  const requests = all.map(({ exposed }) => exposed)
  const errors = all.map(({ errors }) => errors)
  const seconds = all.flatMap(({ verdict }) => (verdict === null ? [] : [verdict.msAfterFirstRequest / 1000]))
  return [
    outcomesOf(all),
    `requests ${spreadOf(requests)}`,
    `errors ${spreadOf(errors)}`,
    `seconds from the first request to the verdict ${spreadOf(seconds)}`,
  ].join('; ')
}

const spreadOf = (values: readonly number[]): string =>
  values.length === 0
    ? 'unknown'
    : `median ${Math.round(middle(values))}, most ${Math.round(Math.max(...values))}`

/** How many, and what was said of the first ones. */
function lostOf(all: readonly Released[]): string {
  const of = (kind: Kind): number =>
    all.reduce((sum, one) => sum + (one.kind === kind ? one.lost.count : 0), 0)
  const parts = (['good', ...BAD_KINDS] as const).map((kind) => `${kind} ${of(kind)}`)
  const codes = all.flatMap(({ lost }) => lost.messages.map((message) => message.replace(/^.*: /, '')))
  return `${parts.join(', ')}; the first ones: ${counted(codes)}`
}

const nameOf = ({ code, evidence }: { code: string; evidence: Record<string, unknown> }): string =>
  typeof evidence.check === 'string' ? `${code} ${evidence.check}` : code

function counted(all: readonly string[]): string {
  const names = [...new Set(all)].sort()
  const parts = names.map((name) => `${all.filter((one) => one === name).length} ${name}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? 0)) / 2
}
