import * as z from 'zod'
import { didYouMean } from '../../config/nearest.ts'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { formatDuration } from '../../core/shared/duration.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { MetricTest, MetricTestInput } from '../../operations/metrics/tester.ts'
import { createClient } from '../client.ts'
import { DurationArgument, defineCommand } from '../command.ts'
import { findProject, type Project } from '../controller/project.ts'
import { metricTestLines } from '../metric-test-text.ts'
import { serviceInFile } from '../service-in-file.ts'
import type { Session } from '../session.ts'

/** Long enough for every usual interval between two scrapes. */
const WINDOW_MS = 300_000
/** The data plane keeps no history: this long one waits before its terminal. */
const WAIT_MS = 10_000
/** A provider did not answer: something has to be mended. */
const PROBLEMS_FOUND = 1

export const command = defineCommand({
  description:
    'Asks the metrics of `analysis.metrics` once, for both versions, and shows query, window, numbers and what the rule says. Changes nothing and needs no rollout; without --version it asks the controller which versions run. Metrics of the data plane are counted from now on, for --wait. Ends with 0 when every metric answered, whatever the rule says; 14 when one has no data; 1 when a provider failed; 2 for a wrong name or file.',
  arguments: [
    { name: 'action', summary: 'what to do', required: true, choices: ['test'] },
    { name: 'name', summary: 'only this metric', required: false },
  ],
  options: [
    { flags: '--version <version>', summary: 'the version to ask for; by default the candidate' },
    { flags: '--against <version>', summary: 'the version to compare with; by default stable' },
    { flags: '--window <time>', summary: 'how far back to look (5m)' },
    { flags: '--wait <time>', summary: 'how long to count where there is no looking back (10s)' },
  ],
  examples: [
    'sluice metrics test',
    'sluice metrics test checkout-errors --version 1.4.0 --against 1.3.0 --window 10m',
  ],
  input: z.object({
    action: z.literal('test'),
    name: z.string().exactOptional(),
    version: z.string().min(1).exactOptional(),
    against: z.string().min(1).exactOptional(),
    window: DurationArgument.default(WINDOW_MS),
    wait: DurationArgument.default(WAIT_MS),
  }),
  async run(session, { name = null, version, against, window, wait }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const settings = settingsOf(session, project.value, name)
    if (settings.kind === 'failed') return session.fail(settings.problem, EXIT_CODE.usage)
    const named = { candidate: version ?? null, stable: against ?? null }
    const versions = await versionsOf({ project: project.value, settings: settings.value, named })
    if (versions.kind === 'failed') return session.fail(versions.problem, EXIT_CODE.usage)
    const { folder, state: stateFolder } = project.value
    const tester = await session.io.metrics({ folder, stateFolder })
    if (tester.kind === 'failed') return session.fail(tester.problem)
    const { service, environment, analysis } = settings.value
    const input: MetricTestInput = {
      subject: { service, environment },
      analysis,
      name,
      ...versions.value,
      windowMs: { kept: window, fromNowOn: wait },
    }
    const waitMs = tester.value.waitMs(input)
    if (waitMs > 0) session.note(`The data plane counts from now on: ${formatDuration(waitMs)}...`)
    const tests = await tester.value.test(input)
    session.value('metrics-test', { service, environment, ...versions.value, metrics: tests.map(documentOf) })
    session.say(tests.flatMap((test) => metricTestLines(test, versions.value)))
    return exitCodeOf(tests)
  },
})

type Versions = { candidate: string | null; stable: string | null }

function settingsOf(
  session: Session,
  project: Project,
  name: string | null,
): ReturnType<typeof serviceInFile> {
  const found = serviceInFile(session, project)
  if (found.kind === 'failed') return found
  const declared = found.value.analysis.metrics.map((metric) => metric.name)
  if (declared.length > 0 && (name === null || declared.includes(name))) return found
  return failed(
    name === null || declared.length === 0 ? noMetrics(project.shownConfig) : noSuchMetric(name, declared),
  )
}

const noMetrics = (file: string) =>
  problem('METRIC_UNKNOWN', {
    message: `${file} declares no metrics of its own.`,
    remedy: 'Add one under analysis.metrics; docs/how-to/use-metrics-from-elsewhere.md has examples.',
  })
const noSuchMetric = (name: string, declared: readonly string[]) =>
  problem('METRIC_UNKNOWN', { message: `There is no metric "${name}".`, remedy: didYouMean(name, declared) })

type WhoRuns = { project: Project; settings: ServiceSettings; named: Versions }

/** What was named, and what the controller knows about the rest. */
async function versionsOf({ project, settings, named }: WhoRuns): Promise<Result<Versions>> {
  if (named.candidate !== null && named.stable !== null) return ok(named)
  const { service, environment } = settings
  const view = await createClient(project.state).call('get_service', { service, environment }, ServiceView)
  const running: Versions =
    view.kind === 'ok'
      ? { candidate: candidateIn(view.value), stable: view.value.stable?.version ?? null }
      : { candidate: null, stable: null }
  const candidate = named.candidate ?? running.candidate
  const stable = named.stable ?? running.stable
  if (candidate !== null || stable !== null)
    return ok({ candidate, stable: stable === candidate ? null : stable })
  return failed(
    problem('USAGE', {
      message:
        view.kind === 'ok'
          ? `No version of ${service} runs in ${environment} yet.`
          : 'No version was named, and no controller runs that would know one.',
      remedy: 'Name them: sluice metrics test --version 1.4.0 --against 1.3.0.',
    }),
  )
}

const candidateIn = ({ sets }: ServiceView): string | null =>
  sets.find(({ role }) => role === 'candidate')?.version ?? null

const documentOf = ({ metric, window, candidate, stable, rule }: MetricTest) => ({
  name: metric.name,
  kind: metric.measure.kind,
  provider: metric.query.provider,
  tier: metric.tier,
  window,
  candidate,
  stable,
  rule,
})

function exitCodeOf(tests: readonly MetricTest[]): number {
  const verdicts = tests.map(({ rule }) => rule.verdict)
  if (verdicts.includes('provider-broken')) return PROBLEMS_FOUND
  return verdicts.includes('no-data') ? EXIT_CODE.noData : EXIT_CODE.promoted
}
