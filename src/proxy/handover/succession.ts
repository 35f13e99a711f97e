import type { Server } from 'node:net'
import { type Problem, ProblemError, problem } from '../../core/shared/problem.ts'
import { ok, type Result } from '../../core/shared/result.ts'
import { VERSION } from '../../telemetry/version.ts'
import { ELDER_WAIT_MS, HUNG_ELDER_MS } from '../limits.ts'
import { inheritLock } from '../lock.ts'
import { type Channel, endOfParent, openChannel } from './channel.ts'
import { Follower } from './follower.ts'
import { InheritedDoors } from './inherited-doors.ts'
import { FromElder, type FromHeir, PROTOCOL, type Report } from './messages.ts'

type Begun = Extract<FromElder, { kind: 'begin' }>

/**
 * The side of the process that takes over. Until it is told that it is `released`, nothing that outlives it may be changed:
 * the other one may still change its mind. When the other one dies, what is left of the way is gone alone.
 */
export class Succession {
  lock: Server | null = null
  private readonly began = Promise.withResolvers<Begun>()
  private readonly taken = Promise.withResolvers<Report | null>()
  private readonly released = Promise.withResolvers<void>()
  private readonly channel: Channel<FromHeir>
  private inherited = new InheritedDoors([])
  private adopted: Promise<void>[] = []
  private elder: Follower | null = null
  private elderPid = 0
  private isAlone = false

  constructor(end: Parameters<typeof openChannel>[0]) {
    this.channel = openChannel<FromElder, FromHeir>(end, FromElder, {
      onMessage: (message, socket) => this.hear(message, socket),
      onNonsense: () => this.fail(otherLanguage()),
      onEnd: () => this.elderDied(),
    })
    this.channel.send({ kind: 'here', protocol: PROTOCOL, version: VERSION })
  }

  /** The table of the other one stands still from here on. */
  async begin(): Promise<Begun & { inherited: InheritedDoors }> {
    const begun = await within(this.began.promise, 'did not begin')
    this.elderPid = begun.pid
    this.inherited = new InheritedDoors(begun.doors)
    return { ...begun, inherited: this.inherited }
  }

  /**
   * Everything is ready here. Resolves with the process that served when its sockets are ours; `null` when it died, and its
   * addresses were opened anew.
   */
  async take(): Promise<Result<Follower | null>> {
    const claimed = this.inherited.check()
    if (claimed.kind === 'failed') return claimed
    this.channel.send({ kind: 'prepared' })
    const report = await within(this.taken.promise, 'did not hand over')
    await Promise.all(this.adopted)
    if (!this.inherited.isEmpty) {
      const opened = await this.inherited.openRest()
      if (opened.kind === 'failed') return opened
    }
    return ok(report === null ? null : this.follow(report))
  }

  /** Users are served, and the control socket is ours. Resolves when the table is, too. */
  async serve(): Promise<void> {
    this.channel.send({ kind: 'serving' })
    await this.released.promise
  }

  /** The other one serves on, and says why. */
  async fail(why: Problem): Promise<never> {
    this.channel.send({ kind: 'failed', problem: why })
    await this.channel.close()
    process.exit(1)
  }

  private follow(report: Report): Follower {
    this.elder = new Follower(this.channel, { pid: this.elderPid, report, hungMs: HUNG_ELDER_MS })
    if (this.isAlone) this.elder.ended()
    return this.elder
  }

  private elderDied(): void {
    this.isAlone = true
    this.began.reject(new ProblemError(unfinished('ended before it handed anything over')))
    this.taken.resolve(null)
    this.released.resolve()
    this.elder?.ended()
  }

  private hear(message: FromElder, socket: Server | null): void {
    switch (message.kind) {
      case 'lock':
        this.lock = socket === null ? null : inheritLock(socket)
        return
      case 'begin':
        this.began.resolve(message)
        return
      case 'door':
        // At once: the socket accepts already, and a connection that nobody takes would be lost.
        if (socket !== null) this.adopted.push(this.inherited.adopt(message.at, socket))
        return
      case 'take':
        this.taken.resolve(message.report)
        return
      case 'released':
        this.released.resolve()
        return
      case 'report':
        this.elder?.heard(message.report)
        return
      case 'followed':
        this.elder?.heard(message.report)
        this.elder?.followed(message.number)
    }
  }
}

export function meetElder(): Succession {
  const end = endOfParent()
  if (end === null)
    throw new ProblemError(
      problem('PROXY_ARGUMENTS', {
        message: 'There is no proxy to take over from: --takes-over is for a proxy that starts another one.',
        remedy: 'Run sluice router upgrade.',
      }),
    )
  return new Succession(end)
}

/** The other one has limits of its own and ends this process; this is for one that hangs. */
async function within<T>(what: Promise<T>, missing: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ProblemError(unfinished(missing))), ELDER_WAIT_MS)
  })
  return await Promise.race([what, late]).finally(() => clearTimeout(timer))
}

const unfinished = (missing: string) =>
  problem('PROXY_UPGRADE_FAILED', {
    message: `The proxy that served ${missing}.`,
    remedy: 'Run sluice router upgrade again.',
    retryable: true,
  })

const otherLanguage = () =>
  problem('PROXY_UPGRADE_FAILED', {
    message: `The proxy that serves and the one of version ${VERSION} do not understand each other.`,
    remedy: 'Stop everything in a quiet hour and start it again: sluice down, then sluice up.',
  })
