import type { LossView, ServiceView, SetView } from '../../core/rollout/view/view.ts'
import type { Instance } from '../../core/shared/instance.ts'
import { formatWeight } from '../../core/shared/weight.ts'
import { type Line, type Look, quiet, type Span, span, strong, widthOfLine } from '../text/line.ts'
import { count, plural } from '../text/number.ts'
import { clockTime, ticking } from '../text/time.ts'
import { wrap } from '../text/width.ts'
import { continued, LABEL_COLUMNS, labelled, labelledPieces, labelledText } from './label.ts'
import type { FrameOptions } from './options.ts'

/** Instances in trouble that are told one by one. */
const TROUBLED_SHOWN = 2

/** What has to happen before it goes on, with a countdown where there is a time. */
export function waitingLines({ rollout, queued }: ServiceView, { now, columns }: FrameOptions): Line[] {
  const lines: Line[] = []
  if (rollout?.waitingOn && rollout.outcome === null) {
    const { message, until } = rollout.waitingOn
    const countdown =
      until === null ? [] : [strong(ticking(until - now)), span(until > now ? ' left, ' : ', ')]
    const room = columns - LABEL_COLUMNS - widthOfLine(countdown)
    const [first = '', ...more] = wrap(message, room, 2)
    lines.push(
      labelled('waiting', [...countdown, span(first)]),
      ...more.map((text) => continued([span(text)])),
    )
  }
  if (queued !== null)
    lines.push(labelled('next', [span(`${queued.version} waits: ${queued.waitingOn.message}`)]))
  return lines
}

/** Each set with what is ready and its confirmed share; then the instances in trouble. */
export function instanceLines({ sets }: ServiceView, { columns }: FrameOptions): Line[] {
  if (sets.length === 0) return []
  return [...labelledPieces('instances', sets.map(setSpans), columns), ...troubledLines(sets)]
}

function setSpans(set: SetView): Span[] {
  const share =
    set.observedWeightPermille === null ? 'share unconfirmed' : formatWeight(set.observedWeightPermille)
  const running = set.inFlight === null || set.inFlight === 0 ? '' : `, ${count(set.inFlight)} in flight`
  return [
    span(`${set.version} `),
    quiet(set.leavesAt === null ? `${set.role} ` : `${set.role} until ${clockTime(set.leavesAt)} UTC `),
    span(`${set.ready} of ${set.wanted} ready`, set.ready < set.wanted ? 'attention' : 'plain'),
    quiet(` ${share}${running}`),
  ]
}

function troubledLines(sets: readonly SetView[]): Line[] {
  const troubled = sets.flatMap(({ version, instances }) =>
    instances.filter(inTrouble).map((instance) => continued([span(trouble(version, instance), 'bad')])),
  )
  const hidden = troubled.length - TROUBLED_SHOWN
  const more = hidden > 0 ? [continued([quiet(`and ${plural(hidden, 'more instance')} in trouble`)])] : []
  return [...troubled.slice(0, TROUBLED_SHOWN), ...more]
}

const inTrouble = ({ state, ejected }: Instance): boolean =>
  state === 'crashed' || state === 'failed' || state === 'unready' || ejected !== undefined

/** One instance in trouble and why, as far as it is known. */
function trouble(version: string, instance: Instance): string {
  const { id, state, ejected } = instance
  if (state === 'ready' && ejected !== undefined)
    return `${version} ${id} gets no requests until ${clockTime(ejected.until)} UTC: ${ejected.why}`
  const crashes = instance.crashes > 0 ? `, ${plural(instance.crashes, 'crash', 'crashes')}` : ''
  const exit = instance.lastExit === null ? null : exitWords(instance.lastExit)
  const why = instance.lastProbeFailure?.message ?? exit ?? instance.logTail.at(-1) ?? 'no reason known'
  return `${version} ${id} ${state}${crashes}: ${why}`
}

