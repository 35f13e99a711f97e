import { routerTitle } from '../../plan/router/router-fit.ts'
import { servingOf } from '../../release/servings.ts'
import type { Problem } from '../../shared/problem.ts'
import type { RouterName } from '../../shared/router-ability.ts'
import { formatWeight } from '../../shared/weight.ts'
import { servingRouters } from '../router-in.ts'
import type { ServiceState } from '../state.ts'

type State = Pick<ServiceState, 'traffic' | 'rollout' | 'settings' | 'sets' | 'troubles'>

/** What each of several routers shows, one sentence each: a difference is told with its router. */
export const severalRouters = (state: State): string[] =>
  servingRouters(state.traffic).map((router) => sentenceOf(state, router))

function sentenceOf(state: State, router: RouterName): string {
  const who = `${routerTitle(router)}${addressOf(state, router)}`
  const shown = state.traffic.shown.find((one) => one.router === router)
  const trouble = troubleOf(state, router)
  const why = trouble === null ? '' : `: ${trouble.message}`
  if (shown === undefined) return `${who} has not been read yet${why}`
  const has = sharesText(state, shown.weights)
  if (!shown.took) return `${who} does not show the decided shares, but ${has}${why}`
  return trouble === null ? `${who} shows ${has}` : `${who} showed ${has} when it was read last${why}`
}

function addressOf({ rollout, settings }: State, router: RouterName): string {
  const inForce = rollout?.phase.kind === 'running' ? rollout.settings : settings
  const listen = inForce === null ? null : (servingOf(inForce, router)?.listen ?? null)
  return listen === null ? '' : ` at ${listen.host}:${listen.port}`
}

/** Of reading it, or of telling it: what is of the first router has no name at its end. */
function troubleOf({ traffic, troubles }: State, router: RouterName): Problem | null {
  const end = router === traffic.router ? '' : ` ${router}`
  const found = Object.entries(troubles).find(
    ([part]) =>
      part === `router${end}` ||
      (part.startsWith('effect set-routes ') && part === `${part.split(' ', 3).join(' ')}${end}`),
  )
  return found?.[1] ?? null
}

function sharesText({ sets }: State, weights: Record<string, number>): string {
  const nameOf = (release: string): string => sets.find((set) => set.release === release)?.version ?? release
  const shares = Object.entries(weights).filter(([, weight]) => weight > 0)
  return (
    shares.map(([release, weight]) => `${nameOf(release)} ${formatWeight(weight)}`).join(', ') || 'nothing'
  )
}

/** `the router confirms the weights`; of several those are named that have yet to. */
export function confirmText({ traffic }: Pick<ServiceState, 'traffic'>, what: string): string {
  if (traffic.also.length === 0) return `the router confirms ${what}`
  const took = traffic.shown.filter((one) => one.took).map(({ router }) => router)
  const awaited = servingRouters(traffic).filter((router) => !took.includes(router))
  const names = (awaited.length === 0 ? servingRouters(traffic) : awaited).map(routerTitle)
  return `${names.join(' and ')} ${names.length === 1 ? 'confirms' : 'confirm'} ${what}`
}
