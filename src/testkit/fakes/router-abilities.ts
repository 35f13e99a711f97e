import { RouterAbilities, RouterFeature, type RouterName } from '../../core/shared/router-ability.ts'

/** A router that can do everything but what is named here, each with a reason. */
export const abilitiesFake = (
  router: RouterName = 'builtin',
  cannot: Partial<Record<RouterFeature, string>> = {},
): RouterAbilities =>
  RouterAbilities.parse({
    router,
    version: '1.0.0',
    problem: null,
    features: Object.fromEntries(
      RouterFeature.options.map((feature) => {
        const why = cannot[feature]
        return [feature, why === undefined ? { can: true } : { can: false, why }]
      }),
    ),
    notes: [],
  })
