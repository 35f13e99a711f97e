import type { Server } from 'node:net'
import type { Logger } from 'pino'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Control } from '../control.ts'
import { ELDERS, type Limits } from '../limits.ts'
import type { SignOfLife } from '../loss-policy.ts'
import type { Table } from '../table.ts'
import { HeirProcess } from './heir-process.ts'
import { heirWords } from './heir-words.ts'
import type { HandedOver } from './messages.ts'

export type HandoverParts = {
  table: Table
  control: Control
  life: SignOfLife
  lock: Server | null
  limits: Limits
  log: Logger
  /** The words after the program, as this process was started with. */
  argv: readonly string[]
  /** Says anew that this process is the one that serves. */
  claim(): Promise<void>
}

/**
 * Hands everything to a program that this process starts, without a moment in which nobody serves: sockets, lock, control
 * socket and counters. Up to one point everything can be taken back, and is when anything is not as it should be; after it
 * this process only ends what it has (`leave.ts`).
 */
export class Handover {
  private readonly parts: HandoverParts
  private readonly committed = Promise.withResolvers<HeirProcess>()
  private heir: HeirProcess | null = null
  private running: Promise<unknown> | null = null
  private isStopping = false
  isDone = false

  constructor(parts: HandoverParts) {
    this.parts = parts
  }

  /** Resolves with the process that serves instead, once there is one. */
  get done(): Promise<HeirProcess> {
    return this.committed.promise
  }

  get isUnderWay(): boolean {
    return this.running !== null
  }

  async start(program: readonly string[]): Promise<Result<HandedOver>> {
    if (this.isDone || this.isUnderWay) return failed(alreadyUnderWay())
    const { elders } = this.parts.table.sight
    if (elders >= ELDERS) return failed(tooManyElders(elders))
    const run = this.run(program)
    this.running = run.finally(() => {
      this.running = null
    })
    return await run
  }

  /** This process is told to end: nobody shall come after it. */
  async stop(): Promise<void> {
    this.isStopping = true
    this.heir?.fail(stopped())
    await this.running
  }

  private async run(program: readonly string[]): Promise<Result<HandedOver>> {
    const { argv, log } = this.parts
    const heir = new HeirProcess(heirWords(program, argv))
    this.heir = heir
    log.info({ program, heir: heir.pid }, 'proxy hands over')
    const result = await this.lead(heir)
    if (result.kind === 'failed') await this.takeBack(heir)
    return result
  }

  private async lead(heir: HeirProcess): Promise<Result<HandedOver>> {
    const { control, table, lock, life, limits } = this.parts
    const here = await heir.next('here', limits.heirStartMs)
    if (here.kind === 'failed') return here
    await control.hold(limits.heirReadyMs)
    await table.settled
    if (lock !== null) heir.send({ kind: 'lock' }, lock)
    const { doors } = table
    const { boot } = table.sight
    heir.send({
      kind: 'begin',
      pid: process.pid,
      boot,
      doors: doors.map(({ at }) => at),
      silentMs: life.silentMs(),
    })
    const prepared = await heir.next('prepared', limits.heirReadyMs)
    if (prepared.kind === 'failed') return prepared
    for (const { at, listener } of doors) heir.send({ kind: 'door', at }, listener.socket)
    heir.send({ kind: 'take', report: table.sight.report() })
    const serving = await heir.next('serving', limits.heirReadyMs)
    if (serving.kind === 'failed') return serving
    if (this.isStopping) return failed(stopped())
    this.commit(heir)
    return ok({ pid: heir.pid, version: here.value.kind === 'here' ? here.value.version : '' })
  }

  /** From here on the other one owns everything. Nothing in here may wait. */
  private commit(heir: HeirProcess): void {
    const { control, lock, log } = this.parts
    this.isDone = true
    lock?.close()
    control.giveAway()
    heir.send({ kind: 'released' })
    this.committed.resolve(heir)
    log.info({ heir: heir.pid }, 'proxy handed over')
  }

  /** It is as if nothing had been: the other one has changed nothing that outlives it but who is named. */
  private async takeBack(heir: HeirProcess): Promise<void> {
    const { control, claim, log } = this.parts
    await heir.kill()
    this.heir = null
    if (this.isStopping) return
    await control.reclaim()
    await claim()
    control.goOn()
    log.warn('proxy serves on, the new one was not ready')
  }
}

const alreadyUnderWay = () =>
  problem('PROXY_UPGRADE_RUNS', {
    message: 'This proxy is handing over to a new one already.',
    remedy: 'Wait a few seconds, then look with sluice status.',
    retryable: true,
  })

const tooManyElders = (elders: number) =>
  problem('PROXY_UPGRADE_WAITS', {
    message: `${elders} proxies that were replaced still end what they have: connections live as long as their limits let them.`,
    remedy: 'Wait until they are gone (the drain limits of the services and about a minute), then try again.',
    retryable: true,
  })

const stopped = () =>
  problem('PROXY_UPGRADE_FAILED', {
    message: 'The proxy was told to stop while it handed over.',
    remedy: 'Start it again: sluice up.',
  })
