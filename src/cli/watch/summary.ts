import type { RolloutView } from '../../core/rollout/view/view.ts'
import { measuredBudget } from '../../core/strategy/rollback-budget.ts'
import { evidenceLines } from '../frame/evidence.ts'
import { lossLines } from '../frame/facts.ts'
import { stateIconOf } from '../frame/headline.ts'
import { labelledText } from '../frame/label.ts'
import { newErrorLines } from '../frame/new-errors.ts'
import { fitLine, type Line, type Look, span, strong } from '../text/line.ts'
import { span as duration } from '../text/time.ts'

/** The last words on a rollout: outcome, why, what it cost, what to do next. */
export function summaryLines(rollout: RolloutView, { columns }: { columns: number }): Line[] {
  const { icon, look } = stateIconOf(rollout)
  const evidence = evidenceLines(rollout.reason.evidence).join(', ')
  const isTold = saysReason(rollout)
  const text = (name: string, words: string, shade: Look = 'plain'): Line[] =>
    labelledText(name, words, { columns, look: shade })
  return [
    [],
    [span(`${icon} `, look), strong(OUTCOME_WORDS[rollout.outcome ?? 'none']), span(` ${rollout.sentence}`)],
    ...(isTold ? [] : text('why', rollout.reason.message)),
    ...(isTold || evidence === '' ? [] : text('', evidence, 'quiet')),
    ...problemWords(rollout).flatMap((words) => text('problem', words, 'bad')),
    ...newErrorLines(rollout).map((line) => fitLine(line, columns)),
    ...lossLines(rollout, { columns }),
    ...text('took', timeWords(rollout)),
    ...text('next', nextWords(rollout)),
  ]
}

/** The sentence gives the reason its own capital letter and full stop. */
function saysReason({ sentence, reason }: RolloutView): boolean {
  return sentence.toLowerCase().includes(reason.message.replace(/\.$/, '').toLowerCase())
}

/** What the reason did not say already: the last words of the instance, or another problem. */
function problemWords({ problem, reason }: RolloutView): string[] {
  if (problem === null) return []
  const words = [...(problem.message === reason.message ? [] : [problem.message]), problem.cause ?? '']
  return words.filter((text) => text !== '')
}

const OUTCOME_WORDS: Record<NonNullable<RolloutView['outcome']> | 'none', string> = {
  promoted: 'Promoted.',
  rolled_back: 'Rolled back.',
  aborted: 'Aborted.',
  superseded: 'Superseded.',
  failed: 'Failed.',
  none: 'Not ended yet.',
}

function timeWords({ startedAt, endedAt, trafficOffMs, strategy }: RolloutView): string {
  const whole = endedAt === null ? 'still running' : duration(endedAt - startedAt)
  return trafficOffMs === null ? whole : `${whole}; ${measuredBudget(trafficOffMs, strategy).text}`
}

function nextWords({ outcome, from, to, problem }: RolloutView): string {
  const back = from === null ? 'No version is serving' : `All traffic is on ${from.version}`
  switch (outcome) {
    case 'promoted':
      return from === null
        ? '`sluice status` shows what runs.'
        : `\`sluice rollback\` goes back to ${from.version}.`
    case 'rolled_back':
      return (
        problem?.remedy ??
        `${back}. \`sluice logs --release ${to.release}\` shows what the candidate wrote; deploy a fixed version.`
      )
    case 'aborted':
      return `${back}. \`sluice deploy ${to.version}\` begins again.`
    case 'superseded':
      return 'A newer release took its place: `sluice watch` follows it.'
    case 'failed':
      return problem?.remedy ?? `${back}. \`sluice logs --release ${to.release}\` shows what it wrote.`
    case null:
      return '`sluice watch` follows it.'
  }
}
