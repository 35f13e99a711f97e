import type { ServiceSettings } from '../core/release/settings.ts'
import { streamOf } from '../core/release/settings.ts'
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

/** Two services cannot take the same address: the first one named keeps it (S7). */
export async function addressTaken(
  context: Pick<OperationContext, 'store' | 'engine'>,
  settings: ServiceSettings,
): Promise<Result<void>> {
  const { listen } = settings
  if (listen === null) return ok(undefined)
  const streams = await context.store.streams()
  if (streams.kind === 'failed') return streams
  for (const stream of streams.value.filter((one) => one !== streamOf(settings))) {
    const other = await context.engine.load(stream)
    const theirs =
      other.kind === 'ok' && other.value.state.stable !== null
        ? other.value.state.settings?.listen
        : undefined
    if (theirs === undefined || theirs === null) continue
    if (theirs.port !== listen.port || theirs.host !== listen.host) continue
    const address = `${theirs.host}:${theirs.port}`
    return failed(
      problem('ADDRESS_TAKEN', {
        message: `${address} belongs to ${stream} already.`,
        remedy: `Give ${streamOf(settings)} an address of its own ("listen" in the file).`,
      }),
    )
  }
  return ok(undefined)
}
