import * as z from 'zod'
import { explainSettings, renderExplanation } from '../../config/explain.ts'
import { loadConfig } from '../../config/load.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { defineCommand } from '../command.ts'
import { findProject } from '../controller/project.ts'
import { explainRollout } from '../explain/explain-rollout.ts'
import type { Session } from '../session.ts'
import { span } from '../text/line.ts'

export const command = defineCommand({
  description:
    'Without an argument every setting in force, one a line, with the line of the file it comes from or the default that gave it; that needs no controller. With a rollout why it was judged as it was: sentence, evidence of each check over time, what would have passed, what is still needed.',
  arguments: [
    {
      name: 'rollout',
      summary: 'id of a rollout, or `last` for the current or last one of the service',
      required: false,
    },
  ],
  options: [
    { flags: '--svg <file>', summary: 'with a rollout: draw the evidence of its most telling check' },
    { flags: '--check <name>', summary: 'with a rollout: this check only' },
  ],
  examples: [
    'sluice explain',
    'sluice explain --env production | grep drain',
    'sluice explain last',
    'sluice explain last --check "errors against stable" --svg errors.svg',
  ],
  input: z.object({
    rollout: z.string().exactOptional(),
    svg: z.string().exactOptional(),
    check: z.string().exactOptional(),
  }),
  async run(session, { rollout, svg, check }) {
    if (rollout !== undefined) return explainRollout(session, { rollout, svg, check })
    if (svg !== undefined || check !== undefined) return session.fail(WITHOUT_ROLLOUT)
    return explainFile(session)
  },
})

const WITHOUT_ROLLOUT = problem('USAGE', {
  message: '--svg and --check are about a rollout, and none was named.',
  remedy: 'Write `sluice explain last --svg FILE`, or the id of a rollout in place of `last`.',
})

function explainFile(session: Session): number {
  const project = findProject(session)
  if (project.kind === 'failed') return session.fail(project.problem)
  const { environment, service } = session
  const loaded = loadConfig({
    file: project.value.shownConfig,
    ...(environment === null ? {} : { environment }),
  })
  if (loaded.kind === 'failed') return session.fail(loaded.problem, EXIT_CODE.usage)
  const services = loaded.value.services.filter((one) => service === null || one.service === service)
  if (services.length === 0)
    return session.fail(
      noSuchService(
        service ?? '',
        loaded.value.services.map((one) => one.service),
      ),
    )
  const chosen = { ...loaded.value, services }
  session.value('explanation', { settings: explainSettings(chosen) })
  session.say(
    renderExplanation(chosen)
      .split('\n')
      .map((text) => [span(text)]),
  )
  return EXIT_CODE.promoted
}

const noSuchService = (name: string, known: readonly string[]) =>
  problem('SERVICE_NOT_FOUND', {
    message: `There is no service "${name}".`,
    remedy: `The file has: ${known.join(', ')}.`,
  })
