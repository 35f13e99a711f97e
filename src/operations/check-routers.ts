import * as z from 'zod'
import { routerLacks, routerNeeds, routerText } from '../core/plan/router/router-fit.ts'
import { servingsOf } from '../core/release/servings.ts'
import { isWorker } from '../core/release/worker.ts'
import { ok } from '../core/shared/result.ts'
import { RouterAbilities, RouterName } from '../core/shared/router-ability.ts'
import { operationOf } from './context.ts'

/** One service of the file and the router that it names. */
const ServiceFit = z.object({
  service: z.string(),
  environment: z.string(),
  router: RouterName,
  /** As people say it, with its version and how it was chosen. */
  text: z.string(),
  /** Keys of the file that ask something of the router. */
  needs: z.array(z.string()),
  /** Why it cannot serve this file, each a whole sentence; none where it can. */
  lacks: z.array(z.string()),
})
export const RoutersOutput = z.object({ routers: z.array(RouterAbilities), services: z.array(ServiceFit) })

export const checkRouters = operationOf({
  name: 'check_routers',
  summary: 'What each router can and cannot do on this machine, and whether it can serve what the file asks.',
  input: z.strictObject({
    service: z.string().exactOptional().describe('Only this service of the file.'),
    environment: z.string().default('local').describe('Environment; `local` when none is named.'),
  }),
  output: RoutersOutput,
  permission: 'read',
  run: async ({ abilitiesOf, loadSettings }, { service, environment }) => {
    const settings = loadSettings(environment)
    if (settings.kind === 'failed') return settings
    const routers = await Promise.all(RouterName.options.map((name) => abilitiesOf(name)))
    const asked = settings.value.filter((one) => !isWorker(one) && (service ?? one.service) === one.service)
    const services = asked.flatMap(servingsOf).flatMap((one) => {
      const abilities = routers.find(({ router }) => router === one.router)
      if (abilities === undefined) return []
      const problem = abilities.problem === null ? [] : [abilities.problem.message]
      return [
        {
          service: one.service,
          environment: one.environment,
          router: one.router,
          text: routerText(abilities, one.routerFound === true),
          needs: routerNeeds(one).map(({ key }) => key),
          lacks: [...problem, ...routerLacks(one, abilities)],
        },
      ]
    })
    return ok({ routers, services })
  },
})
