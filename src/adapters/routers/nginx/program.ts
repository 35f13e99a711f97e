import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Log } from '../../../ports/log.ts'
import { inheritedFrom, runProgram } from '../../tools/run-program.ts'
import { Closing, WORKERS_FOLDER } from './closing.ts'
import { CONTROL_SOCKET, type Configuration, type ConfigurationInput } from './configuration.ts'
import { Control } from './control.ts'
import { findMaster, orphansOf, type Running, type Worker, workersOf } from './processes.ts'

export type ProgramOptions = {
  folder: string
  /** Absolute path of nginx; `null` where none is installed. */
  binary: string | null
  log: Log
}

/** What runs now. `digest` is the marker of whoever answered. */
export type Look = { master: Running; workers: Worker[]; digest: string | null }

/** A test reads one file; a start tries a taken port five times, half a second apart. */
const RUN_DEADLINE_MS = 10_000
/** nginx tries a taken port for 2.5 s; the rest is for a busy machine. Measured on a quiet one: 25 to 120 ms. */
const PROOF_DEADLINE_MS = 12_000
const POLL_MS = 10
/** Each change leaves some behind for as long as their longest request; beyond this the oldest are ended. */
const MOST_LEAVING = 64
/** What is asked to end after its drains gets this much longer before it is ended. */
const END_MARGIN_MS = 2_000
const ERRORS_BYTES = 4 * 1024 * 1024
/**
 * No file of nginx grows beyond a gigabyte (in blocks of 512 bytes), also while no controller is there to empty its log:
 * then its lines are lost, and it serves on. Without the trap the kernel would end it.
 */
const BOUNDED = 'trap "" XFSZ; ulimit -f 2097152; exec "$0" "$@"'

/** nginx as a program of our own: started, reloaded, proved and ended, with one folder for all of its files. */
export class Program {
  readonly control: Control
  readonly closing: Closing
  readonly places: {
    configuration: string
    control: string
    errors: string
    pid: string
    temporary: string
    /** Where it is started. */
    workers: string
  }
  /** What each configuration stands on. */
  readonly ground: Omit<ConfigurationInput, 'services'>
  private readonly options: ProgramOptions

  constructor(options: ProgramOptions) {
    const { folder, log } = options
    this.options = options
    this.places = {
      configuration: path.join(folder, 'nginx.conf'),
      control: path.join(folder, CONTROL_SOCKET),
      errors: path.join(folder, 'error.log'),
      pid: path.join(folder, 'nginx.pid'),
      temporary: path.join(folder, 'temporary'),
      workers: path.join(folder, WORKERS_FOLDER),
    }
    this.ground = { places: this.places, workers: availableParallelism() }
    this.control = new Control(this.places.control)
    this.closing = new Closing({ folder: this.places.workers, control: this.control, log })
  }

  /** `null`: it does not run. */
  async look(): Promise<Look | null> {
    const master = await this.master()
    if (master === null) return null
    const [workers, digest] = await Promise.all([workersOf(master), this.control.marker()])
    return { master, workers, digest }
  }

  async master(): Promise<Running | null> {
    const hint = Number(await readFile(this.places.pid, 'utf8').catch(() => ''))
    return await findMaster(this.places.configuration, Number.isInteger(hint) && hint > 0 ? hint : null)
  }

  /** The configuration file as it stands, by whomever. */
  text(): Promise<string> {
    return readFile(this.places.configuration, 'utf8').catch(() => '')
  }

  /**
   * Puts a configuration into force and proves it: all workers of before have closed their listening sockets, and the new
   * ones answer with its marker. `ROUTER_REFUSED` says that all is as it was, the file too.
   */
  async put(configuration: Configuration): Promise<Result<Look>> {
    const { binary } = this.options
    if (binary === null) return failed(notInstalled())
    await mkdir(this.places.temporary, { recursive: true, mode: 0o700 })
    await this.closing.makeFolder()
    const closing = (await this.master()) === null ? null : await this.closing.begin()
    try {
      return await this.putTested(binary, configuration, closing?.over)
    } finally {
      await this.closing.end()
    }
  }