const exitWords = ({ code, signal, cause }: NonNullable<Instance['lastExit']>): string => {
  if (cause === 'oom') return 'ended by the system because memory ran out'
  if (cause === 'not-live') return 'restarted, since it was not live'
  if (signal !== null) return `ended by ${signal}`
  return code === null ? 'ended, how is unknown' : `exited with code ${code}`
}

/** Health targets are reported and never act. */
export function targetLines({ rollout }: ServiceView, { columns }: Pick<FrameOptions, 'columns'>): Line[] {
  if (rollout === null || rollout.targets.length === 0) return []
  const known = rollout.targets.filter(({ met }) => met !== null)
  const unknown = rollout.targets.filter(({ met }) => met === null).map(({ name }) => name)
  const pieces = known.map(({ name, value, limit, met }): Span[] => [
    span(`${name} ${value}`, met === false ? 'attention' : 'plain'),
    quiet(` (${limit})`),
  ])
  const silent = unknown.length === 0 ? [] : [[quiet(`not known: ${unknown.join(', ')}`)]]
  return labelledPieces('targets', [...pieces, ...silent], columns)
}

/** What users met of the candidate. */
export function exposureLines({ rollout }: ServiceView): Line[] {
  if (rollout === null || rollout.exposure.requests === 0) return []
  const { requests, errors } = rollout.exposure
  const words = `${plural(requests, 'request')} answered by ${rollout.to.version}, ${plural(errors, 'error')}`
  return [labelled('exposed', [span(words)])]
}

/** What the rollout cost, measured: `0 of 12,042 requests   0 of 240 probes   0 cut on drain`; anything lost stands out. */
export function lossLines(
  rollout: ServiceView['rollout'],
  { columns }: Pick<FrameOptions, 'columns'>,
): Line[] {
  if (rollout === null) return []
  const { loss } = rollout
  const part = (lost: number, words: string): Span[] => [span(words, lost > 0 ? 'bad' : 'plain')]
  const pieces = [
    part(
      loss.requestsLost,
      `${count(loss.requestsLost)} of ${plural(loss.requests, 'request')}${closedText(loss)}`,
    ),
    part(loss.probesLost, `${count(loss.probesLost)} of ${plural(loss.probes, 'probe')}`),
    part(loss.cutOnDrain, `${count(loss.cutOnDrain)} cut on drain`),
  ]
  return labelledPieces('lost', pieces, columns)
}

/** Lost all the same, but told before. */
const closedText = ({ closed }: LossView): string =>
  closed === undefined ? '' : ` (${count(closed)} while closed, as planned)`

/** The watch after the promotion: how long yet, and what was counted. What it found stands among the warnings. */
export function lightWatchLines(
  { lightWatch }: ServiceView,
  { columns }: Pick<FrameOptions, 'columns'>,
): Line[] {
  if (lightWatch === null) return []
  const look = lightWatch.alarms.length > 0 ? 'bad' : lightWatch.blindSince === null ? 'plain' : 'attention'
  return labelledText('watch', lightWatch.sentence, { columns, look })
}

/** Who reaches which version besides those whom the weights send there. */
export const besidesLines = (
  { besides = [] }: ServiceView,
  { columns }: Pick<FrameOptions, 'columns'>,
): Line[] =>
  besides.flatMap(({ sentence }, index) => labelledText(index === 0 ? 'besides' : '', sentence, { columns }))

/** Problems and warnings, wrapped: nobody should have to guess the end of such a sentence. */
export function troubleLines({ rollout, warnings }: ServiceView, { columns }: FrameOptions): Line[] {
  const lines: Line[] = []
  const add = (name: string, text: string, look: Look): void => {
    lines.push(...labelledText(name, text, { columns, look }))
  }
  if (rollout?.problem) {
    add('problem', rollout.problem.message, 'bad')
    add('to do', rollout.problem.remedy, 'plain')
  }
  for (const warning of warnings) add('warning', warning, 'bad')
  if (warnings.length > 0) add('to do', '`sluice doctor` looks for the cause and says what to do.', 'plain')
  return lines
}
