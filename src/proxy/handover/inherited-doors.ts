import type { Server } from 'node:net'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { DoorAddress } from './messages.ts'

/** A listener that waits for the socket of its address. */
export type Door = {
  /** Accepts connections from the socket of somebody else. */
  adopt(from: Server): Promise<void>
  /** Opens a socket of its own there. */
  openAnew(): Promise<Result<void>>
}

/** Where sockets come from that another process opened. */
export interface GivenDoors {
  /** Whether the listener gets the socket of this address. */
  claim(address: DoorAddress, door: Door): boolean
}

/**
 * The doors that another process will hand over: who would listen at one of these addresses waits for its socket instead.
 * Nothing is accepted before it is there.
 */
export class InheritedDoors implements GivenDoors {
  private readonly doors = new Map<string, Door | null>()

  constructor(addresses: readonly DoorAddress[]) {
    for (const address of addresses) this.doors.set(keyOf(address), null)
  }

  claim(address: DoorAddress, door: Door): boolean {
    if (this.doors.get(keyOf(address)) !== null) return false
    this.doors.set(keyOf(address), door)
    return true
  }

  /** Everything that is handed over must have somebody who takes it. */
  check(): Result<void> {
    const unclaimed = [...this.doors].flatMap(([key, door]) => (door === null ? [key] : []))
    return unclaimed.length === 0 ? ok(undefined) : failed(notClaimed(unclaimed))
  }

  async adopt(address: DoorAddress, from: Server): Promise<void> {
    const key = keyOf(address)
    const door = this.doors.get(key)
    this.doors.delete(key)
    if (door === undefined || door === null) from.close()
    else await door.adopt(from)
  }

  /** Whoever had the rest is gone: their addresses are free again. */
  async openRest(): Promise<Result<void>> {
    const rest = [...this.doors.values()].filter((door) => door !== null)
    this.doors.clear()
    for (const door of rest) {
      const opened = await door.openAnew()
      if (opened.kind === 'failed') return opened
    }
    return ok(undefined)
  }

  get isEmpty(): boolean {
    return this.doors.size === 0
  }
}

const keyOf = ({ host, port }: DoorAddress): string => `${host} ${port}`

const notClaimed = (addresses: readonly string[]) =>
  problem('PROXY_UPGRADE_FAILED', {
    message: `The new proxy cannot serve ${addresses.map((key) => key.replace(' ', ':')).join(', ')}.`,
    remedy:
      'Read its log (.sluice/proxy.log) for the reason; a certificate that cannot be read is the usual one.',
  })