  /** Reloads once the connections are closed, which takes longer than the test. */
  private async putTested(
    binary: string,
    configuration: Configuration,
    closed: Promise<void> | undefined,
  ): Promise<Result<Look>> {
    const next = `${this.places.configuration}.next`
    await writeFile(next, configuration.text, { mode: 0o600 })
    const tested = await this.run(binary, ['-t', '-q', '-c', next])
    if (tested !== null) {
      await rm(next, { force: true })
      return failed(refused(tested))
    }
    await closed
    const before = await this.text()
    await rename(next, this.places.configuration)
    const master = await this.master()
    const done =
      master === null ? await this.start(binary, configuration) : await this.reload(master, configuration)
    if (done.kind === 'failed' && done.problem.code === 'ROUTER_REFUSED') await this.putBack(before)
    if (done.kind === 'ok') this.endOldest(done.value.workers)
    return done
  }

  /** Lets everything end that runs, for so long at most. */
  async end(limitMs: number): Promise<Result<void>> {
    const steps = [
      { signal: 'SIGQUIT', ms: limitMs + END_MARGIN_MS },
      { signal: 'SIGTERM', ms: END_MARGIN_MS },
      { signal: 'SIGKILL', ms: END_MARGIN_MS },
    ] as const
    for (const { signal, ms } of steps) {
      if (await this.ended(signal, ms)) {
        await rm(this.places.control, { force: true })
        return ok(undefined)
      }
    }
    return failed(unreachable('it does not end, not even by SIGKILL'))
  }

  private async ended(signal: NodeJS.Signals, ms: number): Promise<boolean> {
    const end = performance.now() + ms
    const told = new Set<string>()
    for (;;) {
      const master = await this.master()
      const all = master === null ? await orphansOf(this.places.errors) : [master]
      if (all.length === 0) return true
      for (const { pid, id } of all)
        if (!told.has(id)) {
          told.add(id)
          tell(pid, signal)
        }
      if (performance.now() > end) return false
      await pause(POLL_MS)
    }
  }

  private async start(binary: string, configuration: Configuration): Promise<Result<Look>> {
    // Without their master nobody can reload them, and they hold the ports: they end what they have.
    const orphans = await orphansOf(this.places.errors)
    for (const { pid } of orphans) tell(pid, 'SIGQUIT')
    const gone = performance.now() + PROOF_DEADLINE_MS
    while (
      performance.now() < gone &&
      (await orphansOf(this.places.errors)).some(({ isLeaving }) => !isLeaving)
    )
      await pause(POLL_MS)
    if (orphans.length > 0)
      this.options.log.warn('nginx had lost its master; its workers were let go', { orphans: orphans.length })
    // A socket file outlives who made it, and would count as taken.
    await rm(this.places.control, { force: true })
    await this.keepErrorsSmall()
    const started = await this.run('/bin/sh', ['-c', BOUNDED, binary, '-c', this.places.configuration])
    if (started !== null) return failed(refused(started))
    return await this.proved(configuration, [], 0)
  }

  private async reload(master: Running, configuration: Configuration): Promise<Result<Look>> {
    const before = (await workersOf(master)).filter(({ isLeaving }) => !isLeaving)
    await this.keepErrorsSmall()
    const { size } = await stat(this.places.errors).catch(() => ({ size: 0 }))
    tell(master.pid, 'SIGHUP')
    return await this.proved(configuration, before, size)
  }

  /** nginx keeps the old configuration without a word when it cannot follow the new one: only this shows it. */
  private async proved(
    { digest }: Configuration,
    before: readonly Worker[],
    errorsAt: number,
  ): Promise<Result<Look>> {
    const old = new Set(before.map(({ id }) => id))
    const end = performance.now() + PROOF_DEADLINE_MS
    let look = await this.look()
    while (performance.now() < end) {
      const takesNew = look?.workers.filter(({ isLeaving }) => !isLeaving) ?? []
      const isNew = takesNew.length > 0 && takesNew.every(({ id }) => !old.has(id))
      if (look !== null && isNew && look.digest === digest) return ok(look)
      const complaint = before.length === 0 ? null : await this.complaintSince(errorsAt)
      if (complaint !== null) return failed(refused(complaint))
      await pause(POLL_MS)
      look = await this.look()
    }
    return look !== null &&
      look.digest !== digest &&
      look.workers.some(({ id, isLeaving }) => old.has(id) && !isLeaving)
      ? failed(refused(`it still follows the old configuration after ${PROOF_DEADLINE_MS} ms`))
      : failed(unreachable(`its new configuration was not in force after ${PROOF_DEADLINE_MS} ms`))
  }

