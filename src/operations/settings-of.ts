import { isDeepStrictEqual } from 'node:util'
import { servingsOf } from '../core/release/servings.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { streamOf } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { entryConflict, isSelective } from '../core/shared/entry.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'

/** What the file says about a stream right now. */
export function settingsOf(
  context: Pick<OperationContext, 'loadSettings'>,
  stream: string,
): Result<ServiceSettings> {
  const [service = '', environment = 'local'] = stream.split('.')
  const loaded = context.loadSettings(environment)
  if (loaded.kind === 'failed') return loaded
  const settings = loaded.value.find((one) => streamOf(one) === stream)
  if (settings !== undefined) return ok(settings)
  return failed(
    problem('SERVICE_NOT_FOUND', {
      message: `The file does not describe a service ${service} in ${environment}.`,
      remedy: `It describes: ${loaded.value.map((one) => one.service).join(', ') || 'none'}.`,
    }),
  )
}

/**
 * The settings for a release that comes after what runs. `router: auto` stays with the router that serves as long as the
 * address is the same: that another one was installed meanwhile is no reason to move.
 */
export function settingsAfter(
  context: Pick<OperationContext, 'loadSettings'>,
  { stream, settings: before, traffic }: Pick<ServiceState, 'stream' | 'settings' | 'traffic'>,
): Result<ServiceSettings> {
  const found = settingsOf(context, stream)
  if (found.kind === 'failed' || found.value.routerFound !== true || traffic.sequence === 0) return found
  const isSecond = found.value.also?.some(({ router }) => router === traffic.router) === true
  return isDeepStrictEqual(found.value.listen, before?.listen) && !isSecond
    ? ok({ ...found.value, router: traffic.router })
    : found
}

/** Two services cannot take the same requests at one address: the first one named keeps them (S7). */
export async function addressTaken(
  context: Pick<OperationContext, 'store' | 'engine'>,
  settings: ServiceSettings,
): Promise<Result<void>> {
  if (settings.listen === null) return ok(undefined)
  const streams = await context.store.streams()
  if (streams.kind === 'failed') return streams
  for (const stream of streams.value.filter((one) => one !== streamOf(settings))) {
    const other = await context.engine.load(stream)
    const theirs =
      other.kind === 'ok' && other.value.state.stable !== null ? other.value.state.settings : null
    const conflict = theirs === null ? null : firstConflict(settings, theirs)
    if (conflict === null) continue
    const { host, port, why } = conflict
    return failed(
      problem('ADDRESS_TAKEN', {
        message: `${host}:${port} belongs to ${stream} already${why === '' ? '' : `: ${why}`}.`,
        remedy: `Give ${streamOf(settings)} an address of its own ("listen" in the file), or hosts and paths that tell the two apart.`,
      }),
    )
  }
  return ok(undefined)
}

/** The first address of one service that a router of the other has already, and why they cannot share it. */
function firstConflict(
  settings: ServiceSettings,
  theirs: ServiceSettings,
): { host: string; port: number; why: string } | null {
  for (const mine of servingsOf(settings))
    for (const other of servingsOf(theirs)) {
      const why = addressConflict(mine, other)
      if (why !== null && mine.listen !== null) return { ...mine.listen, why }
    }
  return null
}

/** Why the two cannot have one address; `null` where they do not, or where each request there is for one of them. */
function addressConflict(settings: ServiceSettings, theirs: ServiceSettings): string | null {
  const [{ listen }, other] = [settings, theirs.listen]
  if (listen === null || other === null || other.port !== listen.port || other.host !== listen.host)
    return null
  if (!isSelective(settings) && !isSelective(theirs)) return ''
  if (settings.router !== theirs.router) return 'it is served there by another router'
  return entryConflict(settings, theirs)
}
