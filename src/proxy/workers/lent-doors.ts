import type { Server } from 'node:net'
import type { Door, GivenDoors } from '../handover/inherited-doors.ts'
import type { DoorAddress } from '../handover/messages.ts'

/** The doors of a worker: it opens none by itself, and asks the process that leads for the socket of each. */
export class LentDoors implements GivenDoors {
  private readonly doors = new Map<string, Door>()
  private readonly ask: (address: DoorAddress) => void

  constructor(ask: (address: DoorAddress) => void) {
    this.ask = ask
  }

  /** Where the process that leads cannot listen yet, the socket comes when it can. */
  claim(address: DoorAddress, door: Door): boolean {
    this.doors.set(keyOf(address), door)
    this.ask(address)
    return true
  }

  /** The door was closed on the way; it may be opened again. */
  missed(address: DoorAddress): void {
    if (this.doors.has(keyOf(address))) this.ask(address)
  }

  async adopt(address: DoorAddress, from: Server): Promise<void> {
    const door = this.doors.get(keyOf(address))
    this.doors.delete(keyOf(address))
    if (door === undefined) from.close()
    else await door.adopt(from)
  }
}

const keyOf = ({ host, port }: DoorAddress): string => `${host} ${port}`
