import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import { WAS_CLOSING } from './closing.ts'
import type { Names } from './names.ts'
import { accessLog } from './request-log.ts'

/** An instance is asked for the path as it came: what nginx goes by inside may be another one, and is decoded and put in order. */
export const passTo = (target: string): string => `        proxy_pass http://${target}$request_uri;`

/** Releases with a share of the traffic. Each has a format of its own for the log, with the name of its upstream. */
export const inShare = ({ sets }: ServiceRoutes): RouteSet[] =>
  sets.filter((set) => set.weightPermille > 0 && hasActive(set))

/** `probes`: what a location says of probes. */
type Own = { names: Names; probes: readonly string[] }

/**
 * The same where nobody put another path in the place of the one that came: nginx passes that on by itself. So a release
 * with a share of the traffic stands there by its name, for its instances and for the log. One that variables name is
 * looked for with each request, for both, which costs nginx a twelfth. It goes by the last block whose condition is true.
 */
export function passAsItCame(routes: ServiceRoutes, { names, probes }: Own): string[] {
  const target = names.variable('target')
  return [
    ...inShare(routes).flatMap(({ release }) => {
      const upstream = names.upstream(release)
      return [
        `        if (${target} = ${upstream}) {`,
        `        ${accessLog(upstream)}`,
        `            proxy_pass http://${upstream};`,
        '        }',
      ]
    }),
    `        if (${WAS_CLOSING}) { ${passTo(target).trim()} }`,
    ...(routes.probeKey === ''
      ? []
      : [`        if (${names.variable('probe')}) {`, ...probes, passTo(target), '        }']),
    passTo(target),
  ]
}
