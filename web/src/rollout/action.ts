import type { ActionView, RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'

/** What can be done from the page; a deploy needs a version and a jump a share: both are done in the terminal. */
export type ActionName = Exclude<ActionView['name'], 'deploy' | 'jump'>

export type Action = {
  label: string
  danger: boolean
  /** A person must say why; it goes into the journal. */
  needsReason: boolean
  operation: string
  input: object
}

export const ACTIONS: Record<ActionName, Action> = {
  promote: { label: 'Promote', danger: false, needsReason: false, operation: 'promote', input: {} },
  'promote-full': {
    label: 'Promote all',
    danger: true,
    needsReason: true,
    operation: 'promote',
    input: { full: true },
  },
  pause: { label: 'Pause', danger: false, needsReason: false, operation: 'pause', input: {} },
  resume: { label: 'Resume', danger: false, needsReason: false, operation: 'resume', input: {} },
  abort: { label: 'Abort', danger: true, needsReason: true, operation: 'abort', input: {} },
  rollback: { label: 'Roll back', danger: true, needsReason: true, operation: 'rollback', input: {} },
}

/** The actions of a view in the order of the buttons, the most useful one first. */
export function orderedActions(view: ServiceView): (ActionView & { name: ActionName })[] {
  const useful = mostUseful(view.rollout)
  const known = view.actions.flatMap((action) =>
    action.name === 'deploy' || action.name === 'jump' ? [] : [{ ...action, name: action.name }],
  )
  return known.sort((a, b) => Number(b.name === useful) - Number(a.name === useful))
}

/** What a person standing before this state most likely wants; `null` when nothing stands out. */
export function mostUseful(rollout: RolloutView | null): ActionName | null {
  if (rollout === null) return null
  switch (rollout.state) {
    case 'paused':
      return 'resume'
    case 'running':
    case 'waiting':
      return 'promote'
    case 'watching':
      return 'rollback'
    case 'returning':
    case 'ended':
      return null
  }
}

/** What will happen, in one or two sentences, before anybody agrees to it. */
export function consequence(name: ActionName, view: ServiceView): string {
  const to = view.rollout?.to.version ?? 'the candidate'
  const from = view.rollout?.from?.version ?? 'nothing'
  const next = nextStep(view.rollout)
  switch (name) {
    case 'promote':
      return `The present step ends now and the rollout goes on with ${next === null ? 'the next step' : `"${next}"`}. The checks go on.`
    case 'promote-full':
      return `${to} gets all traffic now. All steps that are left, and what they would have measured, are skipped.`
    case 'pause':
      return `${to} keeps its present share of traffic until somebody resumes. A failing check still takes it back.`
    case 'resume':
      return `The rollout of ${to} goes on where it was paused.`
    case 'abort':
      return `All traffic goes back to ${from} at once. ${to} stays for a while without traffic, for inspection.`
    case 'rollback':
      return rollbackConsequence(view)
  }
}

function rollbackConsequence({ sets, rollout, stable }: ServiceView): string {
  const warm = sets.find((set) => set.role === 'warm')
  if (warm !== undefined)
    return `All traffic goes back to ${warm.version} at once; it is still running, so this takes a moment.`
  const target = rollout?.outcome === null ? rollout.from?.version : undefined
  if (target !== undefined) return `All traffic goes back to ${target}.`
  return `The release before ${stable?.version ?? 'the present one'} is started again and gets all traffic when it is ready.`
}

const nextStep = (rollout: RolloutView | null): string | null =>
  rollout?.steps.find((step) => step.state === 'planned')?.label ?? null

/** Whether the form may be sent. */
export function isComplete(
  action: Action,
  view: ServiceView,
  filled: { reason: string; typed: string },
): boolean {
  if (action.needsReason && filled.reason.trim() === '') return false
  return !view.production || filled.typed.trim() === view.service
}
