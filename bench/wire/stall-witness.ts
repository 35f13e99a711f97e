import { writeSync } from 'node:fs'

// A program that sleeps a millisecond at a time and says when it was woken late: `FROM TO`, milliseconds of
// `process.hrtime`, which all processes share. Nothing that is measured has its rank, so what delays it is the machine.

const SLEEP_MS = 1
const LATE_MS = 0.5
const NS_PER_MS = 1e6
const STDOUT = 1

const nothing = new Int32Array(new SharedArrayBuffer(4))
const nowMs = (): number => Number(process.hrtime.bigint()) / NS_PER_MS

for (let before = nowMs(); ; ) {
  Atomics.wait(nothing, 0, 0, SLEEP_MS)
  const now = nowMs()
  if (now - before > SLEEP_MS + LATE_MS) writeSync(STDOUT, `${before} ${now}\n`)
  before = now
}
