import { Worker } from 'node:worker_threads'
import type { Answer, Found, Job } from './worker.ts'

/** One seed takes well under a second; a worker that is silent for so long runs in a circle. */
const SILENCE_LIMIT_MS = 180_000

export type Hunted = { found: Found | null; tried: number; unfit: number; hung: boolean }

/** Hands the jobs out to workers, one after the other. */
export async function huntAll(
  jobs: readonly Job[],
  { workers, onDone }: { workers: number; onDone(job: Job, hunted: Hunted): void },
): Promise<void> {
  const waiting = [...jobs]
  const work = async (): Promise<void> => {
    let worker = begin()
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const hunted = await hunt(worker, job)
      onDone(job, hunted)
      if (!hunted.hung) continue
      await worker.terminate()
      worker = begin()
    }
    await worker.terminate()
  }
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work))
}

const begin = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })

function hunt(worker: Worker, job: Job): Promise<Hunted> {
  return new Promise((resolve, reject) => {
    const end = (hunted: Hunted): void => {
      clearTimeout(silence)
      worker.off('message', hear)
      worker.off('error', reject)
      resolve(hunted)
    }
    const silence = setTimeout(() => end({ found: null, tried: 0, unfit: 0, hung: true }), SILENCE_LIMIT_MS)
    const hear = (answer: Answer): void => {
      if (answer.kind === 'tried') silence.refresh()
      else end({ ...answer, hung: false })
    }
    worker.on('message', hear)
    worker.once('error', reject)
    worker.postMessage(job)
  })
}
