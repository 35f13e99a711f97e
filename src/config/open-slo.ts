import * as z from 'zod'
import type { ServiceLevel } from '../core/release/analysis-settings.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Complaint } from './complaint.ts'
import { type ConfigProblem, configProblem, type Position } from './config-problem.ts'
import { type ConfigDocument, parseConfigDocument } from './document.ts'
import { SLO_WINDOW, unreachable } from './schema-slo.ts'
import { durationText } from './units.ts'

const Present = z.unknown().exactOptional()

/** What is read of an OpenSLO v1 document (github.com/OpenSLO/OpenSLO); all else is for other tools. */
const Document = z.object({
  apiVersion: Present,
  kind: Present,
  spec: z
    .object({
      indicator: z
        .object({ spec: z.object({ ratioMetric: Present, thresholdMetric: Present }).exactOptional() })
        .exactOptional(),
      indicatorRef: Present,
      timeWindow: z.array(z.object({ duration: Present, isRolling: Present })).exactOptional(),
      budgetingMethod: Present,
      objectives: z
        .array(z.object({ target: Present, targetPercent: Present, op: Present, value: Present }))
        .exactOptional(),
    })
    .exactOptional(),
})
type Document = z.infer<typeof Document>

/** What is wrong, and the path of the key to blame. */
type Refusal = { path: PropertyKey[]; complaint: Complaint }

/** Reads the one objective of an OpenSLO file, or says with line and column why it cannot be kept to. */
export function readOpenSlo(file: string, text: string): Result<ServiceLevel, ConfigProblem[]> {
  const second = secondDocument(text)
  if (second !== null) return failed([configProblem(file, second, SEVERAL_DOCUMENTS)])
  const document = parseConfigDocument(file, text)
  if (document.kind === 'failed') return document
  const parsed = Document.safeParse(document.value.value)
  if (!parsed.success) return failed([shapeProblem(file, document.value, parsed.error)])
  const refusals = refusalsOf(parsed.data)
  if (refusals.length > 0)
    return failed(
      refusals.map(({ path, complaint }) =>
        configProblem(file, document.value.valueAt(path), { ...complaint, message: about(path, complaint) }),
      ),
    )
  return ok(levelIn(parsed.data))
}

const about = (path: PropertyKey[], { message }: Complaint): string =>
  `${
    path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
      .join('')
      .replace(/^\./, '') || 'the file'
  } ${message}`

