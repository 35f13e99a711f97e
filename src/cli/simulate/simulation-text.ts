import type { Simulation } from '../../core/simulation/simulation.ts'
import { LABEL_COLUMNS, labelled, labelledText } from '../frame/label.ts'
import { type Line, type Look, quiet, span, strong } from '../text/line.ts'
import { plural } from '../text/number.ts'
import { span as duration } from '../text/time.ts'
import { wrap } from '../text/width.ts'

const LOOK: Record<Simulation['timeline'][number]['level'], Look> = {
  info: 'plain',
  good: 'good',
  warning: 'attention',
  bad: 'bad',
}
/** Longer lines than this nobody follows with the eye. */
const WIDEST = 110

/** What happened when, and how it ended. */
export function simulationLines(simulation: Simulation, terminalColumns: number): Line[] {
  const columns = Math.min(WIDEST, Math.max(40, terminalColumns))
  const { service, environment, from, to, strategy, seed } = simulation
  const change = from === null ? to : `${from} → ${to}`
  return [
    [strong(`Simulated: ${service} in ${environment}, ${change}`)],
    [quiet(`  ${strategy}, seed ${seed}; nothing that runs was touched`)],
    [],
    ...simulation.timeline.flatMap((entry) => entryLines(entry, columns)),
    [],
    ...wrap(simulation.sentence, columns).map((text): Line => [strong(text)]),
    ...factLines(simulation, columns),
  ]
}

function entryLines({ atMs, text, level }: Simulation['timeline'][number], columns: number): Line[] {
  const at = `+${duration(atMs)}`.padStart(LABEL_COLUMNS - 2)
  return wrap(text, columns - LABEL_COLUMNS).map((part, index) => [
    quiet(index === 0 ? `${at}  ` : ' '.repeat(LABEL_COLUMNS)),
    span(part, LOOK[level]),
  ])
}

function factLines(simulation: Simulation, columns: number): Line[] {
  const { candidate, to, lost, peakInstances, tookMs, trafficOffMs, outcome, waitingOn, left } = simulation
  const off =
    trafficOffMs === null ? '' : `; traffic was off the candidate ${duration(trafficOffMs)} after the verdict`
  const waits =
    outcome === null && waitingOn !== null ? labelledText('waits for', waitingOn.message, { columns }) : []
  return [
    ...waits,
    ...labelledText(outcome === null ? 'ran' : 'took', `${duration(tookMs)} of virtual time${off}`, {
      columns,
    }),
    labelled('exposed', [
      span(
        `${plural(candidate.requests, 'request')} answered by ${to}, ${plural(candidate.errors, 'error')}`,
      ),
    ]),
    labelled('lost', [span(plural(lost, 'request'), lost > 0 ? 'bad' : 'plain')]),
    labelled('peak', [span(`${plural(peakInstances, 'instance')} at the same time`)]),
    ...left.flatMap((text) => labelledText('left out', text, { columns, look: 'attention' })),
  ]
}
