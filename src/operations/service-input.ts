import * as z from 'zod'
import { nearestOf } from '../config/nearest.ts'
import type { Actor } from '../core/rollout/reason.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import type { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import type { Caller } from './operation.ts'

/** Which service an operation is about. */
export const ServiceInput = z.strictObject({
  service: z
    .string()
    .exactOptional()
    .describe('Name of the service; may be left out when there is only one.'),
  environment: z.string().default('local').describe('Environment; `local` when the file names none.'),
})
export type ServiceInput = z.infer<typeof ServiceInput>

export const ReasonInput = z.string().max(2000).exactOptional().describe('Why; kept with the record.')

export const RequiredReason = z.string().trim().min(1).max(2000).describe('Why; kept with the record.')

export const RetryInput = z
  .boolean()
  .default(false)
  .describe('Try a release again that failed and is blocked: a new attempt with fresh counts.')
export const FullInput = z
  .boolean()
  .default(false)
  .describe('Straight to 100%, without stages and their checks; readiness and the watch stay.')

export const actorOf = ({ name }: Caller): Actor => ({ kind: 'person', name })

/** The stream that is meant: one that has a past here, or one that the file describes. Works with a broken file, too. */
export async function findStream(
  context: OperationContext,
  { service, environment }: ServiceInput,
): Promise<Result<string>> {
  const known = await context.store.streams()
  if (known.kind === 'failed') return known
  const settings = context.loadSettings(environment)
  const described =
    settings.kind === 'ok' ? settings.value.map((one) => `${one.service}.${one.environment}`) : []
  const streams = [...new Set([...described, ...known.value])].filter((stream) =>
    stream.endsWith(`.${environment}`),
  )
  if (service !== undefined) return findNamed({ service, environment }, streams)
  const [first, ...others] = streams
  if (first === undefined)
    return settings.kind === 'failed'
      ? settings
      : failed(
          problem('SERVICE_NOT_FOUND', {
            message: `No service is known in environment ${environment}.`,
            remedy: 'Describe one in sluice.yaml ("sluice init" writes a first file).',
          }),
        )
  if (others.length === 0) return ok(first)
  return failed(
    problem('SERVICE_AMBIGUOUS', {
      message: `There are several services: ${streams.map(nameOf).join(', ')}.`,
      remedy: 'Name one with --service NAME.',
    }),
  )
}

function findNamed(
  { service, environment }: { service: string; environment: string },
  streams: readonly string[],
): Result<string> {
  const stream = `${service}.${environment}`
  if (streams.includes(stream)) return ok(stream)
  const nearest = nearestOf(service, streams.map(nameOf))
  const hint =
    nearest === null
      ? `Known services: ${streams.map(nameOf).join(', ') || 'none'}.`
      : `Did you mean ${nearest}?`
  return failed(
    problem('SERVICE_NOT_FOUND', {
      message: `No service ${service} in environment ${environment}.`,
      remedy: hint,
    }),
  )
}

const nameOf = (stream: string): string => stream.split('.')[0] ?? stream

export async function loadService(
  context: OperationContext,
  input: ServiceInput,
): Promise<Result<{ stream: string; state: ServiceState; revision: number }>> {
  const stream = await findStream(context, input)
  if (stream.kind === 'failed') return stream
  const loaded = await context.engine.load(stream.value)
  return loaded.kind === 'failed' ? loaded : ok({ stream: stream.value, ...loaded.value })
}

export async function viewService(context: OperationContext, stream: string): Promise<Result<ServiceView>> {
  const loaded = await context.engine.load(stream)
  return loaded.kind === 'failed' ? loaded : ok(context.viewOf(stream, loaded.value))
}
