import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { findProgram } from '../../tools/find-program.ts'
import { type Ending, inheritedFrom, runProgram } from '../../tools/run-program.ts'
import { CONFIG, writeFiles } from './files.ts'
import { type Ask, MASTER_SOCKET, unreachable } from './master.ts'
import { belongs, masterPid, PID_FILE } from './master-process.ts'
import type { KeptHere } from './own.ts'
import { pidsIn, Worker, workersOf } from './worker.ts'

/** Measured 30 ms; a busy machine needs more. */
const COMMAND_DEADLINE_MS = 10_000
/** From the command to the first answer of the new worker: measured under 100 ms. */
const START_DEADLINE_MS = 10_000
const POLL_MS = 10
const IDLE_GRACE_MS = 1_000
/** Where a configuration is tried before it replaces the one in force. */
const TRIAL = 'trial'
/** The first one whose dynamic servers and maps were measured here. */
const OLDEST = [2, 6] as const

export type ProgramOptions = { folder: string; binary: string | undefined; ask: Ask }

/** HAProxy as a program of ours: master and workers, detached, in a folder of their own. */
export class Program {
  private readonly options: ProgramOptions

  constructor(options: ProgramOptions) {
    this.options = options
  }

  /** The installed version, as it says it itself. */
  async version(): Promise<Result<string>> {
    const ending = await this.run(['-v'], MAX_VERSION_BYTES)
    if (ending.kind === 'failed') return ending
    const text = ending.value.kind === 'exited' ? ending.value.output : ''
    const [, version, major, minor] = /^HAProxy version ((\d+)\.(\d+)\S*)/m.exec(text) ?? []
    if (version === undefined)
      return failed(notInstalled(`It does not tell its version: ${text.slice(0, 200)}`))
    const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])
    return isOld
      ? failed(notInstalled(`It is version ${version}, and ${OLDEST.join('.')} is needed.`))
      : ok(version)
  }

  /** The worker that takes new connections. */
  async current(): Promise<Result<Worker>> {
    const workers = await workersOf(this.options.ask)
    return workers.kind === 'ok' ? ok(new Worker(this.options.ask, workers.value.current)) : workers
  }

  /** Workers of before a reload that still have connections. */
  async old(): Promise<Result<Worker[]>> {
    const workers = await workersOf(this.options.ask)
    return workers.kind === 'ok'
      ? ok(workers.value.old.map((pid) => new Worker(this.options.ask, pid)))
      : workers
  }

  /** Each that has connections, also while it ends. */
  async all(): Promise<Result<Worker[]>> {
    const answer = await this.options.ask('show proc')
    if (answer.kind === 'failed') return answer
    if (!answer.value.includes('# workers'))
      return failed(unreachable(join(this.options.folder, MASTER_SOCKET), answer.value))
    return ok(pidsIn(answer.value).map((pid) => new Worker(this.options.ask, pid)))
  }

  /** Would HAProxy take this configuration? Nothing is changed. */
  async check(kept: KeptHere): Promise<Result<void>> {
    const folder = join(this.options.folder, TRIAL)
    try {
      await writeFiles(folder, kept)
      const ending = await this.run(['-C', folder, '-c', '-q', '-f', CONFIG])
      if (ending.kind === 'failed') return ending
      return isGood(ending.value)
        ? ok(undefined)
        : failed(refused('It does not take the configuration.', ending.value))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** Starts it with what is written in the folder. It outlives this process. */
  async start(): Promise<Result<Worker>> {
    const { folder } = this.options
    // A second one beside it would share its ports. It may be in the middle of a reload.
    if ((await masterPid(folder)) !== null) return await this.answering('it runs and does not answer')
    const ending = await this.run([
      '-C',
      folder,
      '-W',
      '-D',
      '-S',
      `unix@${MASTER_SOCKET},mode,600,level,admin`,
      '-p',
      join(folder, PID_FILE),
      '-f',
      CONFIG,
    ])
    if (ending.kind === 'failed') return ending
    if (!isGood(ending.value)) return failed(refused('It did not start.', ending.value))
    return await this.answering('it did not answer after its start')
  }

  /** A new worker with what is written in the folder takes over the listeners; the old one ends with its last connection. */
  async reload(): Promise<Result<Worker>> {
    const { ask } = this.options
    const before = await workersOf(ask)
    if (before.kind === 'failed') return before
    // The answer says nothing: whether it worked is seen at the workers.
    const asked = await ask('reload')
    if (asked.kind === 'failed') return asked
    return await this.wait(async () => {
      const now = await workersOf(ask)
      if (now.kind === 'failed') return null
      if (now.value.failedReloads > before.value.failedReloads) return failed(reloadRefused)
      if (now.value.current === before.value.current) return null
      const worker = new Worker(ask, now.value.current)
      if ((await worker.description()).kind === 'failed') return null
      // On a busy machine it may be told late, and would deal new connections by the rules of before.
      const old = await Promise.all(now.value.old.map((pid) => new Worker(ask, pid).hasLetGo()))
      return old.every(Boolean) ? ok(worker) : null
    }, 'after the reload no new worker came up, or the one of before still listens')
  }

  /**
   * Takes nothing new, and ends once nothing is in flight, or after so long. Idle connections get a moment: a request may be
   * on its way on one.
   */
  async end(graceMs: number, isIdle: () => Promise<boolean>): Promise<Result<void>> {
    const { folder } = this.options
    const pid = await masterPid(folder)
    if (pid === null || !signal(pid, 'SIGUSR1')) return ok(undefined)
    const began = performance.now()
    while (await belongs(pid, folder)) {
      const ageMs = performance.now() - began
      if (ageMs > graceMs || (ageMs > IDLE_GRACE_MS && (await isIdle()))) break
      await pause(POLL_MS)
    }
    signal(pid, 'SIGTERM')
    const end = performance.now() + START_DEADLINE_MS
    while (await belongs(pid, folder)) {
      if (performance.now() > end)
        return failed(unreachable(join(folder, MASTER_SOCKET), `process ${pid} does not end`))
      await pause(POLL_MS)
    }
    return ok(undefined)
  }

  private answering(otherwise: string): Promise<Result<Worker>> {
    return this.wait(async () => {
      const worker = await this.current()
      if (worker.kind === 'failed') return null
      return (await worker.value.description()).kind === 'ok' ? worker : null
    }, otherwise)
  }

  private async wait(look: () => Promise<Result<Worker> | null>, otherwise: string): Promise<Result<Worker>> {
    const end = performance.now() + START_DEADLINE_MS
    while (performance.now() < end) {
      const seen = await look()
      if (seen !== null) return seen
      await pause(POLL_MS)
    }
    return failed(unreachable(join(this.options.folder, MASTER_SOCKET), otherwise))
  }

  private async run(args: string[], maxOutputBytes?: number): Promise<Result<Ending>> {
    const program = this.options.binary ?? findProgram('haproxy')
    if (program === null)
      return failed(notInstalled('No such program is in PATH, /usr/local/sbin, /usr/sbin or /sbin.'))
    const ending = await runProgram({
      program,
      args,
      env: inheritedFrom(process.env),
      timeoutMs: COMMAND_DEADLINE_MS,
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
    })
    if (ending.kind === 'not-started') return failed(notInstalled(`${program}: ${ending.error}`))
    return ok(ending)
  }
}

const MAX_VERSION_BYTES = 64 * 1024

const isGood = (ending: Ending): boolean => ending.kind === 'exited' && ending.code === 0

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false // It ended in this very moment.
  }
}

const notInstalled = (cause: string) =>
  problem('ROUTER_NOT_INSTALLED', {
    message: 'HAProxy cannot be used on this machine.',
    cause,
    remedy: 'Install it (on Debian and Ubuntu: apt-get install haproxy), or set router: builtin.',
  })

const refused = (message: string, ending: Ending) =>
  problem('ROUTER_REFUSED', {
    message: `HAProxy refused: ${message} Nothing was changed.`,
    cause: 'said' in ending ? ending.said : ending.kind,
    remedy: 'Read what it said. If the file sluice.yaml asks for nothing unusual, report it.',
  })

const reloadRefused = problem('ROUTER_REFUSED', {
  message: 'HAProxy refused the reload and serves on as before. Nothing was changed.',
  remedy: 'Look whether another program took the address; then try again.',
  retryable: true,
})
