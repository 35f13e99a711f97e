import type { ServiceSettings } from '../../../core/release/settings.ts'
import { problem } from '../../../core/shared/problem.ts'
import type { Plane, Planes } from './planes.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Script } from './script.ts'

const REFUSING_SHARE = 0.5
const LONGEST_REFUSAL_MS = 6000

type StrikeParts = {
  planes: Planes
  settings: readonly ServiceSettings[]
  script: Pick<Script, 'healAt' | 'isCalm'>
  scheduler: Scheduler
}

/** Faults strike one data plane at a time; and in some runs the second one refuses everything for a while. */
export function createStriker(
  random: Random,
  { planes, settings, script, scheduler }: StrikeParts,
): () => Plane {
  const [first] = planes.all
  if (settings.every(({ also, router }) => also === undefined && router === 'builtin')) return () => first
  const strikes = random.fork('struck router')
  const { router } = planes.of('haproxy')
  if (!script.isCalm && strikes.chance(REFUSING_SHARE)) {
    const at = strikes.int(0, script.healAt)
    scheduler.after(at, () => router.refuse(REFUSED))
    scheduler.after(Math.min(at + strikes.int(300, LONGEST_REFUSAL_MS), script.healAt), () =>
      router.refuse(null),
    )
  }
  return () => strikes.pick(planes.all)
}

const REFUSED = problem('ROUTER_REFUSED', { message: 'It does not take this configuration.', remedy: 'none' })
