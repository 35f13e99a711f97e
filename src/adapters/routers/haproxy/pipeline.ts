import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { inheritedFrom } from '../../tools/run-program.ts'
import { CONFIG, REQUESTS_LOG } from './files.ts'
import { MASTER_SOCKET } from './master.ts'
import { PID_FILE } from './master-process.ts'

/** What HAProxy said of itself at its last start and since. */
const SAID = 'haproxy.said'
const MOST_SAID = 4096
const SAID_BYTES = 1024 * 1024
/**
 * HAProxy never waits for its log: what the pipe does not hold is dropped, and counted as missing. A `cat` that is always
 * there empties it into a file of at most 256 MiB (in blocks of 512 bytes), which the controller reads and empties. When
 * the disk or the file is full `cat` ends, and the next one tries again; all of it ends with HAProxy.
 */
const PIPELINE = [
  'umask 077',
  `"$0" "$@" 2>>${SAID} | { ulimit -f 524288; until cat >>${REQUESTS_LOG}; do sleep 1; done; }`,
].join('; ')

/** Starts HAProxy with what is written in the folder; it outlives this process. `ended` is what it said, if it ends. */
export async function startPipeline(program: string, folder: string): Promise<{ ended: Promise<string> }> {
  await rm(join(folder, SAID), { force: true })
  const pipeline = spawn('/bin/sh', ['-c', PIPELINE, program, ...argumentsIn(folder)], {
    cwd: folder,
    env: inheritedFrom(process.env),
    detached: true,
    stdio: 'ignore',
  })
  pipeline.unref()
  return { ended: saidAtTheEnd(pipeline, folder) }
}

/** Each reload adds a few lines. */
export async function keepSaidSmall(folder: string): Promise<void> {
  const file = join(folder, SAID)
  const { size } = await stat(file).catch(() => ({ size: 0 }))
  if (size > SAID_BYTES) await truncate(file)
}

/** In the foreground: what it writes must have somewhere to go. */
const argumentsIn = (folder: string): string[] => [
  ...['-C', folder, '-W', '-db', '-f', CONFIG],
  ...['-S', `unix@${MASTER_SOCKET},mode,600,level,admin`, '-p', join(folder, PID_FILE)],
]

async function saidAtTheEnd(pipeline: ChildProcess, folder: string): Promise<string> {
  try {
    await once(pipeline, 'exit')
  } catch (error) {
    return String(error)
  }
  const words = await readFile(join(folder, SAID), 'utf8').catch(() => '')
  return words.trim().slice(-MOST_SAID) || 'It said nothing.'
}