/** Where a second document begins. */
function secondDocument(text: string): Position | null {
  const lines = text.split(/\r?\n/)
  const begin = lines.findIndex((line) => line.trim() !== '' && !/^(#|---|%)/.test(line))
  const next = lines.findIndex((line, index) => begin !== -1 && index > begin && /^---(\s|$)/.test(line))
  const hasMore =
    next !== -1 && lines.slice(next + 1).some((line) => line.trim() !== '' && !/^\s*#/.test(line))
  return hasMore ? { line: next + 1, column: 1 } : null
}

const refused = (message: string, remedy: string): Complaint => ({
  code: 'CONFIG_SLO_REFUSED',
  message,
  remedy,
})

const SEVERAL_DOCUMENTS = refused(
  'a second document begins here, and only one objective is kept to',
  'Put the SLO of this service into a file of its own, with its indicator in it.',
)

function shapeProblem(file: string, document: ConfigDocument, error: z.ZodError): ConfigProblem {
  const path = error.issues[0]?.path ?? []
  const complaint = refused(
    'is not of the shape that OpenSLO v1 gives it',
    'Compare it with the OpenSLO specification.',
  )
  return configProblem(file, document.valueAt(path), { ...complaint, message: about([...path], complaint) })
}

function refusalsOf({ apiVersion, kind, spec }: Document): Refusal[] {
  if (apiVersion !== 'openslo/v1')
    return [
      refusal(
        ['apiVersion'],
        `is ${shownIn(apiVersion)}, but only openslo/v1 is read`,
        'Write the objective as openslo/v1.',
      ),
    ]
  if (kind !== 'SLO')
    return [
      refusal(['kind'], `is ${shownIn(kind)}, but must be SLO`, 'Name the file that holds the SLO itself.'),
    ]
  return [
    ...indicatorRefusals(spec),
    ...windowRefusals(spec?.timeWindow ?? []),
    ...methodRefusals(spec?.budgetingMethod),
    ...objectiveRefusals(spec),
  ]
}

type Spec = Document['spec']
const INLINE = 'State it in sluice.yaml instead: analysis.slo: { target: 99%, slowerThan: 500ms }.'

function indicatorRefusals(spec: Spec): Refusal[] {
  if (spec?.indicatorRef !== undefined)
    return [
      refusal(
        ['spec', 'indicatorRef'],
        'names an indicator that stands elsewhere, so nobody can tell here what is counted',
        'Write the indicator itself: spec.indicator with a ratioMetric.',
      ),
    ]
  const path = ['spec', 'indicator', 'spec']
  const indicator = spec?.indicator?.spec
  if (indicator?.thresholdMetric !== undefined)
    return [
      refusal(
        [...path, 'thresholdMetric'],
        'compares a value with a threshold, but requests are counted here as good or bad',
        INLINE,
      ),
    ]
  if (indicator?.ratioMetric === undefined)
    return [refusal(path, 'has no ratioMetric', 'Write one: good (or bad) and total requests.')]
  // A bucket in the query means that slow requests are the bad ones; the target alone would be taken for that of failures.
  if (/\ble\s*[=~]|_bucket\b/.test(JSON.stringify(indicator.ratioMetric)))
    return [
      refusal(
        [...path, 'ratioMetric'],
        'seems to count slow requests, and the limit cannot be read from a query',
        INLINE,
      ),
    ]
  return []
}

function windowRefusals(windows: NonNullable<NonNullable<Spec>['timeWindow']>): Refusal[] {
  const [window, second] = windows
  const path = ['spec', 'timeWindow']
  if (window === undefined || second !== undefined)
    return [
      refusal(
        path,
        `has ${windows.length} windows, but must have one`,
        'Write one rolling window, for example { duration: 30d, isRolling: true }.',
      ),
    ]
  if (window.isRolling !== true)
    return [
      refusal(
        [...path, 0, 'isRolling'],
        'is not true: the budget of a calendar period is not followed',
        'Write a rolling window, for example { duration: 30d, isRolling: true }.',
      ),
    ]
  const ms = windowMs(window.duration)
  const { minMs, maxMs } = SLO_WINDOW
  if (ms === null || ms < minMs || ms > maxMs)
    return [
      refusal(
        [...path, 0, 'duration'],
        `is ${shownIn(window.duration)}, but must be between ${durationText(minMs)} and ${durationText(maxMs)}`,
        'Write it in days or weeks, for example 30d or 4w.',
      ),
    ]
  return []
}

const UNIT_DAYS = { d: 1, w: 7 }

/** Days and weeks; months and quarters are not always as long. */
function windowMs(input: unknown): number | null {
  const parts = typeof input === 'string' ? /^([1-9]\d{0,3})([dw])$/.exec(input) : null
  const unit = parts?.[2] === 'w' ? UNIT_DAYS.w : UNIT_DAYS.d
  return parts === null ? null : Number(parts[1]) * unit * 86_400_000
}

const methodRefusals = (method: unknown): Refusal[] =>
  method === undefined || method === 'Occurrences'
    ? []
    : [
        refusal(
          ['spec', 'budgetingMethod'],
          `is ${shownIn(method)}, but requests are counted here, not slices of time`,
          'Write Occurrences.',
        ),
      ]

function objectiveRefusals(spec: Spec): Refusal[] {
  const objectives = spec?.objectives ?? []
  const [objective, second] = objectives
  const path = ['spec', 'objectives']
  if (objective === undefined || second !== undefined)
    return [
      refusal(
        path,
        `has ${objectives.length} objectives, but must have one`,
        'Put the objective of this service into a file of its own.',
      ),
    ]
  if (objective.op !== undefined || objective.value !== undefined)
    return [
      refusal(
        [...path, 0],
        'compares a value with a threshold, but requests are counted here as good or bad',
        INLINE,
      ),
    ]
  const target = targetPercent(objective)
  if (target === null)
    return [
      refusal(
        [...path, 0],
        'has no target between 0 and 1 (or targetPercent between 0 and 100)',
        'Write for example target: 0.999.',
      ),
    ]
  const ms = windowMs(spec?.timeWindow?.[0]?.duration)
  const complaint = ms === null ? null : unreachable({ targetPercent: target, windowMs: ms })
  return complaint === null ? [] : [{ path: [...path, 0, 'target'], complaint }]
}

function targetPercent({
  target,
  targetPercent: percent,
}: {
  target?: unknown
  targetPercent?: unknown
}): number | null {
  const value = typeof target === 'number' ? Number((100 * target).toPrecision(12)) : percent
  if (target !== undefined && percent !== undefined) return null
  return typeof value === 'number' && value > 0 && value < 100 ? value : null
}

function levelIn({ spec }: Document): ServiceLevel {
  const target = targetPercent(spec?.objectives?.[0] ?? {})
  const ms = windowMs(spec?.timeWindow?.[0]?.duration)
  if (target === null || ms === null)
    throw new Error('an objective that was checked has a target and a window')
  return { targetPercent: target, windowMs: ms, slowerThanMs: null }
}

const refusal = (path: PropertyKey[], message: string, remedy: string): Refusal => ({
  path,
  complaint: refused(message, remedy),
})

const shownIn = (value: unknown): string =>
  value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
