import * as z from 'zod'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import { operationOf } from './context.ts'
import { HandOutput } from './hand.ts'
import { makePlan } from './make-plan.ts'
import { record } from './prepare-release.ts'
import { actorOf, loadService, ServiceInput } from './service-input.ts'
import { addressTaken, settingsOf } from './settings-of.ts'

export const adopt = operationOf({
  name: 'adopt',
  summary: 'Take a process that already serves on a port under control, without touching it.',
  input: ServiceInput.extend({
    version: z.string().describe('What to call the version that runs there.'),
    port: z.int().min(1).max(65535).describe('Port it serves on, on 127.0.0.1.'),
    pid: z.int().positive().exactOptional().describe('Its process id, when the port does not tell.'),
  }),
  output: HandOutput,
  permission: 'operate',
  run: async (context, { version, port, pid, ...input }, caller) => {
    const service = await loadService(context, input)
    if (service.kind === 'failed') return service
    const { stream, state } = service.value
    if (state.stable !== null || (state.rollout !== null && state.rollout.phase.kind !== 'ended'))
      return failed(
        problem('ALREADY_MANAGED', {
          message: `${stream} is managed already: ${state.stable?.version ?? 'a rollout is in progress'}.`,
          remedy: 'Only a service without a stable release can be adopted.',
        }),
      )
    const settings = settingsOf(context, stream)
    if (settings.kind === 'failed') return settings
    const taken = await addressTaken(context, settings.value)
    if (taken.kind === 'failed') return taken
    const adopted = { ...settings.value, run: { ...settings.value.run, replicas: 1 } }
    const at = context.clock.now()
    const id = `${version}-${context.digest({ stream, version, port, pid, at }).slice(0, 10)}`
    const artifact = { digest: `adopted:${port}`, folder: '', bytes: 0, files: 0 }
    const release = await record(context, {
      id,
      stream,
      version,
      artifact,
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
      id: context.ids.next('rollout'),
      plan: plan.value,
      settings: adopted,
      actor: actorOf(caller),
      note: `adopted from port ${port}`,
      at,
      adoption: { port, pid: pid ?? null },
    }
    const decided = await context.engine.handle(stream, { kind: 'deploy', rollout, now: false })
    if (decided.kind === 'failed') return decided
    context.attend(stream)
    return ok({ view: context.viewOf(stream, decided.value) })
  },
})
