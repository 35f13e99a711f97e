import { routerTitle } from '../core/plan/router/router-fit.ts'
import type { SeenRouter } from '../core/rollout/command.ts'
import type { MetricAnswer } from '../core/rollout/observation.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { countsTogether, type RouterAnswer } from '../core/rollout/together.ts'
import { problem } from '../core/shared/problem.ts'
import type { RouterName } from '../core/shared/router-ability.ts'
import type { Clock } from '../ports/clock.ts'
import type { RouterOf } from '../ports/router.ts'

/**
 * Longer than a router takes that is well, on a busy machine too: with 1 s, nginx was taken for silent at a load of 20. One
 * of several that hangs must not make every look a slow one.
 */
const ANSWERS_WITHIN_MS = 2000

export type RouterParts = { routerOf: RouterOf; clock: Clock }
type Traffic = Pick<ServiceState, 'traffic'>
type RouterSeen = { router: RouterName; seen: SeenRouter }

/** Of all routers that serve, the first one first. */
export async function routerStates(
  parts: RouterParts,
  stream: string,
  { traffic }: Traffic,
): Promise<[RouterSeen, ...RouterSeen[]]> {
  const ask = async (router: RouterName): Promise<RouterSeen> => {
    const answer = await parts.routerOf(router).router.readState(stream)
    const seen: SeenRouter =
      answer.kind === 'ok'
        ? { kind: 'seen', state: answer.value }
        : { kind: 'failed', problem: answer.problem }
    return { router, seen }
  }
  return await askAll(parts, traffic, {
    ask,
    instead: (router) => ({ router, seen: { kind: 'failed', problem: silent(router) } }),
  })
}

/** What all routers that serve have counted. */
export async function countsOf(
  parts: RouterParts,
  stream: string,
  { traffic }: Traffic,
): Promise<MetricAnswer> {
  const ask = async (router: RouterName): Promise<RouterAnswer> => ({
    router,
    answer: await parts.routerOf(router).counts.query(stream),
  })
  const instead = (router: RouterName): RouterAnswer => ({
    router,
    answer: { kind: 'failure', at: parts.clock.now(), problem: silent(router) },
  })
  const [first, ...others] = await askAll(parts, traffic, { ask, instead })
  return countsTogether(first, others)
}

type Question<T> = { ask(router: RouterName): Promise<T>; instead(router: RouterName): T }

/** One alone is waited for; of several each has its time. */
async function askAll<T>(
  { clock }: RouterParts,
  { router: first, also }: ServiceState['traffic'],
  { ask, instead }: Question<T>,
): Promise<[T, ...T[]]> {
  if (also.length === 0) return [await ask(first)]
  const inTime = async (router: RouterName): Promise<T> => {
    const answered = new AbortController()
    const late = clock.sleep(ANSWERS_WITHIN_MS, answered.signal).then(() => instead(router))
    const answer = await Promise.race([ask(router), late])
    answered.abort()
    return answer
  }
  const others = Promise.all(also.map(inTime))
  return [await inTime(first), ...(await others)]
}

const silent = (router: RouterName) =>
  problem('ROUTER_UNREACHABLE', {
    message: `${routerTitle(router)} does not answer within ${ANSWERS_WITHIN_MS} ms.`,
    remedy:
      'Wait: it is asked again and again. Where that lasts, look at its process and at the log of the controller.',
    retryable: true,
  })
