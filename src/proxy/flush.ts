/** Something that holds back the beginning of an answer for the rest of this turn of the event loop. */
export interface Held {
  flush(): void
}

let waiting: Held[] = []
let scheduled = false

/**
 * Most small answers arrive whole in one read of the socket and leave in one write. What has not ended when the turn
 * is over is written then: one timer for all of them, and no answer waits for its next byte.
 */
export function flushLater(held: Held): void {
  waiting.push(held)
  if (scheduled) return
  scheduled = true
  setImmediate(flushAll)
}

function flushAll(): void {
  const due = waiting
  waiting = []
  scheduled = false
  for (const held of due) held.flush()
}
