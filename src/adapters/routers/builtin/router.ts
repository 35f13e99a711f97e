import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { RouterState } from '../../../core/shared/router-state.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import type { Router } from '../../../ports/router.ts'
import { ControlClient } from './control-client.ts'

export type BuiltinRouterOptions = {
  /** Control socket of the proxy (at most 107 bytes). */
  socket: string
  /** Starts the proxy detached from this process; resolves when it was spawned. */
  startProxy: () => Promise<void>
}

/** From spawn to the first answer; measured about 0.4 s, on a busy machine more. */
const START_DEADLINE_MS = 5_000
const POLL_MS = 25

/** The router that talks to the built-in data plane. */
export function createBuiltinRouter({ socket, startProxy }: BuiltinRouterOptions): Router {
  const control = new ControlClient(socket)
  let starting: Promise<Result<void>> | null = null
  const start = async (): Promise<Result<void>> => {
    try {
      await startProxy()
    } catch (error) {
      return failed(control.unreachable(`it could not be started: ${String(error)}`))
    }
    return await waitUntilAlive(control)
  }
  return {
    kind: 'builtin',
    async reconcile() {
      if ((await control.call({ method: 'GET', path: '/livez' })).kind === 'ok') return ok(undefined)
      // Two callers at once must not start two proxies.
      starting ??= start().finally(() => {
        starting = null
      })
      return await starting
    },
    setRoutes: (routes) => setRoutes(control, routes),
    readState: (service) => readState(control, service),
    finalize: (request) => finalize(control, request),
  }
}

async function waitUntilAlive(control: ControlClient): Promise<Result<void>> {
  const end = performance.now() + START_DEADLINE_MS
  while (performance.now() < end) {
    if ((await control.call({ method: 'GET', path: '/livez' })).kind === 'ok') return ok(undefined)
    await pause(POLL_MS)
  }
  return failed(control.unreachable(`no answer within ${START_DEADLINE_MS} ms after its start`))
}

async function setRoutes(control: ControlClient, routes: ServiceRoutes): Promise<Result<void>> {
  const result = await control.call({ method: 'PUT', path: `${pathOf(routes.service)}/routes`, body: routes })
  return result.kind === 'ok' ? ok(undefined) : result
}

async function readState(control: ControlClient, service: string): Promise<Result<RouterState>> {
  const result = await control.call({ method: 'GET', path: `${pathOf(service)}/state` })
  if (result.kind === 'failed') return result
  const state = RouterState.safeParse(result.value)
  return state.success ? ok(state.data) : failed(notUnderstood(state.error.message))
}

async function finalize(
  control: ControlClient,
  { token, service }: { token: FencingToken; service: string },
): Promise<Result<void>> {
  const query = new URLSearchParams({ epoch: `${token.epoch}`, sequence: `${token.sequence}` })
  if (token.rollout !== null) query.set('rollout', token.rollout)
  const result = await control.call({ method: 'DELETE', path: `${pathOf(service)}?${query}` })
  return result.kind === 'ok' ? ok(undefined) : result
}

const pathOf = (service: string): string => `/services/${encodeURIComponent(service)}`

const notUnderstood = (cause: string) =>
  problem('ROUTER_ANSWER_INVALID', {
    message: 'The built-in proxy answered something that this version does not understand.',
    cause,
    remedy: 'Restart the proxy with the same version as the controller.',
  })
