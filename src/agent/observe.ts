import type { Instance } from '../core/shared/instance.ts'
import type { AgentObservation, LogLine } from '../core/shared/observation.ts'
import type { Redact } from '../core/shared/redact.ts'
import type { ErrorReader } from './error-reader.ts'
import type { NamedChecks } from './health/named-checks.ts'
import type { InstanceRecord } from './instance-record.ts'
import { logPath, shorten, tailOf } from './log-file.ts'
import type { SetRegistry } from './set-registry.ts'
import type { UseSampler } from './use/use-sampler.ts'

/** Enough to show the last words of a program and its stack trace. */
const TAIL_LINES = 20

type ObserveParts = { registry: SetRegistry; redact: Redact; logFolder: string; boot: string }
type CountedParts = ObserveParts & {
  errors: Pick<ErrorReader, 'version'>
  use: Pick<UseSampler, 'useOf'>
  checks: Pick<NamedChecks, 'resultsOf'>
}

/** What runs and what ended lately for one service. */
export function observe(service: string, parts: CountedParts): AgentObservation {
  const records = parts.registry.instances().filter((record) => record.service === service)
  const use = parts.use.useOf(service, records)
  return {
    at: Date.now(),
    boot: parts.boot,
    highestToken: parts.registry.highestToken(service),
    instances: records.map((record) => withChecks(toInstance(record, parts), parts.checks.resultsOf(record))),
    errorsVersion: parts.errors.version(service),
    ...(use === undefined ? {} : { use }),
  }
}

const withChecks = (instance: Instance, checks: Instance['checks']): Instance =>
  checks === undefined ? instance : { ...instance, checks }

export function toInstance(
  record: InstanceRecord,
  parts: Pick<ObserveParts, 'redact' | 'logFolder'>,
): Instance {
  return {
    id: record.id,
    service: record.service,
    release: record.release,
    state: record.state,
    host: record.host,
    port: record.port,
    pid: record.process?.pid ?? null,
    startedAt: record.startedAt,
    readyAt: record.readyAt,
    crashes: record.crashes,
    consecutiveProbeFailures: record.consecutiveProbeFailures,
    lastProbeFailure: record.lastProbeFailure,
    lastExit: record.lastExit,
    logTail: hasProblem(record) ? readTail(record, TAIL_LINES, parts) : [],
  }
}

/** Last lines of the instances of a service, each with an equal share, the instance that started last at the end. */
export function readLogs(
  request: { service: string; release: string | undefined; lines: number },
  parts: ObserveParts,
): LogLine[] {
  const { service, release, lines } = request
  const matches = (record: InstanceRecord) =>
    record.service === service && (release === undefined || record.release === release)
  const records = parts.registry.instances().filter(matches)
  const share = Math.ceil(lines / Math.max(1, records.length))
  const inOrder = records.toSorted((a, b) => a.startedAt - b.startedAt)
  return inOrder
    .flatMap((record) =>
      readTail(record, share, parts).map((line) => ({ instance: record.id, release: record.release, line })),
    )
    .slice(-lines)
}

function hasProblem(record: InstanceRecord): boolean {
  if (['unready', 'crashed', 'failed'].includes(record.state)) return true
  if (record.state === 'gone') return record.lastExit?.cause !== 'stopped-by-us'
  return record.state === 'starting' && (record.crashes > 0 || record.consecutiveProbeFailures > 0)
}

function readTail(
  record: InstanceRecord,
  lines: number,
  parts: Pick<ObserveParts, 'redact' | 'logFolder'>,
): string[] {
  if (record.adopted) return [] // its output goes where its own starter sent it
  return tailOf(logPath(parts.logFolder, record.id), lines).map((line) => shorten(parts.redact(line)))
}
