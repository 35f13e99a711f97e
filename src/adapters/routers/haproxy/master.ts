import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { withSocketPath } from '../../tools/socket-path.ts'
import { masterPid } from './master-process.ts'

/** Answers come in less than 4 ms, also under load; a command that reads all servers takes some more. */
const ANSWER_DEADLINE_MS = 3_000
/** `show stat` of a thousand servers is about 400 KiB. */
const LONGEST_ANSWER_BYTES = 16 * 1024 * 1024

export const MASTER_SOCKET = 'master.sock'

/**
 * One line to the master of HAProxy, and its whole answer. `@!PID line` goes to that worker, and only to it. A payload is
 * lines of text, none of them empty; neither it nor what is said about it is told to anybody else.
 */
export type Ask = (line: string, payload?: string) => Promise<Result<string>>

/** During a reload the master hears nobody: measured 200 to 260 ms. */
const RELOAD_MS = 3_000
const RETRY_MS = 10

/** Asks over the master socket in this folder: a connection for each line, as HAProxy wants it. */
export const masterOf =
  (folder: string): Ask =>
  async (line, payload) => {
    // What we send is made of hashes and numbers; a line break would be a second command.
    if (/[\r\n]/.test(line)) throw new RangeError(`not one line: ${JSON.stringify(line)}`)
    if (payload !== undefined && !/^(?:[^\r\n]+\n)+$/.test(payload)) throw new RangeError('not whole lines')
    const said = payload === undefined ? `${line}\n` : `${line} <<\n${payload}\n`
    const end = performance.now() + RELOAD_MS
    for (;;) {
      const answer = await askOnce(folder, { line, said })
      if (answer.kind === 'ok' || performance.now() > end || (await masterPid(folder)) === null) return answer
      await pause(RETRY_MS)
    }
  }

type Asked = { line: string; said: string }

async function askOnce(folder: string, asked: Asked): Promise<Result<string>> {
  const path = join(folder, MASTER_SOCKET)
  try {
    return await withSocketPath(path, (short) => talk(short, path, asked))
  } catch (error) {
    return failed(unreachable(path, String(error)))
  }
}

function talk(socketPath: string, named: string, { line, said }: Asked): Promise<Result<string>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const end = (result: Result<string>) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve(result)
    }
    const socket = connect(socketPath, () => socket.end(said))
    const deadline = setTimeout(
      () => end(failed(unreachable(named, `no answer to "${line}" within ${ANSWER_DEADLINE_MS} ms`))),
      ANSWER_DEADLINE_MS,
    )
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LONGEST_ANSWER_BYTES) end(failed(unreachable(named, `the answer to "${line}" has no end`)))
      else chunks.push(chunk)
    })
    socket.on('error', (error) => end(failed(unreachable(named, error.message))))
    socket.on('end', () => end(ok(Buffer.concat(chunks).toString('utf8').trim())))
  })
}

export const unreachable = (socket: string, cause: string) =>
  problem('ROUTER_UNREACHABLE', {
    message: `HAProxy does not answer on ${socket}.`,
    cause,
    remedy: 'What runs serves on as it was. The controller starts it again when it is gone.',
    retryable: true,
  })
