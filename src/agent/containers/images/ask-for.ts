import type Dockerode from 'dockerode'
import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { Engine, EngineCall } from '../engine.ts'

/** Asks the engine and reads of its answer what is used, once. An answer in another shape is a problem and no crash. */
export async function askFor<T>(
  engine: Engine,
  { shape, ...call }: EngineCall & { shape: z.ZodType<T> },
  work: (docker: Dockerode) => Promise<unknown>,
): Promise<Result<T>> {
  const answer = await engine.ask(call, work)
  if (answer.kind === 'failed') return answer
  const read = shape.safeParse(answer.value)
  return read.success ? ok(read.data) : failed(misunderstood(engine, call.what, read.error))
}

const misunderstood = ({ where }: Engine, what: string, error: z.ZodError) =>
  problem('DOCKER_MISUNDERSTOOD', {
    message: `the Docker Engine at ${where} was asked to ${what} and gave an answer that cannot be read`,
    cause: z.prettifyError(error),
    remedy:
      'See its version and whether something stands between: docker version. Versions from 20.10 are known to answer well.',
  })
