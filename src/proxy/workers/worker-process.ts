import { type ChildProcess, spawn } from 'node:child_process'
import type { Server } from 'node:net'
import path from 'node:path'
import { type Channel, endOfChild, openChannel } from '../handover/channel.ts'
import { type FromLead, FromWorker } from './messages.ts'

/** The same program file in sources (`.ts`) and in the package (`.js`). */
const MAIN = path.join(import.meta.dirname, '..', '..', `main${path.extname(import.meta.filename)}`)

export type WorkerEnd = { code: number | null; signal: NodeJS.Signals | null }

export type WorkerHandlers = {
  onMessage(message: FromWorker): void
  onNonsense(): void
  /** It is gone, and everything that it said was heard. */
  onEnd(end: WorkerEnd): void
}

/** A worker, as the process that leads sees it. */
export type WorkerLine = {
  readonly pid: number
  readonly channel: Channel<FromLead>
  send(message: FromLead, socket?: Server): void
  kill(): void
}

export const launchWorker = (folder: string, handlers: WorkerHandlers): WorkerLine =>
  new WorkerProcess(folder, handlers)

class WorkerProcess implements WorkerLine {
  readonly channel: Channel<FromLead>
  private readonly child: ChildProcess

  constructor(folder: string, { onMessage, onNonsense, onEnd }: WorkerHandlers) {
    this.child = spawn(process.execPath, [MAIN, 'internal-proxy-worker', '--folder', folder], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const { child } = this
    const exited = new Promise<WorkerEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      child.once('error', () => resolve({ code: null, signal: null }))
    })
    const hungUp = Promise.withResolvers<void>()
    this.channel = openChannel<FromWorker, FromLead>(endOfChild(child), FromWorker, {
      onMessage,
      onNonsense,
      onEnd: hungUp.resolve,
    })
    child.once('error', () => hungUp.resolve())
    void Promise.all([exited, hungUp.promise]).then(([end]) => onEnd(end))
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  send(message: FromLead, socket?: Server): void {
    this.channel.send(message, socket)
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}
