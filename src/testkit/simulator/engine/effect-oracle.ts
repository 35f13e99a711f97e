import { limitsOf, lingers } from '../../../core/rollout/batches/planned.ts'
import type { MetricAnswer } from '../../../core/rollout/observation.ts'
import { servingRouters, toldTo } from '../../../core/rollout/router-in.ts'
import type { Observation } from '../../../core/shared/observation.ts'
import type { Result } from '../../../core/shared/result.ts'
import type { RouterName } from '../../../core/shared/router-ability.ts'
import type { RouterState } from '../../../core/shared/router-state.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { SetRequest } from '../../../core/shared/set-spec.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import { compareTokens } from '../../../core/shared/token.ts'
import type { Book } from './book.ts'
import { routesKey } from './book.ts'
import type { Journal } from './journal.ts'
import { answerKey } from './journal-rules.ts'
import type { Life } from './life.ts'
import { letsGoInTime } from './move-rules.ts'
import type { Planes } from './planes.ts'
import { weightsOf } from './router.ts'
import type { SimulatedTarget } from './target.ts'

export type Acting = 'router' | 'target' | `router ${RouterName}`
/** The part that a router is: the built-in one has no other name. */
export const partOf = (name: RouterName): Acting => (name === 'builtin' ? 'router' : `router ${name}`)
type Stop = { token: FencingToken; service: string; release: string }

/** Watches every call that changes the world, where it begins and where it takes effect. */
export type EffectOracle = {
  /** A controller begins a call: may it? */
  begins(life: Life, part: Acting, request: { service: string; token: FencingToken }): void
  routes(router: RouterName, routes: ServiceRoutes, act: () => Result<void>): Result<void>
  finalizes(router: RouterName, service: string, act: () => Result<void>): Result<void>
  starts(request: SetRequest, act: () => Result<void>): Result<void>
  stops(request: Stop, act: () => Result<void>): Result<void>
  looked<T extends RouterState | Observation>(
    life: Life,
    part: Acting,
    service: string,
    answer: Result<T>,
  ): Result<T>
  measured(router: RouterName, service: string, answer: MetricAnswer): MetricAnswer
  /** The router lost its disk: what it had seen is forgotten, here, too. */
  forget(router: RouterName): void
  /** Calls that changed something, or would have. */
  writes(): number
}

export type OracleParts = {
  now: () => number
  journal: Journal
  planes: Planes
  target: SimulatedTarget
  violate(what: string): void
}

