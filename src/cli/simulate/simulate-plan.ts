import path from 'node:path'
import { loadConfig } from '../../config/load.ts'
import { loadScript } from '../../config/load-script.ts'
import { LONGEST_SIMULATION_MS } from '../../config/schema-script.ts'
import { Plan } from '../../core/plan/plan.ts'
import type { ServiceSettings } from '../../core/release/settings.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { formatDuration } from '../../core/shared/duration.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { type SimulateInput, simulate } from '../../core/simulation/simulate.ts'
import type { Simulation } from '../../core/simulation/simulation.ts'
import { connectStarting } from '../controller/connect.ts'
import { findProject } from '../controller/project.ts'
import { exitCodeOfOutcome } from '../exit-code.ts'
import { rolloutLines } from '../explain/rollout-text.ts'
import { addressOf, columnsOf, type Session } from '../session.ts'
import { simulationLines } from './simulation-text.ts'

type Asked = {
  plan: string
  metrics?: string
  seed?: string
  limit?: number
  explain: boolean
}

const HOUR_MS = 3_600_000
/** A long plan takes a while: says every so often how far it is. */
const NEWS_EVERY_MS = 3000
const LOOKS_BETWEEN_CLOCKS = 200

/** Plans, or takes a plan, and carries it out in virtual time. */
export async function simulatePlan(session: Session, asked: Asked): Promise<number> {
  const script = scriptFor(session, asked)
  if (script.kind === 'failed') return session.fail(script.problem)
  const plan = await planFor(session, asked.plan)
  if (plan.kind === 'failed') return session.fail(plan.problem)
  if (plan.value.kind === 'none') return nothingToDo(session, plan.value)
  const settings = settingsFor(session, plan.value)
  if (settings.kind === 'failed') return session.fail(settings.problem)
  const limitMs = asked.limit ?? usualLimit(plan.value)
  const simulated = run(session, {
    plan: plan.value,
    settings: settings.value,
    script: script.value,
    limitMs,
  })
  if (simulated.kind === 'failed') return session.fail(simulated.problem)
  tell(session, simulated.value, asked.explain)
  const { outcome } = simulated.value
  return outcome === null ? EXIT_CODE.waiting : exitCodeOfOutcome(outcome)
}

function scriptFor(session: Session, { metrics, seed }: Asked): Result<SimulateInput['script'], Problem[]> {
  if (metrics === undefined) return failed([NO_METRICS])
  const loaded = loadScript(path.resolve(session.io.cwd, metrics), metrics)
  if (loaded.kind === 'failed' || seed === undefined) return loaded
  const other = Number(seed)
  return /^\d{1,9}$/.test(seed) ? ok({ ...loaded.value, seed: other }) : failed([badSeed(seed)])
}

const NO_METRICS = problem('USAGE', {
  message: 'Nothing says what users and instances do.',
  remedy: 'Name a file with --metrics FILE. The shortest one is: metrics: [{ from: 0s }].',
})

const badSeed = (seed: string): Problem =>
  problem('USAGE', {
    message: `--seed ${seed} is no whole number up to 999999999.`,
    remedy: 'Write for example --seed 7.',
  })

/** A plan that was made before is called `plan-...`; anything else is a version. */
async function planFor(session: Session, named: string): Promise<Result<Plan>> {
  const connection = await connectStarting(session)
  if (connection.kind === 'failed') return connection
  const { client } = connection.value
  return named.startsWith('plan-')
    ? client.call('get_plan', { id: named }, Plan)
    : client.call('plan', { ...addressOf(session), version: named }, Plan)
}

function nothingToDo(session: Session, { id, service, environment, to }: Plan): number {
  session.value('simulation', { plan: id, simulation: null })
  session.note(`Nothing to simulate: ${to.version} is what ${service} runs in ${environment}.`)
  return EXIT_CODE.promoted
}

/** As the file has them now: a deploy of the plan is refused where they are not those of the plan any more. */
function settingsFor(session: Session, { service, environment }: Plan): Result<ServiceSettings, Problem> {
  const project = findProject(session)
  if (project.kind === 'failed') return project
  const loaded = loadConfig({ file: project.value.shownConfig, environment })
  if (loaded.kind === 'failed') return failed(loaded.problem[0] ?? NO_SERVICE)
  const found = loaded.value.services.find((one) => one.service === service)
  return found === undefined ? failed(NO_SERVICE) : ok(found)
}

const NO_SERVICE = problem('SERVICE_NOT_FOUND', {
  message: 'The file does not describe the service of the plan any more.',
  remedy: 'Name the file that the plan was made with: --config FILE.',
})

/** Half as long again as planned, and an hour for what has no time of its own. */
const usualLimit = ({ steps }: Plan): number =>
  Math.min(
    LONGEST_SIMULATION_MS,
    HOUR_MS + 1.5 * steps.reduce((sum, { expectedMs }) => sum + (expectedMs ?? 0), 0),
  )

function run(session: Session, input: SimulateInput): Result<Simulation> {
  const steps = simulate(input)
  let told = session.io.now()
  for (let looks = 1; ; looks += 1) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (looks % LOOKS_BETWEEN_CLOCKS !== 0 || session.io.now() - told < NEWS_EVERY_MS) continue
    told = session.io.now()
    session.note(
      `Still simulating: ${looks} looks, of at most ${formatDuration(input.limitMs)} of virtual time.`,
    )
  }
}

function tell(session: Session, simulation: Simulation, explain: boolean): void {
  session.value('simulation', { simulation })
  const columns = columnsOf(session)
  session.say(simulationLines(simulation, columns))
  if (!explain) return
  if (simulation.evidence === null) session.note('Nothing was judged: there is nothing to explain.')
  else session.say([[], ...rolloutLines(simulation.evidence, columns)])
}
