import type { ActionView, RolloutView, ServiceView } from '../../core/rollout/view/view.ts'
import { fitLine, type Line, quiet, type Span, span, strong, widthOfLine } from '../text/line.ts'
import { wrap } from '../text/width.ts'
import { evidenceLines } from './evidence.ts'
import { joined } from './label.ts'
import type { FrameOptions } from './options.ts'

/** Lines of output shown in the log panel. */
export const LOG_LINES_SHOWN = 12

/** What stands in place of the events when the reader asked for something. */
export function panelLines(view: ServiceView, { panel, columns }: FrameOptions): Line[] {
  switch (panel.kind) {
    case 'help':
      return helpLines()
    case 'explain':
      return view.rollout === null
        ? [[span('  Nothing to explain: there was no rollout yet.')]]
        : explainLines(view.rollout, columns)
    case 'logs':
      return logLines(panel.lines)
    case 'none':
    case 'legend':
    case 'note':
    case 'question':
      return []
  }
}

/** The last line or lines: what the keys do, an answer, or a question. */
export function footLines(view: ServiceView, { panel, columns }: FrameOptions): Line[] {
  switch (panel.kind) {
    case 'question':
      return wrap(panel.text, columns - 2).map(
        (text, index, all): Line =>
          index === all.length - 1
            ? fitLine([span(`  ${text} `, 'attention'), strong(`${panel.typed}▏`)], columns)
            : [span(`  ${text}`, 'attention')],
      )
    case 'note':
      return [
        ...wrap(panel.text, columns - 2, 6).map((text): Line => [span(`  ${text}`, panel.look)]),
        legendLine(view, columns),
      ]
    case 'none':
      return []
    case 'legend':
    case 'help':
    case 'explain':
    case 'logs':
      return [legendLine(view, columns)]
  }
}

/** Keys of actions that are not possible now are left out; leaving and help always stand there. */
function legendLine(view: ServiceView, columns: number): Line {
  const allowed = (name: ActionView['name']): boolean => isAllowed(view, name)
  const always: Span[][] = [key('?', 'help'), key('q', 'leave')]
  const wanted: Span[][] = [
    ...(allowed('resume') ? [key('space', 'resume')] : allowed('pause') ? [key('space', 'pause')] : []),
    ...(allowed('abort') ? [key('a', 'abort')] : []),
    ...(allowed('promote') ? [key('p', 'next step')] : []),
    ...(allowed('promote-full') ? [key('P', 'promote all')] : []),
    key('e', 'why'),
    key('l', 'logs'),
    key('o', 'page'),
  ]
  const line = (keys: Span[][]): Line => [span('  '), ...joined([...keys, ...always], '  ')]
  let kept = wanted
  while (kept.length > 0 && widthOfLine(line(kept)) > columns) kept = kept.slice(0, -1)
  return line(kept)
}

/** Whether the controller would accept the action now. */
export const isAllowed = (view: ServiceView, name: ActionView['name']): boolean =>
  [...(view.rollout?.actions ?? []), ...view.actions].some((action) => action.name === name && action.allowed)

const key = (name: string, does: string): Span[] => [strong(name), quiet(` ${does}`)]

function helpLines(): Line[] {
  return KEYS.map(([name, does]): Line => [strong(`  ${name.padEnd(7)}`), span(does)])
}

const KEYS: readonly (readonly [string, string])[] = [
  ['space', 'pause, or go on after a pause'],
  ['p', 'go on to the next step now'],
  ['P', 'send everything to the candidate now (asks for the reason)'],
  ['a', 'abort: all traffic back to stable (asks first)'],
  ['e', 'why it is in this state, with the evidence'],
  ['l', 'the last lines of output of the candidate'],
  ['o', 'the address of the page'],
  ['q', 'leave; the rollout goes on. Ctrl-C does the same'],
]

function explainLines(rollout: RolloutView, columns: number): Line[] {
  const room = columns - 2
  return [
    ...wrap(rollout.reason.message, room, 3).map((text): Line => [strong(`  ${text}`)]),
    [quiet(`  ${rollout.reason.code}, decided by ${rollout.reason.actor.name}`)],
    ...evidenceLines(rollout.reason.evidence).map((text): Line => [span(`    ${text}`)]),
    ...rollout.checks.flatMap(({ sentence }) =>
      wrap(sentence, room - 2, 2).map((text): Line => [quiet(`  ${text}`)]),
    ),
  ]
}

function logLines(lines: readonly string[]): Line[] {
  if (lines.length === 0) return [[quiet('  No output yet.')]]
  return lines.slice(-LOG_LINES_SHOWN).map((text): Line => [span(`  ${text}`)])
}
