import type { ServiceView } from '../../core/rollout/view/view.ts'

/** What keeps moving without being news, and trouble that stays, is told again after this. */
export const TELL_AGAIN_MS = 30_000

/** What was told last. `numbersAt`: the step whose numbers are awaited, and when that was told. */
export type WaitingTold = {
  about: string | null
  numbersAt: { step: string; at: number } | null
  /** When each warning that still stands was told. */
  warningsAt: ReadonlyMap<string, number>
}

export const NOTHING_TOLD: WaitingTold = { about: null, numbersAt: null, warningsAt: new Map() }

/** What stands in the way now and was not told yet; pure. */
export function waitingNews(view: ServiceView, told: WaitingTold): { texts: string[]; told: WaitingTold } {
  const warnings = warningNews(view, told)
  const waiting = waitNews(view, told)
  return {
    texts: [...waiting.texts, ...warnings.texts],
    told: { ...told, ...waiting.told, ...warnings.told },
  }
}

type News = { texts: string[]; told: Partial<WaitingTold> }

function waitNews({ rollout, asOf }: ServiceView, { about, numbersAt }: WaitingTold): News {
  const on = rollout === null || rollout.outcome !== null ? null : rollout.waitingOn
  if (rollout === null || on === null) return { texts: [], told: { about: null } }
  const text = `waiting: ${on.message}`
  if (on.kind === 'data' || on.kind === 'criteria') {
    // The message counts with every look. `about` stays: the wait that the numbers interrupt was told.
    const step = `${rollout.id} ${rollout.step.index}`
    const isTold = numbersAt?.step === step && asOf - numbersAt.at < TELL_AGAIN_MS
    return isTold ? { texts: [], told: {} } : { texts: [text], told: { numbersAt: { step, at: asOf } } }
  }
  // The message may count down; what it waits for is told once.
  const now = `${on.kind} ${on.until ?? on.message}`
  return { texts: now === about ? [] : [text], told: { about: now } }
}

function warningNews({ warnings, asOf }: ServiceView, { warningsAt }: WaitingTold): News {
  const next = new Map<string, number>()
  const texts = warnings.flatMap((warning) => {
    const before = warningsAt.get(warning)
    const isTold = before !== undefined && asOf - before < TELL_AGAIN_MS
    next.set(warning, isTold ? before : asOf)
    return isTold ? [] : [`! WARNING: ${warning.replace(/\.$/, '')}. What to do: run \`sluice doctor\`.`]
  })
  return { texts, told: { warningsAt: next } }
}
