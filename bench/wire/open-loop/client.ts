import { Worker } from 'node:worker_threads'
import { Measurement } from './measurement.ts'
import { OpenLoopOrder } from './messages.ts'

// The load client of the latency bench, a process of its own: orders come over the channel to the parent, one at a time,
// each gets one reply. Without a parent there is no load.

const clock = new Worker(new URL('clock-thread.ts', import.meta.url))
let measurement: Measurement | null = null

clock.on('message', () => measurement?.sendDue())
process.on('disconnect', () => process.exit(0))
process.on('message', (message) => {
  globalThis.gc?.()
  measurement = new Measurement(OpenLoopOrder.parse(message), clock)
  void measurement.reply.then((reply) => process.send?.(reply))
})
