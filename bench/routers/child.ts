import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A program that stays, until it is stopped. In a session of its own, as a service of the system and as what Sluice runs: the
 * kernel shares cores out by session, and one that shares a session with its load has fewer and larger turns.
 */
export function startChild(program: string, args: readonly string[]): { stop(): Promise<void> } {
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
