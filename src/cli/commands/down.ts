import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import type { ServiceView } from '../../core/rollout/view/view.ts'
import { problem } from '../../core/shared/problem.ts'
import { ServicesAnswer } from '../answers.ts'
import { defineCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { findProject, type Project } from '../controller/project.ts'
import { livingParts, readRuntime } from '../controller/runtime-file.ts'
import { ensureController } from '../controller/start-controller.ts'
import { stopControllers, waitUntilGone } from '../controller/stop-controller.ts'
import type { Session } from '../session.ts'
import { span } from '../text/line.ts'

/** Requests in flight and instances are given their time before the parts leave. */
const DOWN_TIMEOUT_MS = 60_000

export const command = defineCommand({
  description:
    'Stops the controller, all instances, the agent and the proxy of this folder. Traffic stops. With --controller-only nothing but the controller stops: traffic flows on.',
  arguments: [],
  options: [{ flags: '--controller-only', summary: 'stop only the controller' }],
  examples: ['sluice down', 'sluice down --controller-only'],
  input: z.object({ yes: z.boolean().default(false), controllerOnly: z.boolean().default(false) }),
  async run(session, { yes, controllerOnly }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    if (controllerOnly) return stopOnlyController(session, project.value)
    if (livingParts(readRuntime(project.value.state)).length === 0)
      return tellDown(session, 'Nothing runs in this folder.')
    return stopEverything(session, project.value, yes)
  },
})

async function stopOnlyController(session: Session, { state }: Project): Promise<number> {
  const stopped = await stopControllers(session, state)
  if (stopped.kind === 'failed') return session.fail(stopped.problem)
  return tellDown(session, stoppedText(stopped.value))
}

const stoppedText = (controllers: number): string =>
  controllers === 0
    ? 'No controller runs in this folder.'
    : `${controllers === 1 ? 'The controller has' : `${controllers} controllers have`} stopped. Traffic flows on.`

/** Only a controller knows what runs and stops it in order, so a missing one is started for this. */
async function stopEverything(session: Session, project: Project, yes: boolean): Promise<number> {
  const running = await ensureController(session, project)
  if (running.kind === 'failed') return session.fail(running.problem)
  const { client } = running.value
  if (!yes) {
    const services = await client.call('list_services', {}, ServicesAnswer)
    if (services.kind === 'failed') return session.fail(services.problem)
    const refused = await askWhenServing(session, services.value.services)
    if (refused !== null) return refused
  }
  const runtime = readRuntime(project.state)
  const asked = await client.call('shutdown', { everything: true }, z.unknown())
  if (asked.kind === 'failed') return session.fail(asked.problem)
  session.note('Stopping: running requests are given their time ...')
  const gone = await waitUntilGone(session, {
    runtime,
    names: ['controller', 'agent', 'proxy'],
    timeoutMs: DOWN_TIMEOUT_MS,
  })
  if (gone.kind === 'failed') return session.fail(gone.problem)
  return tellDown(
    session,
    'Everything of this folder has stopped. The state is kept: `sluice up` starts it again.',
  )
}

/** `null`: go on. */
async function askWhenServing(session: Session, services: readonly ServiceView[]): Promise<number | null> {
  const serving = services.filter(
    ({ stable, sets }) => stable !== null && sets.some(({ ready }) => ready > 0),
  )
  if (serving.length === 0) return null
  const names = serving
    .map(({ stream, stable, listen }) => `${stream} ${stable?.version ?? ''} on ${listen}`)
    .join(', ')
  const answer = await confirm(session, {
    text: `This stops traffic to ${names}. Stop it? [y/N] `,
    word: null,
  })
  switch (answer) {
    case 'yes':
      return null
    case 'no':
      session.note('Nothing was stopped.')
      return EXIT_CODE.refused
    case 'nobody to ask':
      return session.fail(
        problem('CONFIRMATION_NEEDED', {
          message: `This would stop traffic to ${names}, and there is no terminal to ask on.`,
          remedy: 'Add --yes, or use --controller-only to keep traffic flowing.',
        }),
      )
  }
}

function tellDown(session: Session, text: string): number {
  session.value('down', { message: text })
  session.say([[span('✓ ', 'good'), span(text)]])
  return EXIT_CODE.promoted
}
