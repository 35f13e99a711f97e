import type { RolloutView, ServiceView } from '../../core/rollout/view/view.ts'
import { type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { clockTime, dateTime, span as duration } from '../text/time.ts'
import { widthOf, wrap } from '../text/width.ts'
import type { FrameOptions } from './options.ts'

/** State icon and sentence, on at most two lines; a third says when the controller is away. */
export function headlineLines(
  view: ServiceView,
  { columns, away }: Pick<FrameOptions, 'columns' | 'away'>,
): Line[] {
  const { icon, look } = stateIcon(view)
  const lines = wrap(sentenceOf(view), columns - 2, 2).map(
    (text, index): Line => [index === 0 ? span(`${icon} `, look) : span('  '), strong(text)],
  )
  return away === null ? lines : [...lines, [span('  '), span(away, 'attention')]]
}

/** One character and its look for the state of the service. */
function stateIcon({ rollout, stable }: ServiceView): { icon: string; look: Look } {
  if (rollout === null) return stable === null ? { icon: '○', look: 'quiet' } : { icon: '✓', look: 'good' }
  return stateIconOf(rollout)
}

/** The same for one rollout. */
export const stateIconOf = ({ outcome, state }: RolloutView): { icon: string; look: Look } =>
  outcome === null ? STATE_ICON[state] : OUTCOME_ICON[outcome]

const OUTCOME_ICON: Record<NonNullable<RolloutView['outcome']>, { icon: string; look: Look }> = {
  promoted: { icon: '✓', look: 'good' },
  rolled_back: { icon: '↩', look: 'bad' },
  aborted: { icon: '✗', look: 'bad' },
  superseded: { icon: '→', look: 'attention' },
  failed: { icon: '✗', look: 'bad' },
}
const STATE_ICON: Record<RolloutView['state'], { icon: string; look: Look }> = {
  running: { icon: '●', look: 'accent' },
  waiting: { icon: '●', look: 'attention' },
  paused: { icon: '‖', look: 'attention' },
  watching: { icon: '◉', look: 'good' },
  returning: { icon: '↩', look: 'bad' },
  ended: { icon: '■', look: 'plain' },
}

function sentenceOf({ rollout, stable, service, environment }: ServiceView): string {
  if (rollout !== null) return rollout.sentence
  if (stable === null) return `${service} in ${environment}: nothing has been released yet`
  return `${service} in ${environment}: ${stable.version} is stable`
}

/** Which bytes go where, how, since when. */
export function digestLines(view: ServiceView, { now, columns }: FrameOptions): Line[] {
  const { rollout, stable } = view
  if (rollout === null) {
    if (stable === null) return []
    return [[quiet(`  ${stable.release} since ${dateTime(stable.since)} UTC on ${view.listen}`)]]
  }
  const lasted = duration((rollout.endedAt ?? now) - rollout.startedAt)
  const from = rollout.from === null ? 'first release' : rollout.from.release
  const to = `${rollout.to.release} (${shortDigest(rollout.to.digest)})`
  const when = `${rollout.strategy}, began ${clockTime(rollout.startedAt)} UTC, ${rollout.endedAt === null ? 'running' : 'took'} ${lasted}`
  const first = `  ${from} → ${to}`
  const together = `${first}   ${when}`
  return widthOf(together) <= columns ? [[quiet(together)]] : [[quiet(first)], [quiet(`  ${when}`)]]
}

/** `sha256:0123456789ab…` keeps the first 12 digits: enough to compare by eye. */
export function shortDigest(digest: string): string {
  const [algorithm, value] = digest.includes(':') ? digest.split(':', 2) : ['', digest]
  const short = (value ?? '').slice(0, 12)
  return algorithm === '' ? short : `${algorithm}:${short}`
}
