import type { Exec } from 'dockerode'
import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { Problem } from '../../core/shared/problem.ts'
import type { Redact } from '../../core/shared/redact.ts'
import { ok, type Result } from '../../core/shared/result.ts'
import { lastExcerpt } from '../excerpt.ts'
import type { ProgramRequest } from '../health/asker.ts'
import type { InstanceRecord } from '../instance-record.ts'
import type { ProbeAnswer } from '../probe.ts'
import { readProc } from '../processes/process-table.ts'
import { sendSignal } from '../processes/start-process.ts'
import { createDemux } from './demux.ts'
import type { Engine } from './engine.ts'

/** The end of what it said is enough to tell why it failed. */
const KEPT_BYTES = 4096

type ExecParts = { engine: Engine; redact: Redact }
type Finding = [kind: ProbeFailure['kind'], what: string]

/**
 * Runs a program in the container of an instance: code 0 in time passes, all else fails with what it said. One that is not
 * over in time is killed where the engine is local; the engine itself has no way to.
 */
export async function runInContainer(
  { engine, redact }: ExecParts,
  record: InstanceRecord,
  { request, signal }: { request: ProgramRequest; signal: AbortSignal },
): Promise<ProbeAnswer | null> {
  const said = { text: '' }
  const finding = await run(engine, { container: record.container?.id ?? '', request, signal, said })
  if (signal.aborted) return null
  if (finding === null) return { kind: 'passed' }
  const [kind, what] = finding
  const words = lastExcerpt(redact(said.text))
  const message = redact(`${request.command.join(' ')}: ${what}${words === '' ? '' : `: "${words}"`}`)
  return { kind: 'failed', failure: { kind, message, at: Date.now() } }
}

type Run = { container: string; request: ProgramRequest; signal: AbortSignal; said: { text: string } }

async function run(engine: Engine, { container, request, signal, said }: Run): Promise<Finding | null> {
  const { command, env, timeoutMs } = request
  const from = performance.now()
  const call = { what: `run ${command[0]} in a container`, limitMs: timeoutMs }
  const made = await engine.ask(call, (docker) =>
    docker.getContainer(container).exec({
      Cmd: [...command],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      AttachStdout: true,
      AttachStderr: true,
    }),
  )
  if (made.kind === 'failed') return couldNot(made.problem)
  const exec = made.value
  const begun = await engine.ask(call, () => exec.start({}))
  if (begun.kind === 'failed') {
    // It may begin later all the same, and nobody would wait for it.
    void endOf(engine, exec, container)
    return couldNot(begun.problem)
  }
  const stream = begun.value
  const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - from)))
  const limit = AbortSignal.any([AbortSignal.timeout(leftMs), signal])
  const end = () => stream.destroy()
  limit.addEventListener('abort', end, { once: true })
  await collect(stream, said)
  limit.removeEventListener('abort', end)
  const code = await endOf(engine, exec, container)
  if (code.kind === 'failed') return couldNot(code.problem)
  if (code.value === null || limit.aborted) return ['slow', `did not end within ${timeoutMs} ms`]
  return code.value === 0 ? null : ['not-serving', `ended with code ${code.value}`]
}

const couldNot = ({ code, message }: Problem): Finding => [
  code === 'DOCKER_SLOW' ? 'slow' : 'not-serving',
  message,
]

/** How it ended; `null` when it had not, and then it is killed where that can be done. */
async function endOf(engine: Engine, exec: Exec, container: string): Promise<Result<number | null>> {
  const seen = await engine.ask({ what: 'tell how a program ended' }, () => exec.inspect())
  if (seen.kind === 'failed') return seen
  const { Running, Pid, ExitCode } = seen.value
  if (Running && engine.isLocal) killIn(container, Pid)
  return ok(Running ? null : (ExitCode ?? null))
}

async function collect(stream: AsyncIterable<Buffer | string>, said: { text: string }): Promise<void> {
  const demux = createDemux()
  try {
    for await (const chunk of stream)
      said.text = (said.text + Buffer.concat(demux(Buffer.from(chunk))).toString('utf8')).slice(-KEPT_BYTES)
  } catch {
    // Cut off when its time was over.
  }
}

/** Only what is in that very container: the number may have been given away. */
function killIn(container: string, pid: number): void {
  if (pid > 0 && (readProc(`${pid}/cgroup`) ?? '').includes(container)) sendSignal(pid, 'SIGKILL')
}
