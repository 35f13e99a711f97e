import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { createClient } from '../client.ts'
import type { Session } from '../session.ts'
import { plural } from '../text/number.ts'
import { livingParts, type PartName, type Runtime, readRuntime } from './runtime-file.ts'

/** The controller finishes the write it is in and leaves; more than this is a hang. */
const STOP_TIMEOUT_MS = 15_000
const POLL_MS = 50

/** Stops only the controllers of the folder: SIGTERM to pids that are provably theirs. Answers with how many there were. */
export async function stopControllers(session: Session, stateFolder: string): Promise<Result<number>> {
  const runtime = readRuntime(stateFolder)
  const living = livingParts(runtime).filter(({ name }) => name === 'controller')
  if (living.length > 0 && (await createClient(stateFolder).probe('/livez')) === null)
    session.note(
      `The controller (pid ${living.map(({ pid }) => pid).join(', ')}) does not answer on its socket; its command line says it is ours.`,
    )
  for (const { pid } of living) process.kill(pid, 'SIGTERM')
  const gone = await waitUntilGone(session, { runtime, names: ['controller'], timeoutMs: STOP_TIMEOUT_MS })
  return gone.kind === 'ok' ? ok(living.length) : gone
}

type Waited = { runtime: Runtime | null; names: readonly PartName[]; timeoutMs: number }

/** Waits for the processes that the runtime file named, not for whatever replaced it since. */
export async function waitUntilGone(
  session: Session,
  { runtime, names, timeoutMs }: Waited,
): Promise<Result<null>> {
  const left = (): { name: PartName; pid: number }[] =>
    livingParts(runtime).filter(({ name }) => names.includes(name))
  const deadline = session.io.now() + timeoutMs
  while (left().length > 0) {
    if (session.io.now() >= deadline) return failed(stillThere(left(), timeoutMs))
    await session.io.sleep(POLL_MS)
  }
  return ok(null)
}

const stillThere = (left: readonly { name: PartName; pid: number }[], timeoutMs: number) =>
  problem('STOP_TIMEOUT', {
    message: `After ${timeoutMs / 1000} s ${plural(left.length, 'process', 'processes')} still run: ${left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}.`,
    remedy:
      'Look into .sluice/controller.log for what they wait for; running requests are given their time first. Then run the command again.',
    retryable: true,
  })
