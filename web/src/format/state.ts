import type { RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'

export type Tone = 'accent' | 'good' | 'warn' | 'bad' | 'quiet'
export type Glyph =
  | 'play'
  | 'pause'
  | 'clock'
  | 'eye'
  | 'back'
  | 'check'
  | 'cross'
  | 'alert'
  | 'minus'
  | 'dot'

/** How a state looks: a word and a shape besides the colour. */
export type StateMark = { label: string; tone: Tone; glyph: Glyph }

const RUNNING: Record<Exclude<RolloutView['state'], 'ended'>, StateMark> = {
  running: { label: 'Rolling out', tone: 'accent', glyph: 'play' },
  waiting: { label: 'Waiting', tone: 'warn', glyph: 'clock' },
  paused: { label: 'Paused', tone: 'warn', glyph: 'pause' },
  watching: { label: 'Watching', tone: 'accent', glyph: 'eye' },
  returning: { label: 'Going back', tone: 'bad', glyph: 'back' },
}

const OUTCOME: Record<NonNullable<RolloutView['outcome']>, StateMark> = {
  promoted: { label: 'Promoted', tone: 'good', glyph: 'check' },
  rolled_back: { label: 'Rolled back', tone: 'bad', glyph: 'back' },
  aborted: { label: 'Aborted', tone: 'warn', glyph: 'cross' },
  superseded: { label: 'Superseded', tone: 'quiet', glyph: 'minus' },
  failed: { label: 'Failed', tone: 'bad', glyph: 'alert' },
}

export function rolloutMark(rollout: RolloutView): StateMark {
  if (rollout.state !== 'ended') return RUNNING[rollout.state]
  return outcomeMark(rollout.outcome)
}

export const outcomeMark = (outcome: RolloutView['outcome']): StateMark =>
  outcome === null ? { label: 'In progress', tone: 'accent', glyph: 'play' } : OUTCOME[outcome]

export function serviceMark(view: ServiceView): StateMark {
  if (view.rollout !== null) return rolloutMark(view.rollout)
  if (view.stable !== null) return { label: 'Stable', tone: 'good', glyph: 'check' }
  return { label: 'Nothing deployed', tone: 'quiet', glyph: 'minus' }
}

/** The sentence on top of everything. */
export function serviceSentence(view: ServiceView): string {
  if (view.rollout !== null) return view.rollout.sentence
  if (view.stable !== null)
    return `${view.service} ${view.stable.version} serves all traffic in ${view.environment}.`
  return `${view.service} has no version in ${view.environment} yet.`
}

/** For the tab: `25% shop 1.1.0`, `Rolled back shop 1.1.0`, `shop 1.0.0`. */
export function tabTitle(view: ServiceView): string {
  const { rollout, service, stable } = view
  if (rollout === null) return stable === null ? service : `${service} ${stable.version}`
  const head =
    rollout.state === 'running' ? `${rollout.weight.desiredPermille / 10}%` : rolloutMark(rollout).label
  return `${head} · ${service} ${rollout.to.version}`
}

/** What a bar of the candidate's share shows. */
export const shareLabel = ({ sharedBy, to }: Pick<RolloutView, 'sharedBy' | 'to'>): string =>
  sharedBy === 'traffic' ? `Traffic to ${to.version}` : `Instances of ${to.version}`

/** Desired and observed traffic differ, or the router has not confirmed. */
export type Drift = 'none' | 'unconfirmed' | 'differs'

export function weightDrift({ desiredPermille, observedPermille }: RolloutView['weight']): Drift {
  if (observedPermille === null) return 'unconfirmed'
  return desiredPermille === observedPermille ? 'none' : 'differs'
}
