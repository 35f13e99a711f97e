import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** SIGKILL, and waits until the process is gone and its output is read. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}
