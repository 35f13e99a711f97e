import * as z from 'zod'
import { didYouMean } from '../../config/nearest.ts'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { formatDuration } from '../../core/shared/duration.ts'
import { localPlace, localUrl } from '../../core/shared/local-url.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { CheckResult, VerifyCheck } from '../../core/shared/verification.ts'
import type { Checker, CheckPlace } from '../../operations/checker.ts'
import { createClient } from '../client.ts'
import { defineCommand } from '../command.ts'
import { findProject, type Project } from '../controller/project.ts'
import { serviceInFile } from '../service-in-file.ts'
import type { Session } from '../session.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'

/** At least one check did not pass. */
const PROBLEMS_FOUND = 1

export const command = defineCommand({
  description:
    'Makes the checks of `verify` on what runs now, each as the file says, and shows what came. By default on the service as users reach it; with --candidate on one instance of the candidate. Changes nothing in Sluice. Ends with 0 when all passed, 1 when one did not.',
  arguments: [{ name: 'check', summary: 'only this check, by name', required: false }],
  options: [{ flags: '--candidate', summary: 'on an instance of the candidate, with or without traffic' }],
  examples: ['sluice verify', 'sluice verify "GET /health/deep" --candidate'],
  input: z.object({ check: z.string().exactOptional(), candidate: z.boolean().default(false) }),
  async run(session, { check: name = null, candidate }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const settings = serviceInFile(session, project.value)
    if (settings.kind === 'failed') return session.fail(settings.problem, EXIT_CODE.usage)
    const checks = checksNamed(project.value, settings.value, name)
    if (checks.kind === 'failed') return session.fail(checks.problem, EXIT_CODE.usage)
    const place = await placeOf({ project: project.value, settings: settings.value, candidate })
    if (place.kind === 'failed') return session.fail(place.problem)
    const { folder, state: stateFolder } = project.value
    const checker = await session.io.checker({ folder, stateFolder })
    if (checker.kind === 'failed') return session.fail(checker.problem)
    const results = await makeAll(session, {
      checker: checker.value,
      checks: checks.value,
      place: place.value,
    })
    session.value('verify', { ...place.value, results })
    const isWhole = results.length === checks.value.length
    return isWhole && results.every(({ passed }) => passed) ? EXIT_CODE.promoted : PROBLEMS_FOUND
  },
})

type Checks = { checker: Checker; checks: readonly VerifyCheck[]; place: CheckPlace }

/** One after the other, each told as it comes; Ctrl-C gives up the rest. */
async function makeAll(session: Session, { checker, checks, place }: Checks): Promise<CheckResult[]> {
  const leaving = new AbortController()
  const forget = session.io.onInterrupt(() => leaving.abort())
  const results: CheckResult[] = []
  session.say([[strong(`${place.service} ${place.version} at ${place.url}`)]])
  for (const check of checks) {
    const result = await checker.make(check, place, leaving.signal)
    if (result === null) break
    results.push(result)
    session.say([resultLine(result)])
  }
  forget()
  return results
}

function checksNamed(
  { shownConfig: file }: Project,
  { verify }: ServiceSettings,
  name: string | null,
): Result<VerifyCheck[]> {
  if (verify.length === 0)
    return failed(
      problem('CHECK_UNKNOWN', {
        message: `${file} has no checks.`,
        remedy: 'Add one, for example verify: [{ http: /health }].',
      }),
    )
  if (name === null) return ok(verify)
  const found = verify.filter((check) => check.name === name)
  if (found.length > 0) return ok(found)
  const names = verify.map((check) => check.name)
  return failed(
    problem('CHECK_UNKNOWN', { message: `There is no check "${name}".`, remedy: didYouMean(name, names) }),
  )
}

/** Where the service is, and what runs there as far as a controller can tell. */
async function placeOf({
  project,
  settings,
  candidate,
}: {
  project: Project
  settings: ServiceSettings
  candidate: boolean
}): Promise<Result<CheckPlace>> {
  const { service, environment, listen } = settings
  const view = await createClient(project.state).call('get_service', { service, environment }, ServiceView)
  if (!candidate) {
    const stable = view.kind === 'ok' ? view.value.stable : null
    const known = { version: stable?.version ?? 'unknown', release: stable?.release ?? 'unknown' }
    return listen === null
      ? failed(nothingListens(service))
      : ok({ ...localPlace(listen, settings), service, environment, ...known })
  }
  if (view.kind === 'failed') return view
  const set = view.value.sets.find(({ role }) => role === 'candidate' || role === 'held')
  const instance = set?.instances.find(({ state }) => state === 'ready')
  if (set === undefined || instance === undefined)
    return failed(
      problem('CANDIDATE_MISSING', {
        message: `No instance of a candidate of ${service} is ready in ${environment}.`,
        remedy: 'See "sluice status"; without --candidate the service is verified as users reach it.',
      }),
    )
  const { version, release } = set
  return ok({ url: localUrl(instance), service, environment, version, release })
}

const resultLine = ({ name, passed, text, tookMs }: CheckResult): Line => [
  passed ? span('  ✓ ', 'good') : span('  ✗ ', 'bad'),
  strong(name),
  span(`: ${text} `),
  quiet(`(${formatDuration(tookMs)})`),
]

const nothingListens = (service: string): Problem =>
  problem('VERIFY_NO_ADDRESS', {
    message: `${service} is a worker (listen: none), so there is no address to verify it at.`,
    remedy: 'Look at what it does with a metric of its own, or with health.checks.',
  })
