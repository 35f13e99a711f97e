import { KeptConnection } from './health/kept-connection.ts'
import type { ProcessIdentity } from './instance-record.ts'

/** What the running agent knows about an instance beside its record: nothing in here must survive the agent. */
export type Watch = {
  /** A start is on its way. */
  starting: boolean
  /** Our own child, whose exit status will come; otherwise its end shows only in the process table. */
  childRunning: boolean
  probing: boolean
  nextProbeAt: number
  connection: KeptConnection
  askingLive: boolean
  /** The program that tells it to take no new work is under way. */
  telling: boolean
  nextLiveAt: number
  /** Size of the log when the newest process started: what follows is its own output. */
  logStart: number
  /** The last leader, whose group may have left somebody behind. */
  lastLeader: ProcessIdentity | null
  /** Where the kernel counts out-of-memory kills of this instance, and how many there were. */
  oom: { counter: string; kills: number } | null
  wrongPort: { at: number; message: string | null }
  /** Somebody has stopped its container in the middle of its work. */
  paused: boolean
}

export const newWatch = (): Watch => ({
  starting: false,
  childRunning: false,
  probing: false,
  nextProbeAt: 0,
  connection: new KeptConnection(),
  askingLive: false,
  telling: false,
  nextLiveAt: 0,
  logStart: 0,
  lastLeader: null,
  oom: null,
  wrongPort: { at: 0, message: null },
  paused: false,
})