export function createEffectOracle({ now, journal, planes, target, violate }: OracleParts): EffectOracle {
  const highest = new Map<string, FencingToken>()
  const looks = new Map<string, number>()
  const foreign = new Map<string, { what: string; after: number; looks: number }>()
  let writes = 0

  /** What a part let pass, it must have been right to let pass. */
  function passed(part: Acting, service: string, token: FencingToken): void {
    const key = `${part} ${service}`
    const known = highest.get(key)
    if (known !== undefined && compareTokens(token, known) < 0)
      violate(`INV10: the ${part} obeyed ${show(token)} after ${show(known)}`)
    highest.set(key, token)
  }

  function begins(
    life: Life,
    part: Acting,
    { service, token }: { service: string; token: FencingToken },
  ): void {
    writes += 1
    const what = `${life.name} acts on the ${part} of ${service}`
    if (!journal.epochsOf(life, service).has(token.epoch))
      violate(`INV10: ${what} under epoch ${token.epoch}, which it never had`)
    if (
      !isMovedTo(part, service, token.epoch) &&
      looks.get(`${life.name} ${part} ${service}`) !== token.epoch
    )
      violate(`${what} under epoch ${token.epoch} before it looked`)
    if (now() > journal.leaseUntil(life, service)) violate(`INV10: ${what} after its lease ran out`)
  }

  /** A service comes to a router that has nothing of it but what this owner told it: there is nothing that a look could show. */
  function isMovedTo(part: Acting, service: string, epoch: number): boolean {
    const plane = planes.all.find(({ name }) => partOf(name) === part)
    const { router, also } = journal.book(service).state.traffic
    const isTheOne = plane?.name === router && also.length === 0
    const routes = plane?.router.entry(service).routes ?? null
    return isTheOne && (routes === null || routes.token.epoch === epoch)
  }

  function routesFit(router: RouterName, routes: ServiceRoutes): void {
    const { sets, token, service } = routes
    const book = journal.book(service)
    const decided = book.routes.get(token.sequence)
    const key = routesKey(sets, routes)
    if (key !== (router === decided?.router ? decided.first : decided?.besides))
      violate(`the router got routes under ${show(token)} that were never decided`)
    const sum = sets.reduce((total, { weightPermille }) => total + weightPermille, 0)
    if (sets.length > 0 && sum !== (routes.closed === null ? 1000 : 0))
      violate(`INV1: weights in force add up to ${sum}`)
    for (const { release, weightPermille, instances } of sets)
      if (weightPermille > 0 && !instances.some(({ id, state }) => state === 'active' && target.wasReady(id)))
        violate(`INV2: ${release} got ${weightPermille} per mille and was never ready`)
  }

  function stopFits(book: Book, { token, release, service }: Stop): void {
    if (book.state.stable?.release === release) violate(`INV4: the stable set ${release} is stopped`)
    const asked = book.events.findLast(
      ({ event }) =>
        (event.kind === 'set-stopping' || event.kind === 'set-wanted') && event.release === release,
    )?.event
    // A copy that was under way when the set was wanted again finds only what the first one left: nobody told the target yet.
    const isLate = asked?.kind === 'set-wanted' && token.sequence < asked.sequence
    if (asked?.kind !== 'set-stopping' && !isLate) violate(`${release} is stopped, and nobody decided that`)
    for (const { name, router } of planes.all) {
      const entry = router.entry(service)
      const share = entry.sets.find((set) => set.release === release)?.weightPermille ?? 0
      const isOurs = !entry.isTouched && token.epoch === book.epoch
      const busy = [...entry.drains].find(([, drain]) => drain.release === release && drain.until > now())
      if (isOurs && busy !== undefined)
        violate(`INV3: ${release} is stopped, and ${busy[0]} still has requests at ${name}`)
      if (isOurs && share > 0) violate(`INV3: ${release} is stopped with ${share} per mille at ${name}`)
    }
  }

  /** Who is stopped by name was decided to leave and takes no requests; and no more run than the batches allow. */
  function batchFits(book: Book, { token, without = [], spec }: SetRequest): void {
    const decided = book.events.flatMap(({ event }) =>
      event.kind === 'instances-dismissed' && event.release === spec.release ? event.instances : [],
    )
    const entries = planes.all.map(({ router }) => router.entry(spec.service))
    const isOurs = entries.every(({ isTouched }) => !isTouched) && token.epoch === book.epoch
    const active = entries
      .flatMap(({ sets }) => sets.flatMap(({ instances }) => instances))
      .filter(({ state }) => state === 'active')
    // A release that is wanted again while its set still stops: those were told to stop with their set.
    const wasStopped = book.events.some(
      ({ event }) => event.kind === 'set-stopping' && event.release === spec.release,
    )
    for (const id of without) {
      if (!decided.includes(id) && !wasStopped) violate(`${id} is stopped, and nobody decided that`)
      if (isOurs && active.some((one) => one.id === id)) violate(`INV3: ${id} is stopped and takes requests`)
    }
    const { rollout } = book.state
    const limits = rollout?.phase.kind === 'running' ? limitsOf(book.state, rollout) : null
    const parties = [book.state.stable?.release, rollout?.plan.to.release]
    const running = target
      .instances(spec.service)
      .filter(
        ({ release, state }) =>
          parties.includes(release) &&
          state !== 'gone' &&
          (state !== 'stopping' || (rollout !== null && !lingers(book.state, rollout, { release }))),
      )
    if (limits !== null && isOurs && running.length > limits.most)
      violate(`INV5: ${running.length} instances of ${spec.service} run, ${limits.most} may`)
  }

  /** While nobody is served since one version stops before the other starts, nothing else truly runs when instances are asked for. */
  function apartFits(book: Book, { replicas, spec }: SetRequest): void {
    if (book.state.traffic.closed === null) return
    const running = target.instances(spec.service).filter(({ state }) => state !== 'gone')
    const own = running.filter(({ release, state }) => release === spec.release && state !== 'stopping')
    const other = running.find(({ release }) => release !== spec.release)
    if (other !== undefined && own.length < replicas)
      violate(`${spec.release} is started while ${other.id} runs`)
  }

  /** What the owner saw at its last look, and decided after, must speak of weights that are not ours. */
  function driftIsNoticed(book: Book, router: RouterName, { token, sets }: RouterState): void {
    const { state, stream, events } = book
    const weights = JSON.stringify(weightsOf(sets))
    const isOurs =
      servingRouters(state.traffic).includes(router) &&
      token?.epoch === state.epoch &&
      token.sequence === toldTo(state.traffic, router)
    const isForeign = isOurs && weights !== JSON.stringify(weightsOf(state.traffic.routes))
    const place = `${stream} ${router}`
    const before = foreign.get(place)
    foreign.delete(place)
    if (!isForeign || state.drift?.held === true) return
    const what = `${show(token)} ${weights}`
    const first = before?.what === what ? before : { what, after: events.length, looks: 0 }
    foreign.set(place, { ...first, looks: first.looks + 1 })
    const decided = events.slice(first.after).map(({ event }) => event.kind)
    const isSaid = decided.includes('routes-drifted') || decided.includes('routes-decided')
    if (first.looks > 1 && decided.includes('metrics-observed') && !isSaid)
      violate(
        `INV7: weights that are not ours were seen ${first.looks + 1} times, and nobody says so: ${weights}`,
      )
  }

  return {
    begins,
    writes: () => writes,
    routes: (router, routes, act) => {
      const result = act()
      if (result.kind === 'failed') return result
      passed(partOf(router), routes.service, routes.token)
      routesFit(router, routes)
      return result
    },
    finalizes: (router, service, act) => {
      const result = act()
      const broken = result.kind === 'ok' ? letsGoInTime(journal.book(service), router) : null
      if (broken !== null) violate(broken)
      return result
    },
    starts: (request, act) => {
      const { service, release } = request.spec
      const result = act()
      if (result.kind === 'failed') return result
      passed('target', service, request.token)
      batchFits(journal.book(service), request)
      apartFits(journal.book(service), request)
      const wanted = journal
        .book(service)
        .events.some(
          ({ event }) =>
            (event.kind === 'set-wanted' || event.kind === 'set-shrunk') &&
            event.release === release &&
            event.replicas === request.replicas,
        )
      if (!wanted) violate(`${request.replicas} of ${release} are started, and nobody decided that`)
      return result
    },
    stops: (request, act) => {
      const book = journal.book(request.service)
      const result = act()
      if (result.kind === 'failed') return result
      passed('target', request.service, request.token)
      stopFits(book, request)
      return result
    },
    looked: (life, part, service, answer) => {
      const given = [...journal.epochsOf(life, service)]
      looks.set(`${life.name} ${part} ${service}`, Math.max(0, ...given))
      if (answer.kind === 'ok' && 'sets' in answer.value && answer.value.token !== null) {
        const router = planes.all.find(({ name }) => partOf(name) === part)?.name ?? 'builtin'
        const book = journal.book(service)
        driftIsNoticed(book, router, answer.value)
        book.routerAnswers.add(answerKey(router, answer.value.token, weightsOf(answer.value.sets)))
      }
      return answer
    },
    measured: (router, service, answer) => {
      if (answer.kind === 'samples') journal.book(service).measuredAt.set(router, now())
      return answer
    },
    forget: (router) => {
      for (const key of highest.keys())
        if (key.slice(0, key.lastIndexOf(' ')) === partOf(router)) highest.delete(key)
    },
  }
}

const show = ({ epoch, sequence }: FencingToken): string => `${epoch}.${sequence}`
