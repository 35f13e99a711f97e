import { type Sample, sample } from '../telemetry/sample.ts'
import type { ErrorReader } from './error-reader.ts'
import type { SetRegistry } from './set-registry.ts'
import type { Supervisor } from './supervisor.ts'

type SampledParts = {
  registry: SetRegistry
  supervisor: Pick<Supervisor, 'lookAgeMs'>
  errors: Pick<ErrorReader, 'totals'>
}

/** The numbers of the agent, from what it knows anyway. */
export function agentSamples({ registry, supervisor, errors }: SampledParts): Sample[] {
  return [
    ...registry.services().flatMap((stream) => {
      const { crashes, restarts } = registry.mishaps(stream)
      const { errors: written, lostBytes } = errors.totals(stream)
      return [
        sample('sluice_agent_crashes_total', { stream }, crashes),
        sample('sluice_agent_restarts_total', { stream }, restarts),
        sample('sluice_agent_errors_total', { stream }, written),
        sample('sluice_agent_unread_output_bytes_total', { stream }, lostBytes),
      ]
    }),
    ...instanceSamples(registry),
    sample('sluice_agent_look_age_seconds', {}, supervisor.lookAgeMs() / 1000),
  ]
}

function instanceSamples(registry: SetRegistry): Sample[] {
  const byStream = Map.groupBy(registry.instances(), ({ service }) => service)
  return [...byStream].flatMap(([stream, records]) =>
    [...Map.groupBy(records, ({ state }) => state)].map(([state, those]) =>
      sample('sluice_agent_instances', { stream, state }, those.length),
    ),
  )
}
