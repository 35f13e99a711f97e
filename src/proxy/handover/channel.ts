import type { ChildProcess } from 'node:child_process'
import { Server } from 'node:net'
import type * as z from 'zod'

/** The line between a process and the one that follows it. */
export type Channel<Out> = {
  /** A socket that is sent stays open here, too. What cannot be sent is lost with the other process, which `onEnd` tells. */
  send(message: Out, socket?: Server): void
  /** Resolves when everything that was sent has left. */
  close(): Promise<void>
}

export type ChannelHandlers<In> = {
  onMessage(message: In, socket: Server | null): void
  /** What the other one says is not understood: it is of another kind. */
  onNonsense(): void
  onEnd(): void
}

/** One end, as Node has it for parents and for children. */
type End = {
  send(message: object, socket: Server | undefined, sent: () => void): void
  isOpen(): boolean
  close(): void
  onMessage(listener: (message: unknown, socket: unknown) => void): void
  onEnd(listener: () => void): void
}

export const endOfChild = (child: ChildProcess): End => ({
  send: (message, socket, sent) => child.send(message, socket, {}, sent),
  isOpen: () => child.connected,
  close: () => child.disconnect(),
  onMessage: (listener) => child.on('message', listener),
  onEnd: (listener) => child.once('disconnect', listener),
})

/** `null`: nobody who speaks with it started this process. */
export function endOfParent(): End | null {
  if (process.send === undefined) return null
  return {
    send: (message, socket, sent) => process.send?.(message, socket, {}, sent),
    isOpen: () => process.connected,
    close: () => process.disconnect(),
    onMessage: (listener) => process.on('message', listener),
    onEnd: (listener) => process.once('disconnect', listener),
  }
}

export function openChannel<In, Out extends object>(
  end: End,
  shape: z.ZodType<In>,
  { onMessage, onNonsense, onEnd }: ChannelHandlers<In>,
): Channel<Out> {
  let last: Promise<void> = Promise.resolve()
  end.onMessage((message, socket) => {
    const parsed = shape.safeParse(message)
    if (parsed.success) onMessage(parsed.data, socket instanceof Server ? socket : null)
    else onNonsense()
  })
  end.onEnd(onEnd)
  return {
    send: (message, socket) => {
      if (!end.isOpen()) return
      last = new Promise((resolve) => end.send(message, socket, resolve))
    },
    close: async () => {
      await last
      if (end.isOpen()) end.close()
    },
  }
}