  /** A taken port is tried again by nginx itself; only its last word on that counts. */
  private async complaintSince(offset: number): Promise<string | null> {
    const file = await open(this.places.errors, 'r').catch(() => null)
    if (file === null) return null
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, offset)
      const lines = buffer
        .subarray(0, bytesRead)
        .toString()
        .split('\n')
        .filter((line) => line.includes('[emerg]'))
      const isFinal = lines.some((line) => !line.includes('(98: '))
      return isFinal ? lines.map(withoutTime).slice(-3).join('; ') : null
    } finally {
      await file.close()
    }
  }

  private async putBack(text: string): Promise<void> {
    if (text === '') {
      await rm(this.places.configuration, { force: true })
      return
    }
    const back = `${this.places.configuration}.next`
    await writeFile(back, text, { mode: 0o600 })
    await rename(back, this.places.configuration)
  }

  private endOldest(workers: readonly Worker[]): void {
    const leaving = workers
      .filter(({ isLeaving }) => isLeaving)
      .toSorted((one, other) => startOf(one) - startOf(other))
    const tooMany = leaving.slice(0, Math.max(0, leaving.length - MOST_LEAVING))
    for (const { pid } of tooMany) tell(pid, 'SIGTERM')
    if (tooMany.length > 0)
      this.options.log.warn('nginx has too many old workers; the oldest were ended', {
        ended: tooMany.length,
      })
  }

  /** The next reload makes a new one. */
  private async keepErrorsSmall(): Promise<void> {
    const { size } = await stat(this.places.errors).catch(() => ({ size: 0 }))
    if (size > ERRORS_BYTES)
      await rename(this.places.errors, `${this.places.errors}.old`).catch(() => undefined)
  }

  /** What it said when it failed; `null` when it did not. */
  private async run(binary: string, args: readonly string[]): Promise<string | null> {
    const errors = args[0] === '-t' ? 'stderr' : this.places.errors
    const ending = await runProgram({
      program: binary,
      args: [...args, '-p', this.options.folder, '-e', errors],
      env: inheritedFrom(process.env),
      cwd: this.places.workers,
      timeoutMs: RUN_DEADLINE_MS,
    })
    switch (ending.kind) {
      case 'exited':
        return ending.code === 0 ? null : said(ending.said) || `it ended with ${ending.code}`
      case 'not-started':
        return ending.error
      default:
        return `it was ended (${ending.kind}) after ${RUN_DEADLINE_MS} ms`
    }
  }
}

/** A process that ended in this very moment needs no signal. */
export function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // As said.
  }
}

const startOf = ({ id }: Running): number => Number(id.split(':')[1])

const withoutTime = (line: string): string => line.replace(/^\S+ \S+ /, '').replace(/ \d+#\d+:/, '')
const said = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.includes('[emerg]') || line.includes('[alert]'))
    .map(withoutTime)
    .slice(0, 3)
    .join('; ') || text.slice(0, 500)

export const notInstalled = () =>
  problem('ROUTER_NOT_INSTALLED', {
    message: 'nginx is not installed: there is no program nginx on the PATH, nor in /usr/sbin.',
    remedy: 'Install it (on Debian and Ubuntu: apt-get install nginx-light), or write "router: builtin".',
  })

export const unreachable = (cause: string) =>
  problem('ROUTER_UNREACHABLE', {
    message: 'nginx cannot be asked what it does.',
    cause,
    remedy: 'The controller starts it again when it is gone. Look at error.log in its folder.',
    retryable: true,
  })

const refused = (cause: string) =>
  problem('ROUTER_REFUSED', {
    message: 'nginx refused the new configuration. It goes on with the old one.',
    cause,
    remedy:
      'Correct what it names. A port that is taken must be freed, or another one chosen under "listen".',
    retryable: true,
  })
