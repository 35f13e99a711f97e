import { type Problem, problem } from '../../../core/shared/problem.ts'
import type { Ability, RouterAbilities, RouterFeature } from '../../../core/shared/router-ability.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { inheritedFrom, runProgram } from '../../tools/run-program.ts'
import { whyNotKey } from './kept-pair.ts'
import { FINE_RATE, LIMITED_COPIES, whyNotLimits } from './limits.ts'
import { notInstalled } from './program.ts'
import { whyNotHeader, whyNotUsers } from './users.ts'

const VERSION_DEADLINE_MS = 5_000
/** Older ones cannot be told where to log before they read their configuration (`-e`). */
const OLDEST = [1, 19, 5] as const

const can: Ability = { can: true }
const cannot = (why: string): Ability => ({ can: false, why })

const FEATURES: Record<RouterFeature, Ability> = {
  rules: can,
  sticky: can,
  preview: can,
  closed: can,
  variants: can,
  mirror: {
    can: true,
    note: 'Each copied request is answered with "connection: close", because nginx holds a connection until the copy of its last request is over: nobody waits for the shadow, and its clients connect again. Copies are timed to the head of their answers.',
  },
  'compare-bodies': cannot(
    'nginx throws away the bodies of shadow answers: it can compare their status and latency only.',
  ),
  'slow-start': cannot('Only the paid edition of nginx gives a new instance its share little by little.'),
  revert: cannot('nginx does not notice that no controller speaks to it: it holds the last weights.'),
  ejection: cannot(
    'nginx leaves an instance out for a second that takes no connection, and looks at no answers.',
  ),
  limits: can,
  rate: {
    can: true,
    note: 'Behind nginx, Retry-After of a rate below one a second is the longest that the next request may have to wait.',
  },
  'fine-rate': cannot(FINE_RATE),
  'limited-copies': cannot(LIMITED_COPIES),
  hosts: can,
  tls: {
    can: true,
    note: 'nginx reads the private key with each change: while the file of a key does not fit the certificate in use, nginx takes no change of any service.',
  },
  'access-log': cannot('Sluice reads the log of nginx to count and keeps no line for each request.'),
}

const NOTES = [
  'A share is drawn for each request: exact at 0% and 100%, and between them as close as chance allows (10% of 10,000 requests are 1,000 within 90).',
  'A change is a reload, usually in force within 0.7 seconds. For 300 ms before it answers close their connections; one that has been idle for longer is closed by the reload, and a client that uses it in that moment may see a reset.',
  'A change of one service closes the kept connections of all, and their WebSockets have their own drain limit from then on: nginx ends old workers as a whole.',
  'A WebSocket or an event stream is counted when it ends.',
  'A WebSocket that outlives the drain limit is cut without a close frame, since nginx does not speak WebSocket: its client sees 1006 and has to connect again by itself.',
  'Counters come from log lines; what is lost of them is counted, and a window that lost more than 1% is not judged.',
]

export async function abilitiesOf(binary: string | null): Promise<RouterAbilities> {
  const { said, ...asked } = await ask(binary)
  return { router: 'nginx', features: { ...FEATURES, ...missingIn(said) }, notes: NOTES, ...asked }
}

/** What this build of nginx was made without, as it says itself. */
function missingIn(said: string): Partial<Record<RouterFeature, Ability>> {
  const without = (module: string): Ability => cannot(`This nginx was built without ${module}.`)
  const isWithout = (module: string): boolean => said.includes(`--without-${module}`)
  return {
    ...(said === '' || said.includes('--with-http_ssl_module') ? {} : { tls: without('http_ssl_module') }),
    ...(isWithout('http_limit_conn_module') ? { limits: without('http_limit_conn_module') } : {}),
    ...(isWithout('http_limit_req_module') ? { rate: without('http_limit_req_module') } : {}),
  }
}

type Asked = { version: string | null; problem: Problem | null; said: string }

