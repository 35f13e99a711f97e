import { readFileSync } from 'node:fs'
import type { DockerStand } from '../kit/docker.ts'

/** Who of the instances runs: each names itself by its host and its pid there. */
export type Living = { isAlive(owner: string): boolean; stop(): void }

const LOOK_EVERY_MS = 100
/** An engine names the host of a container by the first letters of its id. */
const HOST_LETTERS = 12

export const livingProcesses = (): Living => ({
  isAlive: (owner) => isAlive(Number(owner.split('@').at(-1))),
  stop: () => undefined,
})

/** As the engine says it, ten times a second. */
export async function livingContainers(engine: DockerStand): Promise<Living> {
  let hosts = new Set<string>()
  const look = async (): Promise<void> => {
    hosts = new Set((await engine.running()).map((id) => id.slice(0, HOST_LETTERS)))
  }
  await look()
  // A look that fails leaves the answer of the one before.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS)
  return {
    isAlive: (owner) => hosts.has(owner.split('@')[0] ?? ''),
    stop: () => clearInterval(timer),
  }
}

function isAlive(pid: number): boolean {
  try {
    // One that has ended and was not reaped yet does not run any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
