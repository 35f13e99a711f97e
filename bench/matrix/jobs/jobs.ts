import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cost, PhasedLoad } from '../../kit/phased-load.ts'
import type { Living } from '../living.ts'

/** The program that does the jobs. */
export const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url))

/** Two workers with four slots each have room for more than that. */
export const JOBS_PER_SECOND = 20

/** Folders of jobs that are open, taken and done. */
export function makeJobFolders(jobs: string): void {
  for (const name of ['open', 'taken', 'done']) mkdirSync(join(jobs, name), { recursive: true })
}

/** New jobs all the time, through all phases. A job is lost when the instance that took it has ended and left it. */
export function startJobs(jobs: string, living: Living): PhasedLoad {
  let made = 0
  const timer = setInterval(() => {
    made += 1
    writeFileSync(join(jobs, 'open', String(made)), '')
  }, 1000 / JOBS_PER_SECOND)
  return {
    phase: async (act) => {
      const [madeBefore, lostBefore] = [made, abandonedIn(jobs, living).length]
      await act()
      const lost = abandonedIn(jobs, living).slice(lostBefore)
      return costOf(made - madeBefore, lost)
    },
    end: async () => clearInterval(timer),
  }
}

const costOf = (sent: number, lost: readonly string[]): Cost => ({
  sent,
  lost: lost.length,
  closed: 0,
  sentAgain: 0,
  brokenSockets: 0,
  gracefulCloses: 0,
  samples: lost.map((job) => `job ${job} was taken and not finished`),
})

/** Named by the job and the instance that has it. */
const abandonedIn = (jobs: string, living: Living): string[] =>
  readdirSync(join(jobs, 'taken')).filter((job) => !living.isAlive(job.slice(job.indexOf('@') + 1)))
