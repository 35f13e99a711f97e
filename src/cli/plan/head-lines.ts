import type { Change, Plan } from '../../core/plan/plan.ts'
import { formatWeight } from '../../core/shared/weight.ts'
import { labelled, labelledText } from '../frame/label.ts'
import { type Line, span, strong } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { span as duration } from '../text/time.ts'
import { RISK_LOOK } from './risk-lines.ts'

/** More shares than these are told by their number: one look has to be enough. */
const SHARES_NAMED = 5
/** More changes than these are listed at the end. */
const CHANGES_NAMED = 3

/** What somebody has to know who reads nothing else: what goes where and how, the risk, what differs, what to mind. */
export function headLines(plan: Plan, columns: number): Line[] {
  const { risk, warnings } = plan
  return [
    [strong(titleOf(plan))],
    ...labelledText('how', howWords(plan), { columns }),
    ...(risk === undefined
      ? []
      : labelledText('risk', risk.sentence, { columns, look: RISK_LOOK[risk.level] })),
    ...changesHead(plan, columns),
    ...warnings.flatMap((warning) => labelledText('warning', warning, { columns, look: 'attention' })),
  ]
}

/** All changed settings, where the head names only some. */
export const restOfChanges = (plan: Plan): string[] => {
  const texts = changeTexts(plan)
  return texts.length > CHANGES_NAMED ? texts : []
}

function titleOf({ kind, from, to, service, environment }: Plan): string {
  const where = `${service} in ${environment}`
  if (kind === 'first' || from === null) return `First release of ${where}: ${to.version}`
  return `${kind === 'rollback' ? 'Roll back' : 'Deploy'} ${where}: ${from.version} → ${to.version}`
}

/** `canary by 5%, 25%, 100%, about 45m in all; at most 4 instances at the same time`. */
function howWords(plan: Plan): string {
  const { kind, strategy, expectedMs, peakInstances } = plan
  const way = kind === 'first' ? 'straight to 100% once it is ready' : `${strategy}${sharesWords(plan)}`
  const takes =
    expectedMs === null
      ? 'as long as the person takes who has to say so'
      : expectedMs < 1000
        ? 'in moments'
        : `about ${duration(expectedMs)} in all`
  return `${way}, ${takes}; at most ${plural(peakInstances, 'instance')} at the same time`
}

function sharesWords({ steps }: Plan): string {
  const shares = steps.flatMap(({ step }) =>
    step.kind === 'traffic' ? [formatWeight(step.weightPermille)] : [],
  )
  if (shares.length === 0) return ''
  if (shares.length <= SHARES_NAMED) return ` by ${shares.join(', ')}`
  return ` in ${shares.length} shares from ${shares[0]} to ${shares.at(-1)}`
}

function changesHead(plan: Plan, columns: number): Line[] {
  if (plan.from === null) return []
  const texts = changeTexts(plan)
  if (texts.length === 0) return [labelled('changes', [span('the version only; all settings stay')])]
  const named = texts.slice(0, texts.length > CHANGES_NAMED ? CHANGES_NAMED - 1 : CHANGES_NAMED)
  const rest = texts.length - named.length
  const all = rest === 0 ? named : [...named, `and ${rest} more, listed at the end`]
  return all.flatMap((text, index) => labelledText(index === 0 ? 'changes' : '', text, { columns }))
}

/** The versions stand in the title. */
const changeTexts = ({ changes }: Plan): string[] =>
  changes.filter(({ path }) => path !== 'version').map(changeText)

const changeText = ({ path, from, to }: Change): string =>
  `${path === 'artifact' ? 'the code' : path}: ${shortly(from)} → ${shortly(to)}`

/** Twelve digits are enough to compare by eye; `--json` has all of them. */
const shortly = (value: string | null): string =>
  value === null ? 'not set' : value.replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, 'sha256:$1')
