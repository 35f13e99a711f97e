import { loadConfig } from '../config/load.ts'
import { didYouMean } from '../config/nearest.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Project } from './controller/project.ts'
import type { Session } from './session.ts'

/** What the file says about the service that is meant: the named one, or the only one. */
export function serviceInFile(
  { environment, service }: Session,
  { shownConfig: file }: Project,
): Result<ServiceSettings, Parameters<Session['fail']>[0]> {
  const loaded = loadConfig({ file, ...(environment === null ? {} : { environment }) })
  if (loaded.kind === 'failed') return loaded
  const all = loaded.value.services
  const [one, ...others] = all.filter((settings) => service === null || settings.service === service)
  const names = all.map((settings) => settings.service)
  if (one === undefined)
    return failed(
      problem('SERVICE_NOT_FOUND', {
        message: `There is no service "${service}".`,
        remedy: didYouMean(service ?? '', names),
      }),
    )
  if (others.length === 0) return ok(one)
  return failed(
    problem('SERVICE_AMBIGUOUS', {
      message: `There are several services: ${names.join(', ')}.`,
      remedy: 'Name one with --service NAME.',
    }),
  )
}
