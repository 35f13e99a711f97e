import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { hasActive } from '../../../core/shared/routes.ts'
import { WAS_CLOSING } from './closing.ts'
import type { Names } from './names.ts'

/** An instance is asked for the path as it came: what nginx goes by inside may be another one, and is decoded and put in order. */
export const passTo = (target: string): string => `        proxy_pass http://${target}$request_uri;`

/**
 * The same where nobody put another path in the place of the one that came: nginx passes that on by itself. So a release
 * with a share of the traffic stands there by its name, which nginx knows; one that a variable names is looked for with
 * each request, which costs it a twentieth.
 */
export const passAsItCame = ({ sets }: ServiceRoutes, names: Names): string[] => {
  const target = names.variable('target')
  const shared = sets.filter((set) => set.weightPermille > 0 && hasActive(set))
  return [
    ...shared
      .map(({ release }) => names.upstream(release))
      .map((upstream) => `        if (${target} = ${upstream}) { proxy_pass http://${upstream}; }`),
    `        if (${WAS_CLOSING}) { ${passTo(target).trim()} }`,
    passTo(target),
  ]
}