async function ask(binary: string | null): Promise<Asked> {
  if (binary === null) return { version: null, problem: notInstalled(), said: '' }
  if (process.platform !== 'linux')
    return {
      version: null,
      said: '',
      problem: unusable(`It runs on ${process.platform}, where its workers cannot be watched.`),
    }
  const ending = await runProgram({
    program: binary,
    args: ['-V'],
    env: inheritedFrom(process.env),
    timeoutMs: VERSION_DEADLINE_MS,
  })
  const said = ending.kind === 'exited' ? ending.errors : ''
  const version = /nginx\/(\d+(?:\.\d+)+)/.exec(said)?.[1] ?? null
  return { version, said, problem: problemOf(version, { binary, said }) }
}

function problemOf(
  version: string | null,
  { binary, said }: { binary: string; said: string },
): Problem | null {
  if (version === null) return unusable(`${binary} -V does not say its version.`)
  if (isOlder(version)) return unusable(`It is older than ${OLDEST.join('.')}.`)
  return said.includes('--with-http_stub_status_module')
    ? null
    : unusable('It was built without http_stub_status_module, so lost log lines would go unseen.')
}

function isOlder(version: string): boolean {
  const numbers = version.split('.').map(Number)
  for (const [at, oldest] of OLDEST.entries()) {
    const number = numbers[at] ?? 0
    if (number !== oldest) return number < oldest
  }
  return false
}

const unusable = (cause: string): Problem =>
  problem('ROUTER_CANNOT', {
    message: 'This nginx cannot be used as a router.',
    cause,
    remedy: 'Install nginx 1.19.5 or later as your distribution packages it, or write "router: builtin".',
  })

/** What these routes ask for that nginx cannot do; `null` when it can do all of it. */
export function refusalOf(routes: ServiceRoutes): Problem | null {
  const asked: [RouterFeature, boolean][] = [
    ['compare-bodies', routes.mirror !== null && routes.mirror.bodies.kind !== 'off'],
    ['slow-start', routes.slowStartMs > 0],
    ['ejection', routes.outlier !== undefined],
    ['access-log', routes.accessLog !== undefined],
    ['revert', routes.onControllerLoss.kind === 'revert'],
  ]
  for (const [feature, isAsked] of asked) {
    const ability = FEATURES[feature]
    if (isAsked && !ability.can) return cannotDo(routes.service, ability.why)
  }
  const strange = hostsIn(routes).find((host) => !HOST.test(host))
  if (strange !== undefined)
    return cannotDo(routes.service, `${JSON.stringify(strange)} is not the name or address of a machine.`)
  const odd = (routes.hosts ?? []).find((host) => !REQUESTED.test(host))
  if (odd !== undefined) return cannotDo(routes.service, `${JSON.stringify(odd)} is not the name of a host.`)
  const headers = routes.rules.flatMap(({ match }) => (match.in === 'header' ? [match.name] : []))
  const key = routes.tls === undefined ? null : whyNotKey(routes.tls)
  const whys = [...headers.map(whyNotHeader), whyNotUsers(routes), whyNotLimits(routes), key]
  const why = whys.find((one) => one !== null) ?? null
  return why === null ? null : cannotDo(routes.service, why)
}

/** As addresses are written; nothing that means something in a configuration. */
const HOST = /^[0-9A-Za-z._:%-]{1,253}$/

/** As the file takes them (`src/config/schema-entry.ts`). */
const REQUESTED = /^(?:(?:\*\.)?[0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])$/

const hostsIn = ({ listen, preview, sets }: ServiceRoutes): string[] => [
  listen.host,
  ...(preview === null ? [] : [preview.listen.host]),
  ...sets.flatMap(({ instances }) => instances.map(({ host }) => host)),
]

const cannotDo = (service: string, why: string): Problem =>
  problem('ROUTER_CANNOT', {
    message: `nginx cannot do what ${service} asks for. ${why}`,
    remedy: 'Leave it out, or set router: builtin. What each router can do: sluice router check.',
  })
