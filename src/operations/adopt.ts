import * as z from 'zod'
import type { ServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { HandOutput } from './hand.ts'
import { hearOfFreeze } from './hear-of-freeze.ts'
import { makePlan } from './make-plan.ts'
import type { Answer } from './once.ts'
import { IdempotencyKey, once } from './once.ts'
import type { Caller } from './operation.ts'
import { record } from './prepare-release.ts'
import { actorOf, findStream, ServiceInput } from './service-input.ts'
import { addressTaken, settingsOf } from './settings-of.ts'

export const adopt = operationOf({
  name: 'adopt',
  summary: 'Take a process or a container that already serves on a port under control, without touching it.',
  input: ServiceInput.extend({
    version: z.string().describe('What to call the version that runs there.'),
    port: z
      .int()
      .min(1)
      .max(65535)
      .describe('Port it serves on, on 127.0.0.1. A container is found by the port that it has published.'),
    pid: z.int().positive().exactOptional().describe('Its process id, when the port does not tell.'),
    container: z
      .string()
      .min(1)
      .max(200)
      .exactOptional()
      .describe('Name or id of a container. Where it has not published the port, that is the one inside.'),
    idempotencyKey: IdempotencyKey,
  }),
  output: HandOutput,
  permission: 'operate',
  run: async (context, { idempotencyKey: key, ...input }, caller) => {
    const found = await findStream(context, input)
    if (found.kind === 'failed') return found
    const stream = found.value
    const answer = await once(context, { operation: 'adopt', stream, key, input }, ({ rollout }) =>
      takeOver(context, { ...input, stream, rollout, caller }),
    )
    return answer.kind === 'failed' ? answer : ok({ view: answer.value.view })
  },
})

type TakeOver = {
  stream: string
  rollout: string
  version: string
  port: number
  pid?: number
  container?: string
  caller: Caller
}

async function takeOver(
  context: OperationContext,
  { stream, rollout: id, version, port, pid, container, caller }: TakeOver,
): Promise<Result<Answer>> {
  const heard = await hearOfFreeze(context, stream)
  if (heard.kind === 'failed') return heard
  const loaded = await context.engine.load(stream)
  if (loaded.kind === 'failed') return loaded
  const { state } = loaded.value
  if (state.stable !== null || (state.rollout !== null && state.rollout.phase.kind !== 'ended'))
    return failed(alreadyManaged(state))
  const settings = settingsOf(context, stream)
  if (settings.kind === 'failed') return settings
  const taken = await addressTaken(context, settings.value)
  if (taken.kind === 'failed') return taken
  const adopted = { ...settings.value, run: { ...settings.value.run, replicas: 1 } }
  const at = context.clock.now()
  const release = await record(context, {
    id: `${version}-${context.digest({ stream, version, port, pid, container, at }).slice(0, 10)}`,
    stream,
    version,
    artifact: { digest: `adopted:${port}`, folder: '', bytes: 0, files: 0 },
    settings: adopted,
    secretVersions: {},
    createdAt: at,
    createdBy: caller.name,
    adopted: true,
  })
  if (release.kind === 'failed') return release
  const plan = await makePlan(context, {
    state,
    release: release.value,
    kind: 'deploy',
    actor: caller.name,
    warnings: [],
  })
  if (plan.kind === 'failed') return plan
  const rollout = {
    id,
    plan: plan.value,
    settings: adopted,
    actor: actorOf(caller),
    note: `adopted from port ${port}`,
    at,
    order: 'deploy' as const,
    adoption: { port, pid: pid ?? null, ...(container === undefined ? {} : { container }) },
    notBefore: null,
    baseline: null,
  }
  // The process may be gone by the time that it could begin.
  const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now: false, wait: false })
  if (decided.kind === 'failed') return decided
  context.attend(stream)
  return ok({ rollout: id, view: context.viewOf(stream, decided.value) })
}

const alreadyManaged = ({ stream, stable }: ServiceState) =>
  problem('ALREADY_MANAGED', {
    message: `${stream} is managed already: ${stable?.version ?? 'a rollout is in progress'}.`,
    remedy: 'Only a service without a stable release can be adopted.',
  })
