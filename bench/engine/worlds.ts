import type { Result } from '../../src/core/shared/result.ts'
import type { Router } from '../../src/ports/router.ts'
import type { Target } from '../../src/ports/target.ts'
import { FakeRouter } from '../../src/testkit/fakes/router.ts'
import { createTargetFake, type TargetFake } from '../../src/testkit/fakes/target.ts'

export type World = { target: TargetFake; router: FakeRouter }
export type Worlds = { target: Target; router: Router; of(stream: string): World }

/**
 * A fake target and a fake router for each stream, so that a look costs the same however many streams there are. They keep
 * a list of all calls, which is thrown away after each call unless it is wanted.
 */
export function createWorlds({ keepCalls = false }: { keepCalls?: boolean } = {}): Worlds {
  const worlds = new Map<string, World>()
  const of = (stream: string): World => {
    const world = worlds.get(stream) ?? { target: createTargetFake(), router: new FakeRouter() }
    worlds.set(stream, world)
    return world
  }
  const over = async <T>(stream: string, ask: (world: World) => Promise<Result<T>>): Promise<Result<T>> => {
    const world = of(stream)
    const answer = await ask(world)
    if (!keepCalls) {
      world.target.calls.length = 0
      world.router.writes.length = 0
    }
    return answer
  }
  return { of, router: routerOver(over), target: targetOver(over) }
}

type Over = <T>(stream: string, ask: (world: World) => Promise<Result<T>>) => Promise<Result<T>>

const routerOver = (over: Over): Router => ({
  kind: 'fake',
  reconcile: () => over('', ({ router }) => router.reconcile()),
  setRoutes: (routes) => over(routes.service, ({ router }) => router.setRoutes(routes)),
  readState: (service) => over(service, ({ router }) => router.readState(service)),
  finalize: (request) => over(request.service, ({ router }) => router.finalize(request)),
})

const targetOver = (over: Over): Target => ({
  kind: 'fake',
  reconcile: () => over('', ({ target }) => target.target.reconcile()),
  resolve: (request) => over('', ({ target }) => target.target.resolve(request)),
  start: (request) => over(request.spec.service, ({ target }) => target.target.start(request)),
  observe: (service) => over(service, ({ target }) => target.target.observe(service)),
  quiesce: (request) => over(request.service, ({ target }) => target.target.quiesce(request)),
  stop: (request) => over(request.service, ({ target }) => target.target.stop(request)),
  adopt: (request) => over(request.service, ({ target }) => target.target.adopt(request)),
  release: (request) => over(request.service, ({ target }) => target.target.release(request)),
  logs: (request) => over(request.service, ({ target }) => target.target.logs(request)),
  secretVersions: (names) => over('', ({ target }) => target.target.secretVersions(names)),
  prune: (keep) => over('', ({ target }) => target.target.prune(keep)),
})
