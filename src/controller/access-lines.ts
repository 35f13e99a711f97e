import { lastLines } from '../adapters/tools/last-lines.ts'
import { accessLogFile } from '../core/shared/access-log-file.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** The newest lines of the access log of a service: where the newest file has too few, the one before it tells the rest. */
export async function accessLines(folder: string, service: string, count: number): Promise<Result<string[]>> {
  const file = accessLogFile(folder, service)
  try {
    const newest = await lastLines(file, count)
    const before = newest.length < count ? await lastLines(`${file}.1`, count - newest.length) : []
    return ok([...before, ...newest])
  } catch (error) {
    return failed(
      problem('ACCESS_LOG_UNREADABLE', {
        message: `${file} cannot be read.`,
        cause: String(error),
        remedy: 'Look at the owner and the rights of this file.',
      }),
    )
  }
}
