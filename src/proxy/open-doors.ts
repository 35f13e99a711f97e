import type { ListenAddress } from '../core/shared/listen-address.ts'
import type { Listener } from './listener.ts'
import type { Service } from './service.ts'

export type OpenDoor = { at: ListenAddress; listener: Listener }

/** Doors that are open, by what another process asks for: the port that is kept on disk, or of the preview. */
export function openDoors(lives: readonly Listener[], services: readonly Service[]): OpenDoor[] {
  const previews = services.flatMap(({ preview }) => preview?.door ?? [])
  return [
    ...lives.flatMap((listener) => doorAt(listener, listener.address)),
    ...previews.flatMap((listener) => doorAt(listener, listener.asked)),
  ]
}

const doorAt = (listener: Listener, address: ListenAddress | null): OpenDoor[] =>
  listener.closing || listener.asked === null || address === null
    ? []
    : [{ at: { host: listener.asked.host, port: address.port }, listener }]
