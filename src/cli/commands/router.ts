import * as z from 'zod'
import { routerTitle } from '../../core/plan/router/router-fit.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import type { ProxyWorkers } from '../../core/shared/proxy-workers.ts'
import { type RouterAbilities, RouterFeature } from '../../core/shared/router-ability.ts'
import { RoutersAnswer, UpgradeAnswer } from '../answers.ts'
import type { Client } from '../client.ts'
import { defineCommand, ProxyWorkersArgument } from '../command.ts'
import { connectStarting } from '../controller/connect.ts'
import { labelledText } from '../frame/label.ts'
import { columnsOf, environmentInput, type Session } from '../session.ts'
import { type Line, span, strong } from '../text/line.ts'
import { upgradeLine } from '../text/proxy.ts'
import { type Cell, table } from '../text/table.ts'

export const command = defineCommand({
  description:
    'check: what the built-in proxy, HAProxy and nginx can and cannot do on this machine, and whether the router of each service can do what sluice.yaml asks of it. Changes nothing. Ends with 0 when every service fits its router, 13 when one does not. upgrade: the installed program of the built-in proxy takes the place of the one that runs, without a lost request; when it cannot, the old one serves on.',
  arguments: [
    { name: 'action', summary: 'what to do', required: true, choices: ['check', 'upgrade'] },
    { name: 'service', summary: 'check: only this service', required: false },
  ],
  options: [
    {
      flags: '--proxy-workers <number>',
      summary: 'upgrade: so many processes serve together from now on; auto for one on each core',
    },
  ],
  examples: [
    'sluice router check',
    'sluice router check shop --env production',
    'sluice router upgrade',
    'sluice router upgrade --proxy-workers auto',
  ],
  input: z.object({
    action: z.enum(['check', 'upgrade']),
    service: z.string().min(1).exactOptional(),
    proxyWorkers: ProxyWorkersArgument.exactOptional(),
  }),
  async run(session, { action, service, proxyWorkers }) {
    if (action === 'check' && proxyWorkers !== undefined) return session.fail(onlyForUpgrade())
    const connection = await connectStarting(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const { client } = connection.value
    switch (action) {
      case 'check':
        return await check(session, client, service)
      case 'upgrade':
        return await upgrade(session, client, { service, workers: proxyWorkers })
    }
  },
})

async function check(session: Session, client: Client, service: string | undefined): Promise<number> {
  const answer = await client.call(
    'check_routers',
    { ...environmentInput(session), ...(service === undefined ? {} : { service }) },
    RoutersAnswer,
  )
  if (answer.kind === 'failed') return session.fail(answer.problem)
  const { routers, services } = answer.value
  session.value('routers', answer.value)
  const columns = columnsOf(session)
  const isMisfit = services.some(({ lacks }) => lacks.length > 0)
  session.say([
    ...services.flatMap((one) => fitLines(one, columns)),
    ...(isMisfit ? [WAY_OUT] : []),
    ...(services.length === 0 ? [] : [[]]),
    ...abilityLines(routers),
    [],
    ...routers.flatMap((router) => detailLines(router, columns)),
  ])
  return isMisfit ? EXIT_CODE.refused : EXIT_CODE.promoted
}

type Upgrade = { service: string | undefined; workers: ProxyWorkers | undefined }

async function upgrade(session: Session, client: Client, { service, workers }: Upgrade): Promise<number> {
  if (service !== undefined) return session.fail(oneProxy(service))
  session.note('Starting the installed proxy beside the one that serves ...')
  const answer = await client.call('upgrade_router', workers === undefined ? {} : { workers }, UpgradeAnswer)
  if (answer.kind === 'failed') return session.fail(answer.problem)
  session.value('upgrade', answer.value)
  session.say([upgradeLine(answer.value)])
  return EXIT_CODE.promoted
}

const onlyForUpgrade = (): Problem =>
  problem('USAGE', {
    message: '--proxy-workers is for an upgrade: a check changes nothing.',
    remedy: 'Run `sluice router upgrade` with it.',
  })

const oneProxy = (service: string): Problem =>
  problem('PROXY_SERVES_ALL', {
    message: `One proxy serves all services of this folder, so it cannot be upgraded for ${service} alone.`,
    remedy: 'Run `sluice router upgrade` without a service.',
  })

type ServiceFit = z.infer<typeof RoutersAnswer>['services'][number]

function fitLines({ service, environment, text, needs, lacks }: ServiceFit, columns: number): Line[] {
  const isFit = lacks.length === 0
  const asks = needs.length === 0 ? 'weights and drains' : needs.join(', ')
  return [
    [
      isFit ? span('✓ ', 'good') : span('✗ ', 'bad'),
      strong(`${service} in ${environment}`),
      span(`: ${text}`),
    ],
    ...labelledText('asks for', asks, { columns }),
    ...lacks.flatMap((lack, index) =>
      labelledText(index === 0 ? 'cannot' : '', lack, { columns, look: 'attention' }),
    ),
  ]
}

const WAY_OUT: Line = [
  span('What another router cannot do, the built-in proxy can: write router: builtin for the service.'),
]

/** In words people use for what the file can ask. */
const FEATURE_TEXT: Record<RouterFeature, string> = {
  rules: 'requests by header or cookie',
  sticky: 'users keep their version',
  variants: 'A/B tests',
  preview: 'a preview address',
  mirror: 'copies of requests (shadow)',
  'compare-bodies': 'answers of the shadow compared by body',
  'slow-start': 'slow start of instances',
  closed: 'closed for a declared time (recreate)',
  revert: 'back to stable without a controller',
  tls: 'TLS',
  hosts: 'several services on one address',
  ejection: 'failing instances are left out',
  limits: 'limits of body and of requests at the same time',
  rate: 'limits of requests a second',
  'fine-rate': 'limits at any rate',
  'limited-copies': 'requests at the same time limited beside a shadow',
  'access-log': 'a line for each request',
}

function abilityLines(routers: readonly RouterAbilities[]): Line[] {
  const rows = RouterFeature.options.map((feature): Cell[] => [
    FEATURE_TEXT[feature],
    ...routers.map(
      ({ features }): Cell =>
        features[feature].can ? { text: 'yes', look: 'good' } : { text: 'no', look: 'quiet' },
    ),
  ])
  return table([{ title: 'can do' }, ...routers.map(({ router }) => ({ title: router }))], rows)
}

function detailLines(
  { router, version, problem, features, notes }: RouterAbilities,
  columns: number,
): Line[] {
  const name = `${routerTitle(router)}${version === null ? '' : ` ${version}`}`
  const reasons = RouterFeature.options.flatMap((feature) => {
    const ability = features[feature]
    return ability.can ? [] : [`✗ ${FEATURE_TEXT[feature]}: ${ability.why}`]
  })
  const differences = RouterFeature.options.flatMap((feature) => {
    const ability = features[feature]
    return ability.can && ability.note !== undefined ? [`${FEATURE_TEXT[feature]}: ${ability.note}`] : []
  })
  const why =
    problem === null ? [...notes, ...differences, ...reasons] : [`${problem.message} ${problem.remedy}`]
  return [
    [strong(name.replace(/^the/, 'The'))],
    ...why.flatMap((text) =>
      labelledText('', text, { columns, look: problem === null ? 'quiet' : 'attention' }),
    ),
    [],
  ]
}
