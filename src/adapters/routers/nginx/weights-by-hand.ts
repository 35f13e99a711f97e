import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { Names } from './names.ts'

/** The shares in a file that was changed by hand; what cannot be found in it has none. */
export function weightsIn(text: string, { service, sets }: ServiceRoutes): RouteSet[] {
  const names = new Names(service)
  const start = text.indexOf(`${names.variable('split')} {`)
  const block = start < 0 ? '' : text.slice(start, text.indexOf('}', start))
  const lines = [...block.matchAll(/^\s*(\*|[\d.]+%)\s+(\S+);/gm)]
  const shares = lines.map(([, share = '', upstream = '']) => ({ share, upstream }))
  const given = shares.reduce((sum, { share }) => sum + (share === '*' ? 0 : permilleOf(share)), 0)
  return sets.map((set) => {
    const found = shares.filter(({ upstream }) => upstream === names.upstream(set.release))
    const weight = found.reduce(
      (sum, { share }) => sum + (share === '*' ? 1_000 - given : permilleOf(share)),
      0,
    )
    return { ...set, weightPermille: Math.min(1_000, Math.max(0, weight)) }
  })
}

const permilleOf = (share: string): number => Math.round(Number.parseFloat(share) * 10)
