// A worker of the matrix: plain Node. It takes jobs from a folder by renaming them, works on four at a time (a tenth of them
// take 2 seconds), and has no mercy with SIGTERM: what it has then is lost. SIGUSR1 asks it to take no more and to end.
import { existsSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

const file = new URL('release.json', import.meta.url)
const { version } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { version: 'none' }
const jobs = process.env.BENCH_JOBS
const owner = `${hostname()}@${process.pid}`
const log = openSync(`${process.env.BENCH_REQUESTS}/${version}@${owner}.log`, 'a')

const SLOTS = 4
const SLOW_SHARE = 0.1
const SLOW_MS = 2000
const JOB_MS = 50
const IDLE_MS = 20
let quiescing = false

process.on('SIGUSR1', () => {
  quiescing = true
})

await Promise.all(Array.from({ length: SLOTS }, work))

async function work() {
  while (!quiescing) {
    const job = take()
    if (job === null) await pause(IDLE_MS)
    else {
      writeSync(log, `${Date.now()}\n`)
      await pause(Math.random() < SLOW_SHARE ? SLOW_MS : JOB_MS)
      renameSync(`${jobs}/taken/${job}`, `${jobs}/done/${job}`)
    }
  }
}

/** Only one of all workers gets a job: to rename is to take it away from the others. */
function take() {
  for (const name of readdirSync(`${jobs}/open`)) {
    const job = `${name}@${owner}`
    try {
      renameSync(`${jobs}/open/${name}`, `${jobs}/taken/${job}`)
      return job
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  return null
}
