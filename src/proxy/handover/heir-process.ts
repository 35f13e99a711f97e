import { type ChildProcess, spawn } from 'node:child_process'
import type { Server } from 'node:net'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { type Channel, endOfChild, openChannel } from './channel.ts'
import { type FromElder, FromHeir } from './messages.ts'

type Kind = FromHeir['kind']
type Awaited = { kind: Kind; tell(result: Result<FromHeir>): void }

/** The program that shall serve from now on, as the process sees it that serves until now. */
export class HeirProcess {
  readonly exited: Promise<void>
  /** What it says once it serves. */
  onMessage: (message: FromHeir) => void = () => undefined
  onEnd: () => void = () => undefined
  private readonly child: ChildProcess
  private readonly channel: Channel<FromElder>
  private awaited: Awaited | null = null
  private failure: Problem | null = null

  constructor([command = '', ...words]: readonly string[]) {
    this.child = spawn(command, words, {
      // It outlives this process, and writes on where this one wrote.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.fail(heirFailed('The new proxy ended before it served.', endedBy(code, signal)))
        resolve()
        this.onEnd()
      })
      this.child.once('error', (error) => {
        this.fail(heirFailed('The new proxy could not be started.', error.message))
        resolve()
        this.onEnd()
      })
    })
    this.channel = openChannel<FromHeir, FromElder>(endOfChild(this.child), FromHeir, {
      onMessage: (message) => this.hear(message),
      onNonsense: () =>
        this.fail(heirFailed('The new proxy is not understood: it hands over in another way than this one.')),
      onEnd: () => undefined,
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  send(message: FromElder, socket?: Server): void {
    this.channel.send(message, socket)
  }

  /** The next thing that it has to say, and nothing else. */
  next(kind: Kind, limitMs: number): Promise<Result<FromHeir>> {
    if (this.failure !== null) return Promise.resolve(failed(this.failure))
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.fail(heirFailed(`The new proxy was not ready within ${limitMs / 1000} s (${kind}).`)),
        limitMs,
      )
      const tell = (result: Result<FromHeir>) => {
        clearTimeout(timer)
        resolve(result)
      }
      this.awaited = { kind, tell }
    })
  }

  /** Whoever waits for it is told. */
  fail(why: Problem): void {
    this.failure ??= why
    this.awaited?.tell(failed(this.failure))
    this.awaited = null
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  pass(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Nothing is to be said any more, and this process may end. */
  async letGo(): Promise<void> {
    await this.channel.close()
    this.child.unref()
  }

  private hear(message: FromHeir): void {
    if (message.kind === 'failed') this.fail(message.problem)
    else if (this.awaited?.kind === message.kind) {
      this.awaited.tell(ok(message))
      this.awaited = null
    } else this.onMessage(message)
  }
}

const endedBy = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`

const heirFailed = (message: string, cause?: string): Problem =>
  problem('PROXY_UPGRADE_FAILED', {
    message: `${message} The old one serves on, nothing was lost.`,
    cause,
    remedy: 'Read .sluice/proxy.log for the reason, then run sluice router upgrade again.',
    retryable: true,
  })
