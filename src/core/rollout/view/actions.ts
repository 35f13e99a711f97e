import { whyNoJump, whyNoPause } from '../by-hand.ts'
import { isDriftHeld, whyHeld } from '../hold.ts'
import { isFailed, isWatching } from '../rollout-position.ts'
import type { ServiceState } from '../state.ts'
import type { ActionView } from './view.ts'

/** Each action with whether it is possible now and, if not, why. */
export function actionsOf(state: ServiceState): ActionView[] {
  const { rollout } = state
  const phase = rollout?.phase
  const active = rollout !== null && phase?.kind !== 'ended'
  const idle = 'no rollout is in progress'
  const back = phase?.kind === 'returning' ? 'the candidate is on its way back' : null
  const isStable =
    active && state.stable?.release === rollout.plan.to.release ? 'the candidate is stable already' : null
  const kind = active ? rollout.plan.steps[rollout.stepIndex]?.step.kind : undefined
  const paused = phase?.kind === 'running' && phase.paused !== null
  const say = (name: ActionView['name'], whyNot: string | null): ActionView => ({
    name,
    allowed: whyNot === null,
    whyNot,
  })
  const inSteps = !active ? idle : (back ?? isStable)
  const watching = active && isWatching(rollout) ? 'all traffic is on the candidate already' : null
  const held = active ? whyHeld(state, rollout) : null
  const skippable =
    kind === 'gate' || kind === 'observe' || kind === 'watch' || paused
      ? null
      : 'the step has to be finished first'
  return [
    say('promote', inSteps ?? held ?? skippable),
    say('promote-full', inSteps ?? held ?? watching),
    say('jump', active ? whyNoJump(state, rollout) : idle),
    say(
      'pause',
      inSteps ?? watching ?? (active ? whyNoPause(state, rollout) : null) ?? (paused ? 'it is paused' : null),
    ),
    say(
      'resume',
      isDriftHeld(state)
        ? null
        : (inSteps ?? (active && isFailed(rollout) ? held : null) ?? (paused ? null : 'it is not paused')),
    ),
    say('abort', !active && state.queued !== null ? null : inSteps),
    say('rollback', active && isStable === null ? back : whyNoWayBack(state)),
    say('deploy', state.breaker === null ? null : 'the circuit breaker is open: sluice breaker close'),
  ]
}

/** The candidate is stable, or none is on its way: a rollback goes to the release that was stable before. */
function whyNoWayBack({ previous, blocks }: ServiceState): string | null {
  const [before] = previous
  if (before === undefined) return 'there is no earlier stable release'
  const isBlocked = blocks.some(({ release }) => release === before.release)
  return isBlocked ? `${before.version} is blocked: name another one, or go there by force` : null
}
