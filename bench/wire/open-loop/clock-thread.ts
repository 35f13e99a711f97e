import { parentPort } from 'node:worker_threads'
import type { Beat } from './messages.ts'

// A thread that only says "now": timers of the event loop are whole milliseconds, a wait on memory is exact to about
// 0.1 ms, and other than a loop that spins it leaves the core to the origin.

const nothing = new Int32Array(new SharedArrayBuffer(4))
const NS_PER_MS = 1e6

parentPort?.on('message', ({ startNs, intervalMs, beats }: Beat) => {
  for (let beat = 0; beat < beats; beat += 1) {
    const leftMs = beat * intervalMs - Number(process.hrtime.bigint() - startNs) / NS_PER_MS
    if (leftMs > 0) Atomics.wait(nothing, 0, 0, leftMs)
    parentPort?.postMessage(null)
  }
})
