import { type AbComparison, type ArmCount, compareArms } from '../../analysis/ab-result.ts'
import { shareOf } from '../../release/ab-settings.ts'
import { formatDuration } from '../../shared/duration.ts'
import { participantsText } from '../../shared/request-match-text.ts'
import { formatWeight, TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { RolloutState } from '../state.ts'
import type { AbArmView, AbView } from './ab-result-view.ts'

const CONTROL = 'control'

/** The result so far; `null` where the rollout is no A/B test. */
export function abView(rollout: RolloutState, now: number): AbView | null {
  const { strategy } = rollout.settings
  if (strategy.kind !== 'ab' || rollout.plan.kind !== 'deploy') return null
  const { by, where, variants, goal, forMs } = strategy
  const alpha = strategy.alpha / variants.length
  const control = armOf(rollout, null, TOTAL_PERMILLE - shareOf(variants))
  const known = ({ users }: ArmCount): number | null => (by.kind === 'own-cookie' ? users : null)
  const arms = variants.map(({ name, sharePermille }) => {
    const arm = armOf(rollout, name, sharePermille)
    const comparison = compareArms(arm, control, alpha)
    return { ...variantView(name, arm, { control, comparison }), users: known(arm) }
  })
  const began = rollout.steps.find(
    (_, index) => rollout.plan.steps[index]?.step.kind === 'observe',
  )?.startedAt
  const endsAt = began === null || began === undefined ? null : began + forMs
  const goalText = `${goal.method} ${goal.path}`
  return {
    goal: goalText,
    ...(where === undefined ? {} : { among: participantsText(where) }),
    endsAt,
    confidencePercent: 100 * (1 - strategy.alpha),
    arms: [{ ...controlView(control, goalText), users: known(control) }, ...arms],
    sentence: `${arms.map(({ sentence }) => sentence).join('; ')}; ${timeText(endsAt, now)}`,
  }
}

const armOf = ({ ab }: RolloutState, variant: string | null, sharePermille: number): ArmCount => {
  const total = ab?.total.find((arm) => arm.variant === variant)
  return { share: sharePermille / TOTAL_PERMILLE, users: total?.users ?? 0, goals: total?.goals ?? 0 }
}

const controlView = ({ share, goals }: ArmCount, goal: string): Omit<AbArmView, 'users'> => ({
  name: CONTROL,
  sharePermille: Math.round(share * TOTAL_PERMILLE),
  goals,
  verdict: CONTROL,
  ...{ ratio: null, low: null, high: null },
  sentence: `stable is the control: ${goals} of its users reached ${goal}`,
})

function variantView(
  name: string,
  { share, goals }: ArmCount,
  { control, comparison }: { control: ArmCount; comparison: AbComparison },
): Omit<AbArmView, 'users'> {
  const { verdict, ratio, low, high, confidencePercent } = comparison
  const sharePermille = Math.round(share * TOTAL_PERMILLE)
  const counted = `${name} (${formatWeight(sharePermille)}): ${goals} reached the goal, ${control.goals} in the control (${formatWeight(Math.round(control.share * TOTAL_PERMILLE))})`
  const between = `${times(low)} to ${high === null ? 'any' : times(high)} times as often as the control`
  const sentence = `${counted}; ${WORDS[verdict]}, ${between} with ${confidencePercent.toFixed(1)}% confidence`
  return { name, sharePermille, goals, verdict, ratio, low, high, sentence }
}

const WORDS = { better: 'better', worse: 'worse', open: 'not decided' } as const
const times = (ratio: number): string => ratio.toFixed(2)

function timeText(endsAt: number | null, now: number): string {
  if (endsAt === null) return 'it has not begun'
  if (now >= endsAt) return 'its time is over'
  return `${formatDuration(Math.ceil((endsAt - now) / 1000) * 1000)} to go`
}
