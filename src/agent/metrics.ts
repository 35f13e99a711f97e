import type { ReleaseUse } from '../core/shared/resource-use.ts'
import { type Sample, sample } from '../telemetry/sample.ts'
import type { ErrorReader } from './error-reader.ts'
import type { NamedChecks } from './health/named-checks.ts'
import type { SetRegistry } from './set-registry.ts'
import type { Supervisor } from './supervisor.ts'
import type { UseSampler } from './use/use-sampler.ts'

type SampledParts = {
  registry: SetRegistry
  supervisor: Pick<Supervisor, 'lookAgeMs'>
  errors: Pick<ErrorReader, 'totals'>
  use: Pick<UseSampler, 'useOf'>
  checks: Pick<NamedChecks, 'resultsOf'>
}

/** The numbers of the agent, from what it knows anyway. */
export function agentSamples({ registry, supervisor, errors, use, checks }: SampledParts): Sample[] {
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
    ...useSamples(registry, use),
    ...checkSamples(registry, checks),
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

/** By version, of which a service has few at a time; releases of one version are one. */
function useSamples(registry: SetRegistry, sampler: Pick<UseSampler, 'useOf'>): Sample[] {
  const byStream = Map.groupBy(registry.instances(), ({ service }) => service)
  return [...byStream].flatMap(([stream, records]) => {
    const releases = sampler.useOf(stream, records)?.releases ?? []
    const versions = Map.groupBy(releases, ({ release }) => versionOf(registry, stream, release))
    return [...versions].flatMap(([version, uses]) => {
      const sum = (key: Exclude<keyof ReleaseUse, 'release'>) =>
        uses.reduce((total, use) => total + use[key], 0)
      return [
        sample('sluice_instance_cpu_seconds_total', { stream, version }, sum('cpuMs') / 1000),
        sample('sluice_instance_memory_bytes', { stream, version }, sum('memoryBytes')),
        sample('sluice_instance_disk_read_bytes_total', { stream, version }, sum('diskReadBytes')),
        sample('sluice_instance_disk_written_bytes_total', { stream, version }, sum('diskWrittenBytes')),
      ]
    })
  })
}

/** What is not known yet is not told. */
function checkSamples(registry: SetRegistry, checks: Pick<NamedChecks, 'resultsOf'>): Sample[] {
  const known = registry.instances().flatMap((record) =>
    (checks.resultsOf(record) ?? [])
      .filter(({ state }) => state !== 'unknown')
      .map(({ name, state }) => ({
        stream: record.service,
        version: versionOf(registry, record.service, record.release),
        check: name,
        failing: state === 'failing' ? 1 : 0,
      })),
  )
  const series = Map.groupBy(known, ({ stream, version, check }) => JSON.stringify([stream, version, check]))
  return [...series.values()].flatMap((those) => {
    const [first] = those
    if (first === undefined) return []
    const { stream, version, check } = first
    const failing = those.reduce((sum, one) => sum + one.failing, 0)
    return [sample('sluice_named_check_failing', { stream, version, check }, failing)]
  })
}

/** A set that was removed may have left instances that have just ended: `1.4.0-3f9ac01b22` was one of version 1.4.0. */
function versionOf(registry: SetRegistry, service: string, release: string): string {
  const set = registry.findSet({ service, release })
  return set?.spec?.version ?? set?.adopted?.version ?? release.replace(/-[0-9a-f]{10}$/, '')
}
