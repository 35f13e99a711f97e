import type { ServiceSettings } from '../../core/release/settings.ts'
import type { ServiceView } from '../../core/rollout/view/view.ts'
import type { Finding } from '../../core/shared/finding.ts'
import type { Client } from '../client.ts'
import { commandOf, livingParts, type PartName, readRuntime } from '../controller/runtime-file.ts'
import { plural } from '../text/number.ts'
import { fine, warning, wrong } from './finding.ts'
import { allPids, hasProc, listenersOn, startVariable, workingFolder } from './proc.ts'

/** Every instance is started with its id in this variable. */
const INSTANCE_VARIABLE = 'SLUICE_INSTANCE'
const PARTS: readonly PartName[] = ['controller', 'proxy', 'agent']

/** Controller, proxy and agent: do they run, does the controller answer, is it of this version. */
export async function checkParts(client: Client, version: string): Promise<Finding[]> {
  const runtime = readRuntime(client.stateFolder)
  if (runtime === null) return [fine('DOCTOR_PARTS', 'Nothing runs in this folder; `sluice up` starts it.')]
  const living = livingParts(runtime)
  const findings = PARTS.flatMap((name): Finding[] => {
    const pid = living.find((part) => part.name === name)?.pid
    if (pid !== undefined) return [fine('DOCTOR_PARTS', `The ${name} runs (pid ${pid}).`)]
    const recorded = runtime[name]?.pid
    if (recorded === undefined || recorded === null) return []
    return [
      wrong(
        'DOCTOR_PARTS',
        `The ${name} (pid ${recorded}) is gone.`,
        'Run `sluice up`: it starts what is missing.',
      ),
    ]
  })
  const controller = living.find(({ name }) => name === 'controller')
  if (controller === undefined) return findings
  if ((await client.probe('/readyz/store')) !== 200)
    findings.push(
      wrong(
        'DOCTOR_PARTS',
        `The controller (pid ${controller.pid}) does not answer on ${runtime.controller?.socket ?? 'its socket'}.`,
        'Run `sluice down --controller-only`, then `sluice up`. Traffic flows on.',
      ),
    )
  const theirs = runtime.controller?.version
  if (theirs !== undefined && theirs !== null && theirs !== version)
    findings.push(
      warning(
        'DOCTOR_VERSION',
        `The controller is version ${theirs}, this command is ${version}.`,
        'Run `sluice down --controller-only`, then `sluice up`. Traffic flows on.',
      ),
    )
  return findings
}

/** Instances of this folder that run and that nobody knows of. */
export function checkOrphans(stateFolder: string, services: readonly ServiceView[] | null): Finding[] {
  if (!hasProc) return [fine('DOCTOR_ORPHANS', 'Orphans are looked for on Linux only.')]
  const running = allPids().flatMap((pid) => {
    const instance = startVariable(pid, INSTANCE_VARIABLE)
    return instance !== null && workingFolder(pid)?.startsWith(stateFolder) ? [{ pid, instance }] : []
  })
  if (services === null)
    return running.length === 0
      ? []
      : [
          fine(
            'DOCTOR_ORPHANS',
            `${plural(running.length, 'process', 'processes')} of instances run; whether all are known cannot be told without the controller.`,
          ),
        ]
  const known = new Set(
    services.flatMap(({ sets }) => sets.flatMap(({ instances }) => instances.map(({ id }) => id))),
  )
  const orphans = running.filter(({ instance }) => !known.has(instance))
  if (orphans.length === 0) return [fine('DOCTOR_ORPHANS', 'Every running instance of this folder is known.')]
  return orphans.map(({ pid, instance }) =>
    wrong(
      'DOCTOR_ORPHANS',
      `Process ${pid} (${commandOf(pid) ?? 'ended just now'}) runs as instance ${instance}, which no set knows.`,
      `If it does no work any more, end it: \`kill ${pid}\`.`,
    ),
  )
}

/** The addresses where the services take traffic: free, or ours. */
export function checkPorts(settings: readonly Pick<ServiceSettings, 'service' | 'listen'>[]): Finding[] {
  if (!hasProc) return []
  return settings.flatMap(({ service, listen }) => {
    if (listen === null) return []
    const address = `${listen.host}:${listen.port}`
    const { pids, hidden } = listenersOn(listen.port)
    const stranger = pids.find((pid) => !(commandOf(pid) ?? '').includes('internal-proxy'))
    const remedy = `Stop that process, or choose another \`listen\` for ${service}.`
    if (hidden)
      return wrong('DOCTOR_PORT', `${address} of ${service} is taken by a process of another user.`, remedy)
    if (stranger !== undefined)
      return wrong(
        'DOCTOR_PORT',
        `${address} of ${service} is taken by process ${stranger} (${commandOf(stranger) ?? 'unknown'}).`,
        remedy,
      )
    return fine(
      'DOCTOR_PORT',
      pids.length > 0
        ? `The proxy listens on ${address} for ${service}.`
        : `${address} of ${service} is free.`,
    )
  })
}
