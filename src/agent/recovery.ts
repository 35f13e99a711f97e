import type { ContainerRunner } from './containers/container-runner.ts'
import { unknownExit } from './exit-cause.ts'
import { type InstanceRecord, isContained } from './instance-record.ts'
import type { InstanceRunner } from './instance-runner.ts'
import { killStrays } from './processes/process-runner.ts'
import { hostBoot, isAlive, startedAs, startVariable } from './processes/process-table.ts'
import type { Secrets } from './secrets.ts'
import type { SetRegistry } from './set-registry.ts'

type RecoveryParts = {
  registry: SetRegistry
  runner: InstanceRunner
  containers: ContainerRunner
  secrets: Secrets
}

/** Takes up what an earlier agent left: processes that still run are watched again, those that ended go through their crash. */
export async function recover(parts: RecoveryParts): Promise<void> {
  const { registry } = parts
  const rebooted = registry.hostBoot() !== hostBoot
  const contained: InstanceRecord[] = []
  for (const record of registry.instances()) {
    if (record.state === 'gone') continue
    if (rebooted) forgetProcess(record, parts)
    else if (isContained(record, registry.findSet(record)?.spec)) contained.push(record)
    else takeUp(record, parts)
  }
  await parts.containers.recover(contained)
  registry.setHostBoot(hostBoot)
  registry.save()
}

function forgetProcess(record: InstanceRecord, { runner }: RecoveryParts): void {
  const at = Date.now()
  runner.apply(record.id, { kind: 'lost-by-reboot', at, exit: unknownExit(at) })
}

function takeUp(record: InstanceRecord, parts: RecoveryParts): void {
  if (record.process === null) adoptOrphan(record, parts)
  else if (isAlive(record.process)) relearnSecrets(record, record.process.pid, parts)
  // Its end is noticed by the supervisor like any other; what it left behind is ended here.
  else killStrays(record.id)
}

/** The agent was killed between its intent to start and the record of the start: the process may exist all the same. */
function adoptOrphan(record: InstanceRecord, parts: RecoveryParts): void {
  if (record.state !== 'starting' && record.state !== 'stopping') return
  const found = startedAs(record.id).find((row) => row.group === row.pid)
  if (found === undefined) return
  const process = { pid: found.pid, startTime: found.startTime }
  parts.runner.apply(record.id, { kind: 'spawned', at: Date.now(), process })
  relearnSecrets(record, found.pid, parts)
}

/** The values it was started with may have been rotated since; they must stay redacted in what it wrote. */
function relearnSecrets(record: InstanceRecord, pid: number, { registry, secrets }: RecoveryParts): void {
  const names = registry.findSet(record)?.spec?.secrets ?? []
  secrets.remember(names.flatMap((name) => startVariable(pid, name) ?? []))
}
