import { spawn } from 'node:child_process'
import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import type { ProxyWorkers } from '../../core/shared/proxy-workers.ts'
import { UpgradeAnswer } from '../answers.ts'
import type { Client } from '../client.ts'
import { defineCommand, ProxyWorkersArgument } from '../command.ts'
import { pageAddress } from '../controller/page-address.ts'
import { findProject, type Project } from '../controller/project.ts'
import { readRuntime } from '../controller/runtime-file.ts'
import { isServing, nameOf, waitUntilServing } from '../controller/serving.ts'
import { controllerArguments, ensureController, prepareStateFolder } from '../controller/start-controller.ts'
import type { Session } from '../session.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'
import { upgradeLine } from '../text/proxy.ts'

export const command = defineCommand({
  description:
    'Starts the controller of this folder in the background, unless it runs already, and prints the address of its page. A proxy of another version, or with another number of processes, is replaced in place, without a lost request. State stands in .sluice beside sluice.yaml.',
  arguments: [],
  options: [
    {
      flags: '--foreground',
      summary: 'stay attached, log to this terminal; Ctrl-C stops the controller, traffic flows on',
    },
    {
      flags: '--proxy-workers <number>',
      summary:
        'so many processes of the built-in proxy serve together, from now on also without saying so; auto for one on each core, 1 at first',
    },
  ],
  examples: ['sluice up', 'sluice up --proxy-workers auto', 'sluice up --foreground'],
  input: z.object({
    foreground: z.boolean().default(false),
    proxyWorkers: ProxyWorkersArgument.exactOptional(),
  }),
  async run(session, { foreground, proxyWorkers }) {
    if (foreground && proxyWorkers !== undefined) return session.fail(notAttached())
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    if (foreground) return runAttached(session, project.value)
    const running = await ensureController(session, project.value)
    if (running.kind === 'failed') return session.fail(running.problem)
    const { state } = project.value
    const proxy = await upgradeProxy(running.value.client, proxyWorkers)
    const services = (await waitUntilServing(session, running.value.client)).filter(
      ({ stable }) => stable !== null,
    )
    const page = pageAddress(state)
    const pid = readRuntime(state)?.controller?.pid ?? null
    const serving = services.map((service) => ({
      name: nameOf(service),
      listen: service.listen,
      ready: isServing(service),
    }))
    session.value('up', {
      started: running.value.started,
      pid,
      page,
      state,
      services: serving,
      proxy: proxy.upgrade,
    })
    session.say([
      ...upLines({ started: running.value.started, pid, page, state }),
      ...proxy.lines,
      ...serving.map(servingLine),
    ])
    return EXIT_CODE.promoted
  },
})

/**
 * The proxy outlives controllers, so it may be of an older version than this one. It is replaced in place; where that fails,
 * it serves on as before, and `up` has done what it is for.
 */
async function upgradeProxy(
  client: Client,
  workers: ProxyWorkers | undefined,
): Promise<{ upgrade: UpgradeAnswer | null; lines: Line[] }> {
  const asked = { onlyOther: true, ...(workers === undefined ? {} : { workers }) }
  const answer = await client.call('upgrade_router', asked, UpgradeAnswer)
  if (answer.kind === 'ok')
    return answer.value.upgraded
      ? { upgrade: answer.value, lines: [upgradeLine(answer.value)] }
      : { upgrade: null, lines: [] }
  const { code, message, remedy } = answer.problem
  // A controller of an older version knows nothing of it; a proxy that is away is started by the controller.
  const isNoMatter = code === 'OPERATION_UNKNOWN' || code === 'ROUTER_UNREACHABLE'
  if (isNoMatter && workers === undefined) return { upgrade: null, lines: [] }
  return { upgrade: null, lines: [[span('  ! ', 'attention'), span(`${message} `), quiet(remedy)]] }
}

const notAttached = (): Problem =>
  problem('USAGE', {
    message: '--proxy-workers cannot be said together with --foreground.',
    remedy: 'Start the controller first, then run `sluice router upgrade --proxy-workers` with the number.',
  })

type Up = { started: boolean; pid: number | null; page: string | null; state: string }

const upLines = ({ started, pid, page, state }: Up): Line[] => [
  [
    span('✓ ', 'good'),
    strong(started ? 'The controller is up.' : 'The controller was up already.'),
    quiet(`  pid ${pid ?? 'unknown'}, state in ${state}`),
  ],
  ...(page === null ? [] : [[span('  Page: '), span(page, 'accent')]]),
]

type Serving = { name: string; listen: string; ready: boolean }

const servingLine = ({ name, listen, ready }: Serving): Line =>
  ready
    ? [span('  ✓ ', 'good'), span(`${name} takes traffic on ${listen}`)]
    : [
        span('  ! ', 'attention'),
        span(`${name} does not serve yet: see \`sluice status\` and \`sluice logs\``),
      ]

/** The controller in this terminal. It has its own session, so that Ctrl-C reaches it once, as a request to stop. */
function runAttached(session: Session, project: Project): Promise<number> {
  prepareStateFolder(project.state)
  const [execPath, script] = session.io.program
  const child = spawn(execPath, [script, ...controllerArguments(project)], {
    cwd: project.folder,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const forget = session.io.onInterrupt(() => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      forget()
      resolve(signal === 'SIGTERM' ? 0 : (code ?? EXIT_CODE.internal))
    })
  })
}
