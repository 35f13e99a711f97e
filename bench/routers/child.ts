import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that stays, until it is stopped. */
export function startChild(program: string, args: readonly string[]): { stop(): Promise<void> } {
  const child = spawn(program, args, { stdio: 'ignore' })
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
