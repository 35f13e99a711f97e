import type { ProbeFailure } from '../../core/shared/instance.ts'
import type { Redact } from '../../core/shared/redact.ts'
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
  const begun = await engine.ask(call, async (docker) => {
    const exec = await docker.getContainer(container).exec({
      Cmd: [...command],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      AttachStdout: true,
      AttachStderr: true,
    })
    return { exec, stream: await exec.start({}) }
  })
  if (begun.kind === 'failed')
    return [begun.problem.code === 'DOCKER_SLOW' ? 'slow' : 'not-serving', begun.problem.message]
  const { exec, stream } = begun.value
  const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - from)))
  const limit = AbortSignal.any([AbortSignal.timeout(leftMs), signal])
  const end = () => stream.destroy()
  limit.addEventListener('abort', end, { once: true })
  await collect(stream, said)
  limit.removeEventListener('abort', end)
  const seen = await engine.ask({ what: `tell how ${command[0]} ended` }, () => exec.inspect())
  if (seen.kind === 'failed') return ['not-serving', seen.problem.message]
  const { Running, Pid, ExitCode } = seen.value
  if (Running && engine.isLocal) killIn(container, Pid)
  if (Running || limit.aborted) return ['slow', `did not end within ${timeoutMs} ms`]
  return ExitCode === 0 ? null : ['not-serving', `ended with code ${ExitCode}`]
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
